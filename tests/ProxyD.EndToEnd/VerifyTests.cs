using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>proxyd verify on trios that are well.</summary>
public sealed class VerifyTests(Lab lab) : EndToEndTest(lab)
{
    private const string Node = "Environment=PORT=18021\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs";
    private const string Address = "127.0.0.1:8021";
    private const string BackendAddress = "127.0.0.1:18021";

    private const string Greeter = """
        import socket, sys
        listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
        while True:
            listener.accept()[0].send(b"220 ready for you\\r\\n")

        """;

    // Goal: the trios that we give to users pass, whoever wakes the backend; the backend is found without being named.
    [Theory]
    [InlineData("trio")]
    [InlineData("resident")]
    public void The_trios_in_deploy_pass(string folder)
    {
        UnitFiles files = UnitFiles.OfDeploy(folder).WithExecStart("example-backend.service", "/usr/bin/python3 /srv/python/server.py 18080");
        // Its own user and rule are other tests' business.
        if (folder == "resident")
            files = files.WithService("example.service", "User=root", "CapabilityBoundingSet=~", "PrivateUsers=no");
        Trio trio = Install(files);

        Verification verification = Verification.Of(Lab, trio.Socket, "--path", "/health");

        verification.ExpectPassed();
        Assert.Equal("example-backend.service", verification.Backend);
        Assert.Equal("HTTP 200", verification.Seen("cold"));
        Assert.Equal("10 of 10", verification.Seen("ten at once, cold"));
        Lab.WaitForState("example-backend.service", "inactive (dead)");
    }

    // Goal: a backend without a unit of its own; it is cold when its proxy is.
    [Fact]
    public void A_child_of_the_proxy_passes()
    {
        Trio trio = Install(UnitFiles.Seed("child", Address, $"{BackendAddress} '--exec=/usr/bin/python3 /srv/python/server.py 18021'", "ExecStart=/bin/true")
            .Without("child-backend.service")
            .WithoutBackendTies("child.service"));

        Verification verification = Verification.Of(Lab, trio.Socket);

        verification.ExpectPassed();
        Assert.Null(verification.Backend);
        Lab.WaitForState("child.service", "inactive (dead)");
    }

    // Goal: a Unix listener of a template, a proxy for each connection, and a guard inside the backend's own unit.
    [Theory]
    [InlineData("template", "app@8001.socket", "app-backend@8001.service", "active")]
    [InlineData("jellyfin-accept", "jellyfin.socket", "jellyfin-server.service", null)]
    [InlineData("localai", "localai.socket", "localai.service", "active")]
    public void Trios_as_people_write_them_pass_with_proxyd_in_them(string folder, string socket, string backend, string? warm)
    {
        InstallShape(folder);

        Verification verification = Verification.Of(Lab, socket);

        verification.ExpectPassed(warm);
        Assert.Equal(backend, verification.Backend);
    }

    // Goal: a protocol that is not HTTP; one in which the client speaks first, and one in which the server does.
    [Theory]
    [InlineData("/usr/bin/redis-server --bind 127.0.0.1 --port 18021 --save \"\" --appendonly no", "accepted, and open")]
    [InlineData("/usr/bin/python3 /srv/python/greeter.py 18021", "bytes: \"220 ready fo\"")]
    public void With_tcp_any_protocol_passes(string backend, string seen)
    {
        Lab.Write("/srv/python/greeter.py", Greeter);
        Trio trio = Install(UnitFiles.Resident("any", Address, BackendAddress, $"ExecStart={backend}"));

        Verification verification = Verification.Of(Lab, trio.Socket, "--tcp");

        verification.ExpectPassed();
        Assert.Equal(seen, verification.Seen("cold"));
    }

    // Goal: the backend runs afterwards if it ran before; otherwise it sleeps, and so does its proxy.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_units_are_left_as_they_were_found(bool isRunning)
    {
        Trio trio = Install(UnitFiles.Seed("left", Address, BackendAddress, Node));
        if (isRunning)
            MustServe(Address);

        Verification.Of(Lab, trio.Socket).ExpectPassed();

        string expected = isRunning ? "active (running)" : "inactive (dead)";
        Lab.WaitForState("left-backend.service", expected);
        Lab.WaitForState("left.service", expected);
        Lab.WaitForState(trio.Socket, isRunning ? "active (running)" : "active (listening)");
    }

