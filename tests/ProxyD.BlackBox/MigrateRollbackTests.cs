using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>The way back from <c>proxyd migrate UNIT --apply</c>, from wherever it has come to.</summary>
public sealed class MigrateRollbackTests : IDisposable
{
    private const string Kiln = """
        [Service]
        Environment=PORT=8311
        ExecStart=/usr/bin/node /srv/kiln.js
        Restart=always

        [Install]
        WantedBy=default.target

        """;

    private readonly FakeSystemd _systemd = new();
    private readonly Dictionary<string, string> _before;

    public MigrateRollbackTests()
    {
        Requires.Proxyd();
        _systemd.Write("kiln.service", Kiln);
        File.SetUnixFileMode($"{_systemd.Units}/kiln.service", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _systemd.Run("kiln.service");
        _systemd.Enable("kiln.service");
        _before = Contents();
    }

    public void Dispose() => _systemd.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("--resident")]
    public void The_moved_daemon_stops_before_its_file_goes(string shape)
    {
        // Goal: two daemons on the same data are worse than none; who comes last to the backend stops first: the socket, the proxy, then it.
        Succeed(shape.Length > 0 ? ["--apply", shape] : ["--apply"]);
        Assert.Equal(("kiln.socket", "kiln.socket"), _systemd.State);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Assert.Single(Directory.GetFiles(_systemd.Units, "*.migrated-*"))));
        _systemd.Run("kiln.service");
        _systemd.Run("kiln-backend.service");

        Succeed("--rollback");

        MustBeAsBefore();
        string[] calls = _systemd.Calls;
        int stop = Array.LastIndexOf(calls, "stop kiln-backend.service");
        Assert.InRange(stop, Array.LastIndexOf(calls, "stop kiln.socket kiln.service") + 1, Array.LastIndexOf(calls, "daemon-reload") - 1);
    }

    [Theory]
    [InlineData("stop kiln.service")]
    [InlineData("daemon-reload")]
    [InlineData("enable --now kiln.socket")]
    public void Interrupted_it_takes_back_what_it_has_done(string call)
    {
        // Goal: Ctrl-C and kill leave no half of a migration, wherever they come; and say so.
        _systemd.HangAt(call);
        using Subject subject = Start("--apply");
        _systemd.WaitUntilItHangs();
        subject.Terminate();
        Wait.ForTheSubjectToTry();
        _systemd.Release();

        Assert.Equal(2, subject.WaitForExit());
        Assert.Equal(["proxyd: interrupted; everything is as it was"], subject.Log);
        MustBeAsBefore();
    }

    [Theory]
    [InlineData("disable kiln.service")]
    [InlineData("stop kiln.service")]
    [InlineData("daemon-reload")]
    [InlineData("enable --now kiln.socket")]
    public void Killed_it_can_be_rolled_back(string call)
    {
        // Goal: what it was about to do was on the disk before it began: files that it has not come to are no obstacle.
        _systemd.HangAt(call);
        using (Subject subject = Start("--apply"))
        {
            _systemd.WaitUntilItHangs();
            subject.Kill();
            _systemd.Release();
        }

        Succeed("--rollback");
        MustBeAsBefore();
    }

    [Fact]
    public void A_rollback_that_fails_late_can_be_repeated()
    {
        // Goal: the files are back, the daemon does not start; the second attempt takes no file that is as it was for somebody's change.
        Succeed("--apply");
        _systemd.Fail("start kiln.service");
        (int status, _, string errors) = Run("--rollback");
        Assert.Equal((2, "proxyd: systemctl --user start kiln.service: Failed: as the test wants it."), (status, errors));

        _systemd.Fail();
        Succeed("--rollback");
        MustBeAsBefore();
    }

    [Fact]
    public void When_taking_back_fails_too_both_reasons_are_told()
    {
        // Goal: the first reason is the one to look into; where the old files are; and that the way back is open still.
        _systemd.Fail("enable --now kiln.socket", "disable kiln.socket", "stop kiln-backend.service");
        _systemd.Run("kiln-backend.service");
        (int status, _, string errors) = Run("--apply");
        Assert.Equal(2, status);
        Assert.StartsWith("proxyd: systemctl --user enable --now kiln.socket: Failed: as the test wants it.; and that could not be taken back: "
            + "systemctl --user stop kiln-backend.service: Failed", errors, StringComparison.Ordinal);
        Assert.Contains($"; what was there before is in {_systemd.Units}/kiln.service.bak-", errors, StringComparison.Ordinal);
        Assert.EndsWith(": proxyd migrate kiln.socket --user --rollback", errors, StringComparison.Ordinal);

        _systemd.Fail();
        Succeed("--rollback");
        MustBeAsBefore();
    }

    [Fact]
    public void What_was_edited_since_stays()
    {
        // Goal: neither old nor new bytes: somebody's own; nothing is stopped either.
        Succeed("--apply");
        File.AppendAllText($"{_systemd.Units}/kiln.socket", "# mine\n");
        Dictionary<string, string> edited = Contents();
        (int status, _, string errors) = Run("--rollback");
        Assert.Equal((2, $"proxyd: {_systemd.Units}/kiln.socket was changed since, and would be lost; expected it as --apply left it"), (status, errors));
        Assert.Equal(edited, Contents());
        Assert.Equal(("kiln.socket", "kiln.socket"), _systemd.State);
    }

    private void MustBeAsBefore()
    {
        Assert.Equal(_before, Contents());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{_systemd.Units}/kiln.service"));
        Assert.Equal(("kiln.service", "kiln.service"), _systemd.State);
    }

    private Subject Start(params string[] options) =>
        _systemd.Start(["migrate", "kiln.service", "--user", "--proxyd", Subject.Binary, .. options]);

    private (int Status, string Output, string Errors) Run(params string[] options)
    {
        using Subject subject = Start(options);
        int status = subject.WaitForExit();
        return (status, string.Join('\n', subject.Output), string.Join('\n', subject.Log));
    }

    private void Succeed(params string[] options)
    {
        (int status, _, string errors) = Run(options);
        Assert.Equal((0, ""), (status, errors));
    }

    private Dictionary<string, string> Contents() => new(
        Directory.GetFiles(_systemd.Units, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => KeyValuePair.Create(file, Convert.ToHexString(File.ReadAllBytes(file)))));
}
