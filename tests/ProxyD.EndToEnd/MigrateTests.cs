using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>Trios and plain services as people run them, handed to <c>proxyd migrate --apply</c> in a running system, and back.</summary>
public sealed class MigrateTests(Lab lab) : EndToEndTest(lab)
{
    public static TheoryData<string> Trios { get; } = [.. TrioShape.All.Keys];

    public static TheoryData<string> Shapes { get; } = [.. MigrateShape.All.Where(shape => shape.Socket.Length > 0).Select(shape => shape.Folder)];

    public static TheoryData<string> Residents { get; } = ["brainstorm", "netns", "template", "minecraft", "jellyfin-accept"];

    public static TheoryData<string> PlainServices { get; } = [.. MigrateShape.All.Where(shape => shape.Socket.Length == 0).Select(shape => shape.Folder)];

    // Goal: each of the trios in the folder Trios serves cold, warm, after a kill and in a crowd, is clean for check, and comes back byte for byte.
    [Theory]
    [MemberData(nameof(Trios))]
    public void A_trio_runs_in_its_minimal_form_and_comes_back(string folder) => MigrateTrio(MigrateShape.OfTrio(folder));

    // Goal: the same for ten shapes more: wrappers, inline scripts, hooks, commands, drop-ins, instances, Accept=yes, wrong types, Unix, two sockets.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Another_shape_runs_in_its_minimal_form_and_comes_back(string folder) => MigrateTrio(MigrateShape.All.Single(shape => shape.Folder == folder));

    // Goal: the recommended shape: unprivileged with its own rule, resident, and nothing tied; with a real polkitd.
    [Theory]
    [MemberData(nameof(Residents))]
    public void A_trio_runs_in_its_resident_form_and_comes_back(string folder)
    {
        Lab.RequireInside("/usr/lib/polkit-1/polkitd");
        MigrateTrio(MigrateShape.OfTrio(folder), "--resident");
    }

    // Goal: the daemon moves, its name becomes the proxy's, what starts at boot changes hands, and all of it comes back.
    [Theory]
    [MemberData(nameof(PlainServices))]
    public void A_plain_service_becomes_a_trio_and_comes_back(string folder)
    {
        MigrateShape shape = MigrateShape.All.Single(shape => shape.Folder == folder);
        MigrateWorld world = Keep(new MigrateWorld(Lab, shape));
        Lab.Systemctl("enable", "--now", shape.Service);
        Wait.Until(() => IsServed(shape.Address), $"{shape.Service} serves by itself");
        Snapshot before = world.Snapshot();

        string said = world.Migrate(["--apply", .. shape.Options]);
        Say(said);
        string socket = shape.Service.Replace(".service", ".socket", StringComparison.Ordinal);
        Assert.Equal("enabled", Lab.Property(socket, "UnitFileState"));
        Assert.NotEqual("enabled", Lab.Property(shape.Service, "UnitFileState"));
        MustPassTheMatrix(shape.Address, socket);
        MustBeClean(socket);

        world.Migrate("--rollback");
        Assert.Equal(before, world.Snapshot());
        Assert.Equal("enabled", Lab.Property(shape.Service, "UnitFileState"));
        Wait.Until(() => IsServed(shape.Address), $"{shape.Service} serves by itself again");
    }

    // Goal: a resident proxyd leaves its backend running when it ends; on the way back the moved daemon must not run on beside the one it was.
    [Fact]
    public void A_plain_service_becomes_a_resident_trio_and_comes_back()
    {
        Lab.RequireInside("/usr/lib/polkit-1/polkitd");
        MigrateShape shape = MigrateShape.All.Single(shape => shape.Folder == "plain-port");
        MigrateWorld world = Keep(new MigrateWorld(Lab, shape));
        Lab.Systemctl("enable", "--now", shape.Service);
        Wait.Until(() => IsServed(shape.Address), $"{shape.Service} serves by itself");
        // Who needs it stops with it, and is to run again: after both ways.
        Keep(new LabFile(
            Lab, "/etc/systemd/system/potter.service", "[Unit]\nRequires=kiln.service\nAfter=kiln.service\n[Service]\nExecStart=/bin/sleep 600\n"));
        Lab.Systemctl("daemon-reload");
        Lab.Systemctl("start", "potter.service");
        Snapshot before = world.Snapshot();

        Say(world.Migrate("--resident", "--apply"));
        string afterApply = Lab.Property("potter.service", "ActiveState");
        MustServe(shape.Address, "");
        Assert.Equal("active", Lab.Property("kiln-backend.service", "ActiveState"));

        world.Migrate("--rollback");
        Assert.Equal(("active", "active"), (afterApply, Lab.Property("potter.service", "ActiveState")));
        Lab.Systemctl("stop", "potter.service");

        Assert.Equal(before, world.Snapshot());
        Assert.Equal(("inactive", "not-found"), (Lab.Property("kiln-backend.service", "ActiveState"), Lab.Property("kiln-backend.service", "LoadState")));
        Assert.Equal("enabled", Lab.Property(shape.Service, "UnitFileState"));
        Wait.Until(() => IsServed(shape.Address), $"{shape.Service} serves by itself again");
    }

