using System.Text.Json;
using ProxyD.BlackBox.Harness;
using ProxyD.Testing;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd migrate FOLDER</c>: files alone, without a service manager.</summary>
public sealed class MigrateFolderTests : IDisposable
{
    /// <summary>Folders that can have no resident form, and need no minimal one: nobody's unit is started, or a line before the proxy may wait.
    /// Of gallery the wrapper that runs the proxy is not there.</summary>
    private static readonly string[] s_withoutResident =
    [
        "arena", "clean-odd", "clean-resident", "clean-user", "gallery", "mailbox", "radio", "reports", "scanner", "sketch", "twins", "vault",
    ];

    /// <summary>Those, and what has its minimal form already.</summary>
    private static readonly string[] s_withoutMinimal =
        [.. s_withoutResident, "clean-dropins", "clean-template", "courier", "forum", "gitssh", "mirror", "thumbs"];

    private readonly TemporaryFolder _folder = new();

    public MigrateFolderTests() => Requires.Proxyd();

    public static TheoryData<string> Folders { get; } = [.. TrioFolder.AllFolders().Select(folder => folder.Name)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void What_is_applied_to_a_folder_is_rolled_back_byte_for_byte(string name)
    {
        // Goal: shown, nothing is written; refused, nothing either; applied in both shapes, all of it comes back, and nothing is left over.
        TrioFolder trio = TrioFolder.Named(name);
        foreach (string file in trio.UnitFiles)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
            File.Copy(Path.Combine(trio.Path, file), _folder.File(file));
        }
        Dictionary<string, string> before = Contents();

        foreach (string[] shape in (string[][])[[], ["--resident"]])
        {
            string[] user = trio.IsUser ? ["--user"] : [];
            (int shown, string proposal, _) = Migrate([.. shape, .. user]);
            Assert.Equal(before, Contents());

            (int applied, _, string errors) = Migrate(["--apply", .. shape, .. user]);
            Assert.Equal((shown, ""), (applied, errors));
            bool changes = proposal.Contains("--apply does it", StringComparison.Ordinal);
            Assert.Equal(!(shape.Length == 0 ? s_withoutMinimal : s_withoutResident).Contains(name), changes);
            Assert.Equal(changes, !before.SequenceEqual(Contents()));
            if (!changes)
                continue;
            Assert.Equal(0, Migrate(["--rollback", .. user]).Status);
            Assert.Equal(before, Contents());
        }
    }

    [Theory]
    [InlineData("units/web.socket")]
    [InlineData("./units/web.service")]
    [InlineData("units")]
    [InlineData("units/")]
    [InlineData(".", "units")]
    [InlineData("./web.socket", "units")]
    public void A_target_means_the_same_on_the_way_back(string target, string from = ".")
    {
        // Goal: what --apply took for a file or a folder, --rollback does, too; and shows the change before it makes it.
        WriteTrio();
        Dictionary<string, string> before = Contents();
        Assert.Equal(0, MigrateFrom(from, target, "--apply").Status);
        Assert.NotEqual(before, Contents());

        (int status, string output, string errors) = MigrateFrom(from, target, "--rollback");

        Assert.Equal((0, ""), (status, errors));
        Assert.Equal(before, Contents());
        int diff = output.IndexOf("\n-ExecStart=/usr/local/bin/proxyd", StringComparison.Ordinal);
        Assert.InRange(output.IndexOf("\nput back ", StringComparison.Ordinal), diff + 1, int.MaxValue);
        Assert.InRange(diff, 1, int.MaxValue);
    }

    [Fact]
    public void A_plain_service_with_drop_ins_comes_back_whole()
    {
        // Goal: the backend's new folder of drop-ins goes with what was in it.
        _folder.Write("web.service", "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/node /srv/web.js\nRestart=always\n");
        Directory.CreateDirectory(_folder.File("web.service.d"));
        _folder.Write("web.service.d/port.conf", "[Service]\nEnvironment=PORT=8090\n");
        Dictionary<string, string> before = Contents();
        Assert.Equal(0, Migrate(["--apply"]).Status);
        Assert.Contains("PORT=18090", File.ReadAllText(_folder.File("web-backend.service.d/port.conf")), StringComparison.Ordinal);

        Assert.Equal(0, Migrate(["--rollback"]).Status);

        Assert.Equal(before, Contents());
    }