    // Goal: a second run right after the first meets no start limit (five starts in ten seconds), and leaves none behind.
    [Fact]
    public void It_can_be_repeated_at_once()
    {
        Trio trio = Install(UnitFiles.Seed("twice", Address, BackendAddress, Node));
        for (int i = 0; i < 3; i++)
            Verification.Of(Lab, trio.Socket).ExpectPassed();
        MustServe(Address);
    }

    // Goal: live clients are not cut without --yes: nothing is stopped, and one line says so. With it, all is tried.
    [Theory]
    [InlineData(Address)]
    [InlineData("/run/busy-lab.sock")]
    public void A_backend_with_live_connections_is_stopped_only_with_yes(string address)
    {
        Trio trio = Install(UnitFiles.Resident("busy", address, BackendAddress, Node));
        MustServe(address);
        string pid = Lab.Property("busy-backend.service", "MainPID");
        using (Socket client = Lab.Connect(address))
        {
            CommandResult refused = Lab.Run(Lab.Proxyd, "verify", trio.Socket);

            Assert.Equal(2, refused.ExitCode);
            Assert.Equal(
                "proxyd: busy.socket: there is 1 live connection, which verify would cut when it stops busy-backend.service; expected none, or --yes\n",
                refused.Errors);
            Assert.Equal(pid, Lab.Property("busy-backend.service", "MainPID"));
            client.Ask("alive");
            Assert.Equal(200, client.Answer().Status);
        }
        using (Lab.Connect(address))
            Verification.Of(Lab, trio.Socket, "--yes").ExpectPassed();
        Assert.NotEqual(pid, Lab.Property("busy-backend.service", "MainPID"));
    }

    // Goal: who has come to the backend past its proxy is not cut either; the proxy's own connections are no reason to refuse.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_of_the_backend_itself_is_cut_only_with_yes(bool isResident)
    {
        Trio trio = Install(isResident ? UnitFiles.Resident("past", Address, BackendAddress, Node) : UnitFiles.Seed("past", Address, BackendAddress, Node));
        MustServe(Address);
        string pid = Lab.Property("past-backend.service", "MainPID");
        using (Socket client = Lab.Connect(BackendAddress))
        {
            CommandResult refused = Lab.Run(Lab.Proxyd, "verify", trio.Socket);

            Assert.Equal(
                "proxyd: past.socket: there is 1 live connection, which verify would cut when it stops past-backend.service; expected none, or --yes\n",
                refused.Errors);
            Assert.Equal(pid, Lab.Property("past-backend.service", "MainPID"));
            client.Ask("alive");
            Assert.Equal(200, client.Answer().Status);
        }
        Verification.Of(Lab, trio.Socket).ExpectPassed();
    }

    // Goal: whoever loses patience finds the units as they were: here nothing ran, and the backend had just been woken.
    [Fact]
    public void Interrupted_it_leaves_the_units_as_they_were_found()
    {
        Trio trio = Install(UnitFiles.Resident(
            "slow", Address, $"{BackendAddress} --wait-bind=infinity", "Environment=PORT=18021 LISTEN_MS=60000\nExecStart=/usr/bin/node /srv/late/late.cjs"));

        CommandResult result = Lab.Run("timeout", "--preserve-status", "2", Lab.Proxyd, "verify", trio.Socket);

        Assert.Equal((2, "proxyd: slow.socket: interrupted; the units are as they were found\n"), (result.ExitCode, result.Errors));
        Assert.Contains("Started slow-backend.service", trio.History, StringComparison.Ordinal);
        Lab.WaitForState("slow-backend.service", "inactive (dead)");
        Lab.WaitForState("slow.service", "inactive (dead)");
        Lab.WaitForState(trio.Socket, "active (listening)");
    }

    // Goal: units of a user, without root's rights.
    [Fact]
    public void With_user_the_users_own_units_are_tried()
    {
        UserManager manager = Keep(new UserManager(Lab, "vera"));
        manager.Start(UnitFiles.Resident("own", Address, BackendAddress, Node));

        CommandResult result = manager.Run(Lab.Proxyd, "verify", "own", "--user");

        Assert.True(result.ExitCode == 0, $"{result}\n{manager.History}");
        Assert.Equal("inactive", manager.Property("own-backend.service", "ActiveState"));
    }

    private void InstallShape(string folder)
    {
        TrioShape shape = TrioShape.All[folder];
        UnitFiles files = UnitFiles.OfTrio(shape.Folder);
        Install(shape.StandIn is null ? files : files.WithExecStart(shape.Backend, shape.StandIn), shape.Instance);
    }
}