    // Goal: when the new socket can't listen, everything is as it was, and serves; nothing is enabled that was not.
    [Fact]
    public void A_migration_that_fails_leaves_everything_as_it_was()
    {
        MigrateShape shape = MigrateShape.All.Single(shape => shape.Folder == "plain-port");
        MigrateWorld world = Keep(new MigrateWorld(Lab, shape));
        Lab.Run("systemd-run", "--unit=occupier", "/usr/bin/python3", "/srv/python/server.py", "8399").Expect();
        Lab.Systemctl("enable", "--now", shape.Service);
        Wait.Until(() => IsServed(shape.Address) && IsServed("127.0.0.1:8399"), "both serve");
        Snapshot before = world.Snapshot();

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", shape.Service, "--apply", "--public=127.0.0.1:8399");
        Lab.Systemctl("stop", "occupier");

        Assert.Equal(2, result.ExitCode);
        Assert.EndsWith("everything is as it was\n", result.Errors, StringComparison.Ordinal);
        Assert.Equal(before, world.Snapshot());
        Assert.Equal("enabled", Lab.Property(shape.Service, "UnitFileState"));
        Wait.Until(() => IsServed(shape.Address), "it serves again");
    }

    // Goal: a file that somebody has edited since --apply is not lost to --rollback.
    [Fact]
    public void What_was_edited_since_is_not_rolled_back_over()
    {
        MigrateWorld world = Keep(new MigrateWorld(Lab, MigrateShape.OfTrio("brainstorm")));
        world.Migrate("--apply");
        Lab.Run("sed", "-i", "s/--wait-bind=5s/--wait-bind=7s/", "/etc/systemd/system/brainstorm.service").Expect();
        Snapshot edited = world.Snapshot();

        CommandResult result = Lab.Run(Lab.Proxyd, "migrate", "brainstorm.socket", "--rollback");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("brainstorm.service was changed since", result.Errors, StringComparison.Ordinal);
        Assert.Equal(edited, world.Snapshot());
    }

    // Goal: by a unit's name too, it is seen that another trio, which nobody asked for, relies on the backend's guard.
    [Fact]
    public void A_guard_that_another_trio_waits_for_stays()
    {
        const string Folder = "/etc/systemd/system";
        foreach ((string name, int port) in (ReadOnlySpan<(string, int)>)[("guard-a", 8047), ("guard-b", 8048)])
        {
            Keep(new LabFile(Lab, $"{Folder}/{name}.socket", $"[Socket]\nListenStream=127.0.0.1:{port}\n"));
            Keep(new LabFile(
                Lab, $"{Folder}/{name}.service",
                "[Unit]\nRequires=guard-app.service\nAfter=guard-app.service\n[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:18047\n"));
        }
        const string Guard = "ExecStartPost=/bin/sh -c 'until ss -ltn | grep -q 127.0.0.1:18047; do sleep 0.1; done'";
        Keep(new LabFile(Lab, $"{Folder}/guard-app.service", $"[Service]\nExecStart=/usr/bin/python3 /srv/python/server.py 18047\n{Guard}\n"));
        Lab.Systemctl("daemon-reload");
        Lab.Systemctl("start", "guard-b.socket");

        string said = Lab.Run(Lab.Proxyd, "migrate", "guard-a.socket").Expect();
        Lab.Systemctl("stop", "guard-b.socket");

        Assert.Contains("ExecStartPost= of guard-app.service stays: guard-b.service waits for it, too\n", said, StringComparison.Ordinal);
        Assert.DoesNotContain($"-{Guard}", said, StringComparison.Ordinal);
        Assert.Contains("proxyd 127.0.0.1:18047 --wait-bind=90s", said, StringComparison.Ordinal);
    }

    private void MigrateTrio(MigrateShape shape, params string[] options)
    {
        MigrateWorld world = Keep(new MigrateWorld(Lab, shape));
        Lab.Systemctl("start", shape.Socket);
        Snapshot before = world.Snapshot();

        Say(world.Migrate(options));
        Assert.Equal(before, world.Snapshot());
        Say(world.Migrate(["--apply", .. options]));
        MustPassTheMatrix(shape.Address, shape.Socket);
        MustBeClean(shape.Socket);

        world.Migrate("--rollback");
        Assert.Equal(before, world.Snapshot());
        // PartOf= or BindsTo= of the old form may bring its proxy up with it: then the port is the proxy's.
        Assert.Equal("active", Lab.Property(shape.Socket, "ActiveState"));
    }

    /// <summary>Cold, warm, killed and again, ten at once while cold; and the port still listens.</summary>
    private void MustPassTheMatrix(string address, string socket)
    {
        CommandResult verify = Lab.Run(Lab.Proxyd, "verify", socket, "--yes");
        Say(verify.Output);
        Assert.True(verify.ExitCode == 0, verify.ToString());
        MustServe(address, "");
    }

    /// <summary>check finds no error in the trio; what it warns of may have been there before.</summary>
    private void MustBeClean(string socket)
    {
        CommandResult check = Lab.Run(Lab.Proxyd, "check", "--json", socket);
        Assert.True(check.ExitCode is 0 or 1, check.ToString());
        Assert.DoesNotContain("\"severity\": \"error\"", check.Output, StringComparison.Ordinal);
        Assert.Contains("\"findings\"", check.Output, StringComparison.Ordinal);
    }

    private bool IsServed(string address)
    {
        try
        {
            return Lab.Get(address).Status == 200;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            return false;
        }
    }
}