    [Fact]
    public void Two_plain_services_get_a_port_each()
    {
        // Goal: what the preview says is what is done, and no port is given twice.
        foreach ((string name, int port) in ((string, int)[])[("a", 8080), ("b", 48080)])
            _folder.Write($"{name}.service", $"[Service]\nExecStart=/usr/bin/{name} --port={port}\nRestart=always\n");
        string preview = Migrate([]).Output;
        Assert.Equal(0, Migrate(["--apply"]).Status);
        string[] ports =
        [
            .. ((string[])["a", "b"]).Select(name => File.ReadAllLines(_folder.File($"{name}-backend.service"))
                .Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal))),
        ];
        Assert.Equal(2, ports.Select(line => line.Split("--port=")[1]).Distinct().Count());
        Assert.All(ports, line => Assert.Contains($"+{line}\n", preview, StringComparison.Ordinal));
    }

    [Fact]
    public void A_link_leads_to_its_unit()
    {
        // Goal: an alias is as good a name for a file as for a unit.
        WriteTrio();
        File.CreateSymbolicLink(_folder.File("units/alias.service"), "web.service");
        (int status, string output, _) = MigrateFrom("units", "./alias.service");
        Assert.Equal(0, status);
        Assert.Contains("+ExecStart=/usr/local/bin/proxyd", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other.socket", true)]
    [InlineData("other.service.d/odd.conf", true)]
    [InlineData("web.service", false)]
    [InlineData("web-backend.service.d/odd.conf", false)]
    public void For_one_of_a_folders_units_others_that_can_not_be_read_are_left_out(string odd, bool isLeftOut)
    {
        // Goal: a file of somebody else's hinders nobody, and is named; one that belongs to the unit does.
        WriteTrio();
        string path = _folder.File($"units/{odd}");
        string make = $"cd {_folder.File(".")} && rm -f {path} && mkdir -p {Path.GetDirectoryName(path)} && mkfifo {path}";

        (int status, string output, string errors) = Run(new() { Arguments = ["migrate", "units/web.socket"], Prelude = [make] });

        Assert.Equal((isLeftOut ? 0 : 2, isLeftOut), (status, output.Contains("+ExecStart=/usr/local/bin/proxyd", StringComparison.Ordinal)));
        const string Why = "it is no regular file; expected a regular file of at most 1024 KiB";
        Assert.Equal($"proxyd: {path} can't be read: {Why}{(isLeftOut ? "; it is left out" : "")}", errors);
    }

    [Theory]
    [InlineData(0, "web.socket: nothing to do", "--resident")]
    [InlineData(1, "web.socket: left alone. --public is about a plain service, and web.socket has a proxy already", "--public=8080")]
    [InlineData(2, "--public: '99999' is not accepted: ", "--public=99999")]
    [InlineData(2, "--backend: 'nonsense' is not accepted: ", "--backend=nonsense")]
    [InlineData(2, "--backend: '/run/x' is not accepted: it has no port; expected HOST:PORT", "--backend=/run/x")]
    public void What_it_can_not_use_is_said(int expected, string said, string option)
    {
        // Goal: of a trio that has the recommended shape nothing is left to do, and no option is taken in silence.
        WriteTrio();
        Assert.Equal(0, MigrateFrom(".", "units", "--apply", "--resident").Status);

        (int status, string output, string errors) = MigrateFrom(".", "units", option);

        Assert.Equal(expected, status);
        Assert.Contains(said, output + errors, StringComparison.Ordinal);
    }

    [Fact]
    public void As_JSON_both_ways_are_one_object_each()
    {
        // Goal: for programs, nothing but it on standard output: the diffs, and whether it was done.
        WriteTrio();
        JsonElement applied = JsonDocument.Parse(MigrateFrom(".", "units", "--apply", "--json").Output).RootElement;
        Assert.True(applied.GetProperty("applied").GetBoolean());
        JsonElement back = JsonDocument.Parse(MigrateFrom(".", "units", "--rollback", "--json").Output).RootElement;
        Assert.True(back.GetProperty("rolled_back").GetBoolean());
        JsonElement migration = Assert.Single(back.GetProperty("migrations").EnumerateArray());
        JsonElement file = Assert.Single(
            migration.GetProperty("files").EnumerateArray(), its => its.GetProperty("path").GetString() == _folder.File("units/web.service"));
        Assert.Contains("\n-ExecStart=/usr/local/bin/proxyd", file.GetProperty("diff").GetString(), StringComparison.Ordinal);
        (int status, string output, string errors) = MigrateFrom(".", "units", "--rollback", "--json");
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith($"proxyd: nothing in {_folder.File("units")} says that a unit of it was migrated; ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_may_not_write_is_shown_the_change_and_told_so_in_one_line()
    {
        // Goal: no stack trace, whichever file it is; and what is shown is shown before anything is written.
        Requires.Root();
        WriteTrio();
        const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.UserExecute
            | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(_folder.File("."), ForAll | UnixFileMode.UserWrite);
        File.SetUnixFileMode(_folder.File("units"), ForAll | UnixFileMode.UserWrite);
        string unit = _folder.File("units/web.service");
        (int status, string output, string errors) = Migrate(["--apply"], isNobody: true);
        Assert.Equal(2, status);
        Assert.Contains("\n+ExecStart=/usr/local/bin/proxyd", output, StringComparison.Ordinal);
        Assert.Matches(@"^proxyd: .*\.migrated-\d+ can't be written: permission denied$", errors);

        File.SetUnixFileMode(unit, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(0, Migrate(["--apply"]).Status);
        string record = Assert.Single(Directory.GetFiles(_folder.File("units"), "*.migrated-*"));
        Assert.Equal((2, "", $"proxyd: {record} can't be read: permission denied"), Migrate(["--rollback"], isNobody: true));
        File.SetUnixFileMode(record, ForAll);
        Assert.Equal((2, "", $"proxyd: {unit} can't be read: permission denied"), Migrate(["--rollback"], isNobody: true));
        File.SetUnixFileMode(unit, ForAll);
        (status, output, errors) = Migrate(["--rollback"], isNobody: true);
        Assert.Equal(2, status);
        Assert.Matches(@"^proxyd: .*/web(-backend)?\.service can't be put back: permission denied$", errors);
        Assert.Contains("\n-ExecStart=/usr/local/bin/proxyd", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_trios_that_share_a_unit_are_migrated_one_after_the_other()
    {
        // Goal: the guard goes with the last that needs it, and both wait as long; each is shown before it is written, and both come back.
        foreach (string name in (string[])["http", "https"])
        {
            _folder.Write($"{name}.socket", "[Socket]\nListenStream=80\n");
            _folder.Write(
                $"{name}.service",
                "[Unit]\nRequires=app.service\nAfter=app.service\n\n[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:18080\n");
        }
        _folder.Write("app.service", """
            [Service]
            ExecStart=/usr/bin/node /srv/app.js
            ExecStartPost=/bin/sh -c 'until ss -ltn | grep -q 127.0.0.1:18080; do sleep 0.1; done'

            """);
        Dictionary<string, string> before = Contents();

        (int status, string output, string errors) = Migrate(["--apply"]);

        Assert.Equal((0, ""), (status, errors));
        Assert.All((string[])["http.service", "https.service"], name =>
            Assert.Contains("/usr/local/bin/proxyd 127.0.0.1:18080 --wait-bind=90s", File.ReadAllText(_folder.File(name)), StringComparison.Ordinal));
        Assert.DoesNotContain("ExecStartPost", File.ReadAllText(_folder.File("app.service")), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(_folder.File("."), "*.migrated-*").Length);
        Assert.InRange(output.IndexOf("/https.service", StringComparison.Ordinal), output.IndexOf("undo it: ", StringComparison.Ordinal), int.MaxValue);
        Assert.Equal(0, Migrate(["--rollback"]).Status);
        Assert.Equal(before, Contents());
    }

    private void WriteTrio()
    {
        Directory.CreateDirectory(_folder.File("units"));
        _folder.Write("units/web.socket", "[Socket]\nListenStream=8080\n");
        _folder.Write("units/web.service", "[Unit]\nRequires=web-backend.service\nAfter=web-backend.service\n\n"
            + "[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:18080\n");
        _folder.Write("units/web-backend.service", "[Service]\nExecStart=/usr/bin/node /srv/web.js\n");
    }

    private (int Status, string Output, string Errors) Migrate(string[] options, bool isNobody = false) =>
        Run(new() { Arguments = ["migrate", _folder.File(Directory.Exists(_folder.File("units")) ? "units" : "."), .. options], Unprivileged = isNobody });

    private (int Status, string Output, string Errors) MigrateFrom(string folder, params string[] arguments) =>
        Run(new() { Arguments = ["migrate", .. arguments], Prelude = [$"cd {_folder.File(folder)}"] });

    private static (int Status, string Output, string Errors) Run(SubjectSetup setup)
    {
        using Subject subject = Subject.Start(setup);
        int status = subject.WaitForExit();
        return (status, string.Join('\n', subject.Output), string.Join('\n', subject.Log));
    }

    private Dictionary<string, string> Contents() => new(
        Directory.GetFileSystemEntries(_folder.File("."), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => KeyValuePair.Create(path, Directory.Exists(path) ? "" : Convert.ToHexString(File.ReadAllBytes(path)))));
}
