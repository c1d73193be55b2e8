namespace ProxyD.EndToEnd;

/// <summary>What proxyd verify finds in trios that are not well, and what it can't try.</summary>
public sealed class VerifyFindingTests(Lab lab) : EndToEndTest(lab)
{
    private const string Address = "127.0.0.1:8022";
    private const string BackendAddress = "127.0.0.1:18022";
    private const string Python = "/usr/bin/python3 /srv/python/server.py 18022";

    // Goal: systemd-socket-proxyd without a guard loses who comes while the backend starts, and only them.
    [Fact]
    public void Without_a_guard_socket_proxyd_fails_cold()
    {
        Trio trio = Install(UnitFiles.OfIncumbent("brainstorm").WithoutGuard("brainstorm.service"));

        Verification verification = Verification.Of(Lab, trio.Socket);

        Assert.Equal(1, verification.Result.ExitCode);
        Assert.Equal(["cold", "killed, and again", "ten at once, cold"], verification.Failed);
        Assert.StartsWith("0 of 10; ", verification.Seen("ten at once, cold"), StringComparison.Ordinal);
    }

    // Goal: with the guard it passes: verify judges what happens, not what runs.
    [Fact]
    public void With_its_guard_socket_proxyd_passes()
    {
        Trio trio = Install(UnitFiles.OfIncumbent("brainstorm"));
        Verification.Of(Lab, trio.Socket).ExpectPassed();
    }

    // Goal: a socket that goes with its proxy is told from one that stays, and listens again afterwards.
    [Fact]
    public void A_socket_that_closes_with_its_proxy_is_found_and_opened_again()
    {
        Trio trio = Install(UnitFiles.OfTrio("brainstorm-partof"));

        Verification verification = Verification.Of(Lab, trio.Socket);

        Assert.Equal(["cold", "killed, and again", "ten at once, cold", "public socket"], verification.Failed);
        Assert.Equal("active", verification.Before("warm"));
        Assert.Equal("closed at: cold; killed, and again; ten at once, cold", verification.Seen("public socket"));
        Assert.Equal("refused", verification.Seen("cold"));
        Lab.WaitForState(trio.Socket, "active (listening)");
    }

    // Goal: a backend that can't start fails every step, and the failed unit is named; who runs it sees a table.
    [Fact]
    public void A_broken_backend_fails_every_step_but_the_socket()
    {
        Trio trio = Install(UnitFiles.Resident("broken", Address, BackendAddress, "ExecStart=/bin/false"));

        Verification verification = Verification.Of(Lab, trio.Socket);

        Assert.Equal(["cold", "warm", "killed, and again", "ten at once, cold"], verification.Failed);
        Assert.Equal(["broken-backend.service has failed (exit-code)"], verification.Failures);
        CommandResult table = Lab.Run(Lab.Proxyd, "verify", "broken");
        Assert.Equal(1, table.ExitCode);
        Assert.Matches(@"\ncold +inactive|failed +HTTP below 500 +reset without an answer +\d+\.\d +FAILED\n", table.Output);
        Assert.Contains("\nbroken-backend.service has failed (exit-code)\n", table.Output, StringComparison.Ordinal);
    }

    // Goal: a status of 500 and more is no answer, nor is a path that is not there, nor another protocol; a client's own fault is one.
    [Fact]
    public void What_the_backend_answers_is_judged()
    {
        Trio trio = Install(UnitFiles.Resident("judged", Address, BackendAddress, "ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 18022"));

        Verification.Of(Lab, trio.Socket).ExpectPassed();
        Verification missing = Verification.Of(Lab, trio.Socket, "--path=/no-such-file");

        Assert.Equal("HTTP 404", missing.Seen("warm"));
        Assert.Equal(["cold", "warm", "killed, and again", "ten at once, cold"], missing.Failed);
    }

    // Goal: Wants= alone: nobody starts a backend again that ended while its proxy runs.
    [Fact]
    public void A_backend_that_nobody_starts_again_is_found()
    {
        UnitFiles files = UnitFiles.Seed("wanted", Address, $"{BackendAddress} --wait-bind=1s", $"ExecStart={Python}")
            .WithoutBackendTies("wanted.service")
            .WithUnit("wanted.service", "Wants=wanted-backend.service");
        Trio trio = Install(files);

        Verification verification = Verification.Of(Lab, trio.Socket);

        Assert.Equal(["killed, and again"], verification.Failed);
        Assert.Equal("reset without an answer", verification.Seen("killed, and again"));
    }

