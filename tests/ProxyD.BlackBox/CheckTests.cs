using System.Text.Json;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd check</c> on files: what it prints, and what it exits with.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CheckTests() => Requires.Proxyd();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_trap_is_named_with_its_place_and_its_fix()
    {
        // Goal: one can go from the output to the line and mend it; the exit status tells scripts.
        WriteTrio("PartOf=web.service");

        (int status, string output, string errors) = Run("check", _folder.File("."));

        Assert.Equal((1, ""), (status, errors));
        Assert.Contains("error  PXD001  web.socket", output, StringComparison.Ordinal);
        Assert.Contains("/web.socket:2\n", output, StringComparison.Ordinal);
        Assert.Contains("fix: remove the line", output, StringComparison.Ordinal);
        Assert.Contains("2 units: 1 error, 0 warnings, 0 notes", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clean_trio_is_said_to_be_clean()
    {
        // Goal: no finding, no failure, and what was looked at.
        WriteTrio("");

        Assert.Equal((0, "2 units: 0 errors, 0 warnings, 0 notes\n", ""), Run("check", _folder.File(".")));
    }

    [Fact]
    public void A_file_is_judged_with_its_trio()
    {
        // Goal: the trap is in the socket, the question was about the service; the rest of the folder is not asked for.
        WriteTrio("PartOf=web.service");
        _folder.Write("other.socket", "[Unit]\nPartOf=other.service\n[Socket]\nListenStream=9\n");
        _folder.Write("other.service", "[Service]\nUser=nobody\nExecStart=/usr/bin/proxyd 127.0.0.1:10\n");

        (int status, string output, _) = Run("check", "--json", _folder.File("web.service"));

        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal(1, status);
        Assert.Equal(["web.service", "web.socket"], json.RootElement.GetProperty("units").EnumerateArray().Select(unit => unit.GetString()));
        JsonElement finding = Assert.Single(json.RootElement.GetProperty("findings").EnumerateArray());
        Assert.Equal("PXD001", finding.GetProperty("rule").GetString());
        Assert.Equal("error", finding.GetProperty("severity").GetString());
        Assert.Equal(2, finding.GetProperty("line").GetInt32());
    }

    [Fact]
    public void A_note_is_no_failure()
    {
        // Goal: advice does not break a build.
        _folder.Write("web.service", "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/web\nRestart=always\n");

        (int status, string output, _) = Run("check", _folder.File("web.service"));

        Assert.Equal(0, status);
        Assert.Contains("1 unit: 0 errors, 0 warnings, 1 note;", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_can_be_explained()
    {
        // Goal: the story with its man page, by an id in any case; and the list.
        (int status, string output, _) = Run("check", "--explain", "pxd001");
        Assert.Equal(0, status);
        Assert.StartsWith("PXD001  socket tied to its proxy (error)\n", output, StringComparison.Ordinal);
        Assert.Contains("\nSee: systemd.unit(5)", output, StringComparison.Ordinal);
        Assert.Contains("PXD002  error", Run("check", "--explain", "all").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PXD999", "--explain", "PXD999")]
    [InlineData("--frobnicate", "--frobnicate")]
    [InlineData("/nonexistent/web.service", "/nonexistent/web.service")]
    [InlineData("no unit", "/")]
    public void What_can_not_be_done_is_told_in_one_line(string part, params string[] arguments)
    {
        // Goal: exit status 2, one line that names the culprit, nothing on stdout.
        (int status, string output, string errors) = Run(["check", .. arguments]);

        Assert.Equal((2, ""), (status, output));
        Assert.Contains(part, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkfifo odd.socket", "odd.socket can't be read: it is no regular file; expected a regular file of at most 1024 KiB")]
    [InlineData("truncate -s 300M odd.service", "odd.service can't be read: it is larger; expected a regular file of at most 1024 KiB")]
    [InlineData("mkdir web.service.d && mkfifo web.service.d/odd.conf", "odd.conf can't be read: it is no regular file")]
    public void A_file_that_is_no_unit_file_is_told(string make, string problem)
    {
        // Goal: neither a reader that waits for ever nor one that fills the memory, but one line that names the file and the limit.
        WriteTrio("");

        (int status, string output, string errors) = RunAfter(make, "check", _folder.File("."));

        Assert.Equal((2, ""), (status, output));
        Assert.Contains(problem, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_told_in_plain_words()
    {
        // Goal: the cause, and not the runtime's name for it.
        Requires.Root();
        WriteTrio("");
        File.SetUnixFileMode(_folder.File("."), UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(_folder.File("web.service"), UnixFileMode.UserRead);

        (int status, string output, string errors) = Run(new SubjectSetup { Arguments = ["check", _folder.File(".")], Unprivileged = true });

        Assert.Equal((2, ""), (status, output));
        Assert.EndsWith("/web.service can't be read: permission denied\n", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkdir web.service.d && ln -s nowhere web.service.d/odd.conf")]
    [InlineData("ln -s nowhere other.service")]
    [InlineData("ln -s nowhere/other.service other.service")]
    [InlineData("mkdir modules.d && mkfifo modules.d/odd.conf")]
    public void What_is_nothing_to_systemd_is_left_out(string make)
    {
        // Goal: links that lead nowhere, and folders of other things' settings, hinder nobody.
        WriteTrio("");

        Assert.Equal((0, "2 units: 0 errors, 0 warnings, 0 notes\n", ""), RunAfter(make, "check", _folder.File(".")));
    }

    [Theory]
    [InlineData("systemd/user", 0)]
    [InlineData("systemd/system", 1)]
    public void Files_of_a_users_folder_are_the_users(string folder, int notes)
    {
        // Goal: no proxy of a user's is told that it runs as root.
        Directory.CreateDirectory(_folder.File(folder));
        _folder.Write($"{folder}/web.socket", "[Socket]\nListenStream=8080\n");
        _folder.Write($"{folder}/web.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/usr/bin/proxyd 127.0.0.1:18080\n");

        (int status, string output, _) = Run("check", _folder.File(folder));
        Assert.Equal(0, status);
        Assert.Contains($"0 warnings, {notes} note", output, StringComparison.Ordinal);
        Assert.Contains($"0 warnings, {notes} note", Run("check", _folder.File($"{folder}/web.service")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrapper_that_is_no_file_is_none()
    {
        // Goal: the path of a pipe in ExecStart= is not opened.
        WriteTrio("");
        _folder.Write("other.service", $"[Service]\nExecStart={_folder.File("wrapper")}\n");

        Assert.Equal((0, "3 units: 0 errors, 0 warnings, 0 notes\n", ""), RunAfter("mkfifo wrapper", "check", _folder.File(".")));
    }

    [Fact]
    public void What_is_linked_to_dev_null_is_switched_off()
    {
        // Goal: such a drop-in says nothing, and such a unit is none (systemd.unit(5)).
        WriteTrio("");

        Assert.Equal(
            (0, "2 units: 0 errors, 0 warnings, 0 notes\n", ""),
            RunAfter("mkdir web.service.d && ln -s /dev/null web.service.d/x.conf && ln -s /dev/null other.service", "check", _folder.File(".")));
    }

    [Theory]
    [InlineData("web-alias.service")]
    [InlineData("web.service")]
    public void A_link_is_another_name_of_its_unit(string asked)
    {
        // Goal: a socket tied to its proxy by an alias is seen, and the alias can be asked for.
        WriteTrio("PartOf=web-alias.service");

        (int status, string output, string errors) = RunAfter("ln -s web.service web-alias.service", "check", _folder.File(asked));

        Assert.Equal((1, ""), (status, errors));
        Assert.Contains("error  PXD001  web.socket", output, StringComparison.Ordinal);
        Assert.Contains("2 units: 1 error,", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web-backend.service", false)]
    [InlineData("backend.service", true)]
    public void A_polkit_rule_is_held_against_the_units_own_name(string named, bool isFound)
    {
        // Goal: PXD021 by what systemd tells polkit, where --backend-unit= names a link: a rule for the link helps nobody.
        WriteTrio("");
        _folder.Write("web.service", "[Service]\nUser=web\nExecStart=/usr/bin/proxyd 127.0.0.1:18080 --backend-unit=backend\n");
        _folder.Write("web-backend.service", "[Service]\nExecStart=/usr/bin/web\n");
        _folder.Write("50-web.rules", $$"""
            polkit.addRule(function (action, subject) {
              if (action.lookup("unit") == "{{named}}" && action.lookup("verb") == "start" && subject.user == "web") return polkit.Result.YES;
            });
            """);

        (_, string output, string errors) = RunAfter("ln -s web-backend.service backend.service", "check", _folder.File("."));

        Assert.Equal("", errors);
        Assert.Equal(isFound, output.Contains("PXD021", StringComparison.Ordinal));
        Assert.DoesNotContain("PXD025", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("XDG_RUNTIME_DIR", "systemd/generator"), InlineData("XDG_RUNTIME_DIR", "systemd/generator.early")]
    [InlineData("XDG_RUNTIME_DIR", "systemd/transient"), InlineData("XDG_CONFIG_HOME", "systemd/user.control"), InlineData("XDG_CONFIG_DIRS", "systemd/user")]
    public void A_users_units_are_looked_for_where_its_manager_looks(string variable, string folder)
    {
        // Goal: a backend that a generator makes (a container of podman's) is not missing (systemd.unit(5)); in no such folder it is.
        WriteTrio("");
        _folder.Write("web.service", "[Unit]\nWants=container.service\n[Service]\nExecStart=/usr/bin/proxyd 127.0.0.1:18080\n");
        string root = _folder.File("root");
        string make = $"mkdir -p {root}/{folder} && printf '[Service]\\nExecStart=/usr/bin/podman run web\\n' >{root}/{folder}/container.service";

        Assert.Contains("PXD025", RunAfter("true", "check", "--user", _folder.File("web.service")).Output, StringComparison.Ordinal);
        (int status, string output, string errors) = RunAfter($"{make} && export {variable}={root}", "check", "--user", _folder.File("web.service"));
        Assert.Equal((0, ""), (status, errors));
        Assert.DoesNotContain("PXD025", output, StringComparison.Ordinal);
    }

    private void WriteTrio(string tie)
    {
        _folder.Write("web.socket", $"[Unit]\n{tie}\n[Socket]\nListenStream=127.0.0.1:8080\n");
        _folder.Write("web.service", "[Service]\nUser=nobody\nExecStart=/usr/bin/proxyd 127.0.0.1:18080\n");
    }

    private static (int Status, string Output, string Errors) Run(params string[] arguments) => Run(new SubjectSetup { Arguments = arguments });

    /// <summary>The same after a shell command in the folder.</summary>
    private (int Status, string Output, string Errors) RunAfter(string command, params string[] arguments) =>
        Run(new SubjectSetup { Arguments = arguments, Prelude = [$"cd {_folder.File(".")}", $"{command} || exit 99"] });

    private static (int Status, string Output, string Errors) Run(SubjectSetup setup)
    {
        using Subject subject = Subject.Start(setup);
        int status = subject.WaitForExit();
        return (status, Joined(subject.Output), Joined(subject.Log));
    }

    private static string Joined(string[] lines) => string.Concat(lines.Select(line => line + "\n"));
}
