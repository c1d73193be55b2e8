using System.Text.RegularExpressions;
using ProxyD.Testing;

namespace ProxyD.Tests.Tidy;

/// <summary>What lies at the root, and what no file may name.</summary>
public sealed partial class RepositoryTests
{
    private static readonly string[] s_rootEntries =
    [
        "src", "tests", "bench", "packaging", "deploy",
        "Directory.Build.props", "Directory.Packages.props", "ProxyD.sln", "README.md", "LICENSE",
    ];

    [Fact]
    public void The_root_holds_exactly_what_belongs_there()
    {
        // Goal: a newcomer's first listing fits in one glance; documents live in the folder they describe.
        IEnumerable<string?> entries = Directory.GetFileSystemEntries(Repository.Root).Select(Path.GetFileName);
        Rule.IsKept(RootProblems(entries!, File.ReadAllLines(Path.Combine(Repository.Root, ".gitignore"))));
    }

    [Fact]
    public void No_file_names_the_machine_it_was_written_on() =>
        // Goal: the repository works wherever it is cloned.
        Rule.IsKept(SourceFile.All().SelectMany(file => MachinePaths(file, Repository.Root)));

    [Fact]
    public void Files_end_with_one_line_break_and_hold_no_tabs_or_trailing_blanks() =>
        // Goal: what .editorconfig says also holds for what dotnet format does not read.
        Rule.IsKept(SourceFile.All().SelectMany(Untidy));

    [Fact]
    public void What_is_too_much_or_missing_at_the_root_is_reported()
    {
        // Goal: dot-files and what git ignores are fine; another document is not, nor is a file or a folder that went.
        string[] ignored = ["bin/", "artifacts/", "*.user"];
        Assert.Empty(RootProblems([.. s_rootEntries, ".git", ".editorconfig", "artifacts"], ignored));
        Assert.Equal(["NOTES.md does not belong at the root"], RootProblems([.. s_rootEntries, "NOTES.md"], ignored));
        Assert.Equal(["LICENSE is missing"], RootProblems(s_rootEntries.Where(e => e != "LICENSE"), ignored));
        Assert.Equal(["deploy is missing"], RootProblems(s_rootEntries.Where(e => e != "deploy"), ignored));
    }

    [Theory]
    [InlineData("cd /srv/checkout/src", true)]
    [InlineData("see /srv/checkouts", false)]
    [InlineData("see ../srv/checkout", false)]
    [InlineData("see /ho" + "me/anna/notes", true)]
    [InlineData("see C:" + "\\Users\\anna", true)]
    [InlineData("ExecStart=/usr/local/bin/proxyd", false)]
    public void A_path_of_somebodys_machine_is_reported(string line, bool reported) =>
        // Goal: the checkout's own folder and home folders; system paths are everybody's.
        Assert.Equal(reported, MachinePaths(new("tests/sample.sh", line), "/srv/checkout").Any());

    [Theory]
    [InlineData("a\n", "sample.sh", false)]
    [InlineData("a", "sample.sh", true)]
    [InlineData("a\n\n", "sample.sh", true)]
    [InlineData("a \n", "sample.sh", true)]
    [InlineData("a\r\n", "sample.sh", true)]
    [InlineData("\ta\n", "sample.cs", true)]
    [InlineData("", "empty.txt", false)]
    public void Untidy_text_is_reported(string text, string path, bool reported) =>
        // Goal: each of the rules finds its case.
        Assert.Equal(reported, Untidy(new(path, text)).Any());

    private static IEnumerable<string> RootProblems(IEnumerable<string> entries, string[] ignored)
    {
        string[] all = [.. entries];
        IEnumerable<string> surplus = all.Where(e => !s_rootEntries.Contains(e) && !e.StartsWith('.') && !ignored.Contains(e + "/"));
        IEnumerable<string> missing = s_rootEntries.Except(all);
        return surplus.Select(e => $"{e} does not belong at the root").Concat(missing.Select(e => $"{e} is missing"));
    }

    private static IEnumerable<string> MachinePaths(SourceFile file, string checkout)
    {
        Regex own = new($@"(?<![\w./-]){Regex.Escape(checkout)}(?![\w-])");
        for (int i = 0; i < file.Lines.Length; i++)
        {
            if (own.IsMatch(file.Lines[i]) || Home().IsMatch(file.Lines[i]))
                yield return $"{file.Path}({i + 1}): {file.Lines[i].Trim()}";
        }
    }

    private static IEnumerable<string> Untidy(SourceFile file)
    {
        if (file.Text.Length > 0 && (!file.Text.EndsWith('\n') || file.Text.EndsWith("\n\n", StringComparison.Ordinal)))
            yield return $"{file.Path}: must end with one line break";
        for (int i = 0; i < file.Lines.Length; i++)
        {
            if (file.Lines[i].Length > 0 && char.IsWhiteSpace(file.Lines[i][^1]))
                yield return $"{file.Path}({i + 1}): blanks at the end";
            // Visual Studio's format wants tabs.
            if (file.Lines[i].Contains('\t', StringComparison.Ordinal) && !file.Path.EndsWith(".sln", StringComparison.Ordinal))
                yield return $"{file.Path}({i + 1}): a tab";
        }
    }

    /// <summary>Somebody's home folder, on any system; the brackets keep this line itself from being one.</summary>
    [GeneratedRegex(@"/[h]ome/\w+/|/[U]sers/\w+/|[A-Z]:\\[U]sers\\")]
    private static partial Regex Home();
}