    // Goal: clients that lost patience don't wake the backend again, neither in later steps nor after the last.
    [Fact]
    public void A_backend_that_takes_too_long_is_found_and_sleeps_afterwards()
    {
        Trio trio = Install(UnitFiles.Resident(
            "late", Address, $"{BackendAddress} --wait-bind=infinity", "Environment=PORT=18022 LISTEN_MS=60000\nExecStart=/usr/bin/node /srv/late/late.cjs"));

        Verification verification = Verification.Of(Lab, trio.Socket, "--timeout=300ms");

        Assert.Equal(["cold", "warm", "killed, and again", "ten at once, cold"], verification.Failed);
        Assert.Equal("no answer in time", verification.Seen("cold"));
        Assert.Equal("0 of 10; 10: no answer in time", verification.Seen("ten at once, cold"));
        Assert.Equal("inactive", verification.Before("ten at once, cold"));
        Lab.WaitForState("late-backend.service", "inactive (dead)");
        Lab.WaitForState(trio.Socket, "active (listening)");
    }

    // Goal: who names another unit than the one that answers hears so, and nothing counts as a cold start or a kill that was none.
    [Fact]
    public void A_backend_that_is_never_started_is_none()
    {
        Trio trio = Install(UnitFiles.Resident("twofold", Address, BackendAddress, $"ExecStart={Python}"));
        Keep(new LabFile(Lab, "/etc/systemd/system/bystander.service", "[Service]\nExecStart=/bin/sleep 600\n"));
        Lab.Systemctl("daemon-reload");

        Verification verification = Verification.Of(Lab, trio.Socket, "--backend", "bystander.service");

        Assert.Equal(["cold", "warm", "killed, and again", "ten at once, cold"], verification.Failed);
        const string Why = ", but bystander.service was not started for it; expected --backend to name the one that answers";
        Assert.EndsWith(Why, verification.Seen("cold"), StringComparison.Ordinal);
    }

    // Goal: one line, exit status 2, and nothing is stopped.
    [Theory]
    [InlineData("no-such-unit", "there is no unit no-such-unit.socket; expected a socket unit that systemd has loaded")]
    [InlineData("plain.service", "plain.service is no socket unit; expected NAME.socket")]
    [InlineData("alone", "alone.service names no backend; expected --backend-unit= or --exec= in its ExecStart=, "
        + "a service in its Requires=, BindsTo=, Upholds= or Wants=, or --backend UNIT")]
    [InlineData("alone", "--backend: alone.service is no backend; expected the service that alone.service stands before", "alone")]
    public void What_cannot_be_tried_is_one_line(string socket, string problem, string? backend = null)
    {
        Install(UnitFiles.Seed("alone", Address, BackendAddress, $"ExecStart={Python}").WithoutBackendTies("alone.service"));

        CommandResult result = Lab.Run([Lab.Proxyd, "verify", socket, .. backend is null ? Array.Empty<string>() : ["--backend", backend]]);

        Assert.Equal((2, "", $"proxyd: {problem}\n"), (result.ExitCode, result.Output, result.Errors));
        Lab.WaitForState("alone.service", "inactive (dead)");
    }

    // Goal: a socket that is not started, and who may not stop units.
    [Fact]
    public void A_socket_that_does_not_listen_and_a_stranger_are_told_so()
    {
        Lab.AddUser("stranger");
        Trio trio = Install(UnitFiles.Resident("shut", Address, BackendAddress, $"ExecStart={Python}"));
        MustServe(Address);
        string pid = Lab.Property("shut-backend.service", "MainPID");

        CommandResult stranger = Lab.RunAs("stranger", Lab.Proxyd, "verify", "shut");
        Assert.Equal(2, stranger.ExitCode);
        Assert.Matches("^proxyd: systemctl stop shut-backend.service: [^\n]*(authentication|denied)[^\n]*; expected [^\n]*\n$", stranger.Errors);
        Assert.Equal(pid, Lab.Property("shut-backend.service", "MainPID"));

        Lab.Systemctl("stop", trio.Socket, "shut.service");
        CommandResult shut = Lab.Run(Lab.Proxyd, "verify", "shut");
        Assert.Equal((2, "proxyd: shut.socket is inactive; expected it to listen: systemctl start shut.socket\n"), (shut.ExitCode, shut.Errors));
    }
}
