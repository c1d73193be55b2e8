using System.Text;
using ProxyD.Machine;

namespace ProxyD.Tests.Machine;

/// <summary>Files that systemd reads are written whole, beside a copy of what they replace, and all or none of them.</summary>
[Collection(StartsProcesses.Name)]
public sealed class UnitInstallerTests : IDisposable
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly string _folder = Directory.CreateTempSubdirectory("proxyd-install-").FullName;
    private readonly UnitInstaller _installer = new(new Day());

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_new_file_is_readable_by_all_and_its_folder_is_made()
    {
        // Goal: systemd's own tools and other users may read it; nothing but the file is left.
        WrittenFile file = Assert.Single(_installer.Write([Change("web.service.d/50-proxyd.conf", "[Service]\n")]));
        Assert.Equal((In("web.service.d/50-proxyd.conf"), null), (file.Path, file.Backup));
        Assert.Equal("[Service]\n", File.ReadAllText(file.Path));
        Assert.Equal(Everybody, File.GetUnixFileMode(file.Path));
        Assert.Equal([file.Path], Directory.GetFiles(In("web.service.d")));
    }

    [Fact]
    public void A_file_that_is_replaced_keeps_owner_and_mode_and_stays_beside_it()
    {
        // Goal: bytes that are not UTF-8 too; the backup bears the day, and a number when there is one of that day.
        byte[] old = [.. "[Unit]\n# caf"u8, 0xe9, (byte)'\n'];
        foreach (string backup in (string[])["web.service.bak-20261127", "web.service.bak-20261127-2"])
        {
            File.WriteAllBytes(In("web.service"), old);
            File.SetUnixFileMode(In("web.service"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Stat.ChangeOwner(In("web.service"), "65534:65533");

            WrittenFile file = Assert.Single(_installer.Write([Change("web.service", "[Unit]\n")]));

            Assert.Equal(In(backup), file.Backup);
            Assert.Equal(old, File.ReadAllBytes(file.Backup!));
            Assert.Equal("[Unit]\n", File.ReadAllText(file.Path));
            Assert.Equal("600 65534 65533", Stat.Of(file.Path));
            Assert.Equal("600 65534 65533", Stat.Of(file.Backup!));
        }
    }

    [Fact]
    public void What_is_there_already_is_not_touched()
    {
        // Goal: a second run changes nothing and makes no backup.
        _installer.Write([Change("web.socket", "[Socket]\n")]);
        Assert.False(Change("web.socket", "[Socket]\n").IsNeeded);
        Assert.Empty(_installer.Write([Change("web.socket", "[Socket]\n")]));
        Assert.Equal([In("web.socket")], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_backup_bears_the_name_that_was_said_before()
    {
        // Goal: whoever has noted where the old file will be finds it there; a file that has come to be there is not overwritten.
        File.WriteAllText(In("web.service"), "old\n");
        string backup = _installer.BackupFor(In("web.service"));
        FileChange change = Change("web.service", "new\n") with { Backup = backup };
        File.WriteAllText(backup, "a stranger's\n");
        Assert.Throws<ToolException>(() => _installer.Write([change]));
        Assert.Equal("old\n", File.ReadAllText(In("web.service")));
        Assert.Equal("a stranger's\n", File.ReadAllText(backup));

        File.Delete(backup);
        Assert.Equal(backup, Assert.Single(_installer.Write([change])).Backup);
        Assert.Equal("old\n", File.ReadAllText(backup));
    }

    [Fact]
    public void When_one_can_not_be_prepared_none_is_written()
    {
        // Goal: one line that names the file and the reason; the others are as they were, without leftovers.
        File.WriteAllText(In("a.service"), "old\n");
        File.WriteAllText(In("no-folder"), "");
        FileChange[] changes = [Change("a.service", "new\n"), Change("b.socket", "new\n"), new(In("no-folder/c.conf"), null, [])];
        string problem = Assert.Throws<ToolException>(() => _installer.Write(changes)).Message;
        Assert.StartsWith($"{In("no-folder/c.conf")} can't be written: ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem);
        Assert.Equal("old\n", File.ReadAllText(In("a.service")));
        Assert.Equal([In("a.service"), In("no-folder")], Directory.GetFiles(_folder).Order());
    }

    [Fact]
    public void When_one_appears_meanwhile_the_others_are_taken_back()
    {
        // Goal: a failure between the renames leaves all as it was, the stranger's file too.
        File.WriteAllText(In("a.service"), "old\n");
        FileChange[] changes = [Change("a.service", "new\n"), Change("b.socket", "new\n"), Change("c.service", "new\n")];
        File.WriteAllText(In("c.service"), "a stranger's\n");
        Assert.Throws<ToolException>(() => _installer.Write(changes));
        Assert.Equal("old\n", File.ReadAllText(In("a.service")));
        Assert.Equal("a stranger's\n", File.ReadAllText(In("c.service")));
        Assert.Equal([In("a.service"), In("c.service")], Directory.GetFiles(_folder).Order());
    }

    [Fact]
    public void Taken_back_the_bytes_are_as_they_were()
    {
        // Goal: what a roll-back promises.
        File.WriteAllText(In("a.service"), "old\n");
        UnitInstaller.TakeBack(_installer.Write([Change("a.service", "new\n"), Change("b.socket", "new\n")]));
        Assert.Equal("old\n", File.ReadAllText(In("a.service")));
        Assert.Equal([In("a.service")], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_linked_file_is_changed_where_it_is_and_a_masked_one_refused()
    {
        // Goal: systemctl link keeps its link; a mask is somebody's decision.
        File.WriteAllText(In("real.service"), "old\n");
        File.CreateSymbolicLink(In("web.service"), In("real.service"));
        _installer.Write([Change("web.service", "new\n")]);
        Assert.Equal("new\n", File.ReadAllText(In("real.service")));
        Assert.NotNull(new FileInfo(In("web.service")).LinkTarget);

        File.CreateSymbolicLink(In("masked.service"), "/dev/null");
        Assert.Contains("is masked", Assert.Throws<ToolException>(() => Change("masked.service", "new\n")).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(In("folder.service"));
        Assert.Contains("is a folder", Assert.Throws<ToolException>(() => Change("folder.service", "new\n")).Message, StringComparison.Ordinal);
    }

    private FileChange Change(string name, string text) => FileChange.Of(In(name), Encoding.UTF8.GetBytes(text));

    private string In(string name) => Path.Combine(_folder, name);

    private sealed class Day : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    }
}
