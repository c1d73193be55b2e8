using System.Text;
using ProxyD.Tests.Pure;
using ProxyD.Units;

namespace ProxyD.Tests.Units;

/// <summary>No byte of a unit file is lost, and what is read of it is what systemd reads.</summary>
public sealed class UnitFileTests
{
    private static readonly string[] s_unitFolders = ["/usr/lib/systemd", "/lib/systemd", "/etc/systemd", "/run/systemd"];

    [Fact]
    public void Every_unit_file_of_this_machine_comes_out_as_it_went_in()
    {
        // Goal: real files, whatever is in them, survive byte for byte.
        string[] files = [.. s_unitFolders.Where(Directory.Exists).SelectMany(UnitFilesIn)];
        Assert.True(files.Length > 100, $"only {files.Length} unit files found");
        Assert.All(files, path =>
        {
            byte[] bytes = File.ReadAllBytes(path);
            Assert.Equal(bytes, UnitFile.Parse(bytes, path).ToBytes());
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("[Unit]")]
    [InlineData("[Unit]\r\nAfter=a.service\r\n\r\n[Service]\r\nExecStart=/bin/a \\\r\n  b\r\n")]
    [InlineData("[Unit]\nAfter=a \\")]
    [InlineData("[Unit]\nAfter=a \\\n# comment\n")]
    [InlineData("[Unit]\nAfter=a \\\n# comment\n; another\n  b\n")]
    [InlineData("\uFEFF[Unit]\nAfter=a\n")]
    [InlineData("[Unit]\nA\0fter=a\n\0\0")]
    [InlineData("[Unit\nnonsense\n=x\n==\n\t\n[]\n")]
    [InlineData("a=b\r\rc=d\n\r\n\r")]
    [InlineData("\\\n\\\n\\\\\n\\")]
    public void Odd_text_comes_out_as_it_went_in(string text)
    {
        // Goal: CRLF, no last line end, an open continuation, a byte order mark, NUL, nonsense.
        Assert.Equal(text, UnitFile.Parse(text, "a.service").ToText());
        Assert.Equal(Encoding.UTF8.GetBytes(text), UnitFile.Parse(Encoding.UTF8.GetBytes(text), "a.service").ToBytes());
    }

    [Fact]
    public void Any_bytes_come_out_as_they_went_in() => Seeded.Run(random =>
    {
        // Goal: no input is too strange; what is not UTF-8 is read as Latin-1.
        string[] pieces = ["[Unit]", "A=", "b", " ", "\t", "\\", "\n", "\r\n", "\r", "\0", "#", ";", "=", "[", "]", "\uFEFF", "é", "x\\\n"];
        for (int i = 0; i < 2000; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)])));
            Assert.Equal(text, UnitFile.Parse(text, "a.service").ToBytes());
            byte[] noise = new byte[random.Next(60)];
            random.NextBytes(noise);
            Assert.Equal(noise, UnitFile.Parse(noise, "a.service").ToBytes());
        }
    });

    [Fact]
    public void Latin_1_can_be_edited_without_harm()
    {
        // Goal: a file in an old encoding keeps its bytes when another line is changed.
        byte[] bytes = [.. "[Unit]\nDescription=Caf"u8, 0xE9, .. "\nAfter=a\n"u8];
        UnitFile file = UnitFile.Parse(bytes, "a.service");
        file.Set("Unit", "After", "b");
        Assert.Equal([.. "[Unit]\nDescription=Caf"u8, 0xE9, .. "\nAfter=b\n"u8], file.ToBytes());
    }

    [Theory]
    [InlineData("[Unit]\nAfter=a\n", "Unit|After|a|2")]
    [InlineData("[Unit]\n  After =  a b \t\n", "Unit|After|a b|2")]
    [InlineData("[Service]\nExecStart=/bin/a \\\n    b \\\n    c\n", "Service|ExecStart|/bin/a      b      c|2")]
    [InlineData("[Service]\nExecStart=/bin/a \\\n# not part of it\n ; nor this \\\n b\nUser=c\n", "Service|ExecStart|/bin/a   b|2", "Service|User|c|6")]
    [InlineData("[Service]\nExecStart=/bin/a \\\n\nUser=c\n", "Service|ExecStart|/bin/a|2", "Service|User|c|4")]
    [InlineData("[Service]\nUser=a \\\\\nGroup=b\n", "Service|User|a \\\\|2", "Service|Group|b|3")]
    [InlineData("[Service]\nUser=a\\", "Service|User|a|2")]
    [InlineData("[Service]\n# User=a \\\nGroup=b\n", "Service|Group|b|3")]
    [InlineData("[Service]\r\nUser=a\r\nGroup=b\r\n", "Service|User|a|2", "Service|Group|b|3")]
    [InlineData("[Service]\nEnvironment=A=b # no comment\n", "Service|Environment|A=b # no comment|2")]
    [InlineData("[Service]\nUser=\n", "Service|User||2")]
    [InlineData("\uFEFF[Service]\nUser=a\n", "Service|User|a|2")]
    [InlineData("User=a\n[Service]\n", "|User|a|1")]
    [InlineData("[Service]\n=a\nnonsense\n[broken\nUser=a\n", "Service|User|a|5")]
    [InlineData("[Service]\nUser=a\0Group=b\n", "Service|User|a|2", "Service|Group|b|3")]
    public void Assignments_are_what_systemd_reads(string text, params string[] expected)
    {
        // Goal: sections, trimming, continuations with comments and blank lines inside, escaped backslashes, comments' backslashes.
        IEnumerable<string> read = UnitFile.Parse(text, "a.service").Assignments.Select(a => $"{a.Section}|{a.Item.Name}|{a.Item.Value}|{a.Item.Line}");
        Assert.Equal(expected, read);
    }

    [Fact]
    public void Each_kind_of_line_is_told_from_the_others()
    {
        // Goal: one item for each logical line, with the lines it covers.
        UnitFile file = UnitFile.Parse("# a\n\n[Unit]\nAfter=a \\\n b\nnonsense\n", "a.service");
        Assert.Equal(
            [UnitItemKind.Comment, UnitItemKind.Blank, UnitItemKind.Section, UnitItemKind.Assignment, UnitItemKind.Other],
            file.Items.Select(item => item.Kind));
        Assert.Equal("After=a \\\n b\n", file.Items[3].Raw);
        Assert.Equal([1, 2, 3, 4, 6], file.Items.Select(item => item.Line));
    }

    private static IEnumerable<string> UnitFilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Where(file => UnitName.TypeOf(file) != UnitType.Unknown || file.EndsWith(".conf", StringComparison.Ordinal))
            .Where(File.Exists);
}
