namespace ProxyD.EndToEnd;

/// <summary>What migrate leaves alone in a running systemd, and says why.</summary>
public sealed class MigrateRefusedTests(Lab lab) : EndToEndTest(lab)
{
    // Goal: nothing is written before --apply, and nothing of what is not understood; one line says what that is.
    [Fact]
    public void What_is_not_understood_is_left_alone()
    {
        MigrateWorld world = Keep(new MigrateWorld(Lab, MigrateShape.All.Single(shape => shape.Folder == "wrapper")));
        Lab.Run("sed", "-i", "s/^set -eu$/set -eu; mkdir -p \\/run\\/atlas/", "/usr/local/libexec/atlas-door").Expect();
        Snapshot before = world.Snapshot();

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", "atlas.socket", "--apply");

        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"^atlas\.socket: left alone\. .*atlas\.service:8: besides the proxy, it runs mkdir; .*\n$", result.Output);
        Assert.Equal(before, world.Snapshot());
    }

    // Goal: systemctl disable would remove the link, and no --rollback could enable the unit again; it serves on, and one line says what to do.
    [Fact]
    public void A_unit_that_is_only_linked_is_left_alone()
    {
        const string File = "/srv/linked/linked.service";
        Keep(new LabFile(
            Lab, File,
            "[Service]\nExecStart=/usr/bin/python3 /srv/python/server.py 8049\nRestart=always\n[Install]\nWantedBy=lab.target\n"));
        Lab.Systemctl("enable", "--now", File);
        Wait.Until(() => Lab.Run("ss", "-ltn").Output.Contains(":8049 ", StringComparison.Ordinal), "it listens");

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", "linked.service", "--apply");
        string state = Lab.Property("linked.service", "ActiveState");
        Lab.Systemctl("disable", "--now", "linked.service");

        Assert.Equal((1, "active"), (result.ExitCode, state));
        Assert.Contains($"linked.service is a link to {File}, and disabling the unit would take it away", result.Output, StringComparison.Ordinal);
    }

    // Goal: a port that a running unit is told, but doesn't listen on, is one it goes to; --apply would have taken its server away from it.
    [Fact]
    public void A_client_that_runs_is_left_alone()
    {
        const string Client = "import socket, time\nc = socket.create_connection(('127.0.0.1', 8051))\ntime.sleep(600)\n";
        Keep(new LabFile(Lab, "/srv/client.py", Client));
        Keep(new LabFile(
            Lab, "/etc/systemd/system/asks.service",
            "[Service]\nExecStart=/usr/bin/python3 /srv/client.py --port 8051\nRestart=always\n[Install]\nWantedBy=lab.target\n"));
        Lab.Run("systemd-run", "--unit=asked", "/usr/bin/python3", "/srv/python/server.py", "8051").Expect();
        Lab.Systemctl("daemon-reload");
        Lab.Systemctl("start", "asks.service");
        Wait.Until(() => Lab.Property("asks.service", "SubState") == "running", "it runs");

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", "asks.service", "--apply");
        string state = Lab.Property("asks.service", "ActiveState");
        Lab.Systemctl("stop", "asks.service", "asked.service");

        Assert.Equal((1, "active"), (result.ExitCode, state));
        Assert.Contains("asks.service says --port 8051, but it runs and listens on nothing yet; ", result.Output, StringComparison.Ordinal);
    }

    // Goal: what check would call an error afterwards is not written in the first place.
    [Fact]
    public void A_daemon_that_would_keep_the_public_port_is_left_alone()
    {
        const string Folder = "/srv/two-lists";
        Keep(new LabFile(
            Lab, $"{Folder}/lists.service",
            "[Service]\nEnvironment=ASPNETCORE_URLS=http://+:8052\nExecStart=/srv/app --urls \"http://0.0.0.0:8052;http://0.0.0.0:8053\"\nRestart=always\n"));

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", Folder, "--apply");

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("lists.service: left alone. lists-backend.service would have an error then, PXD006: ", result.Output, StringComparison.Ordinal);
        Assert.Equal("lists.service", Lab.Run("ls", Folder).Expect().Trim());
    }
}
