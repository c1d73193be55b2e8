using System.Text.Json;

namespace ProxyD.EndToEnd;

/// <summary><c>proxyd init --install</c>: from nothing to a service that wakes for its first client, without another command.</summary>
public sealed class InitTests(Lab lab) : EndToEndTest(lab)
{
    private const string SecurityGoal = "15";
    private const string Python = "/usr/bin/python3 /srv/python/server.py";

    // Goal: resident or plain, TCP or Unix: cold, asleep after its idle time, cold again; unprivileged, and content with all checks.
    [Theory]
    [InlineData("init-a", "127.0.0.1:8031", "127.0.0.1:18031", false)]
    [InlineData("init-b", "/run/init-b/public.sock", "/run/init-b-backend/own.sock", false)]
    [InlineData("init-c", "127.0.0.1:8032", "127.0.0.1:18032", true)]
    [InlineData("init-d", "/run/init-d/public.sock", "/run/init-d-backend/own.sock", true)]
    public void From_nothing_it_serves_sleeps_and_serves_again(string name, string listen, string backend, bool isPlain)
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, name));
        string[] plain = isPlain ? ["--plain"] : [];
        trio.Init(["--public", listen, "--backend", backend, "--exec", Serve(backend), "--idle-stop=300ms", "--install", .. plain]).Expect();

        for (int i = 0; i < 3; i++)
        {
            MustServe(listen, $"cold-{i}");
            trio.WaitForState(trio.Backend, "inactive (dead)");
        }

        CommandResult verify = Lab.Run(Lab.Proxyd, "verify", trio.Socket, "--yes");
        Assert.True(verify.ExitCode == 0, verify.ToString());
        Assert.Equal("active (listening)", trio.StateOf(trio.Socket).Replace("running", "listening", StringComparison.Ordinal));
        MustServe(listen, "once-more");
        Assert.NotEqual("0", Lab.Run("stat", "-c", "%u", $"/proc/{Lab.Property(trio.Proxy, "MainPID")}").Expect().Trim());
        Assert.Equal("enabled", Lab.Property(trio.Socket, "UnitFileState"));
        Assert.Equal("static", Lab.Property(trio.Backend, "UnitFileState"));
        Assert.Equal("", Lab.Run("systemd-analyze", "verify", trio.Socket, trio.Proxy, trio.Backend).Expect().Trim());
        string findings = Lab.Run(Lab.Proxyd, "check", trio.Socket).Expect();
        Assert.DoesNotContain("PXD", findings, StringComparison.Ordinal);
        CommandResult security = Lab.Run("systemd-analyze", "security", $"--threshold={SecurityGoal}", trio.Proxy);
        Assert.True(security.ExitCode == 0, $"exposure above {SecurityGoal} tenths:\n{security.Output}");
    }

    // Goal: the same as a user's own units, which nobody but the user has to allow.
    [Theory]
    [InlineData("127.0.0.1:8033", "127.0.0.1:18033", false)]
    [InlineData("RUNTIME/init-u/public.sock", "RUNTIME/init-u-backend/own.sock", false)]
    [InlineData("127.0.0.1:8033", "127.0.0.1:18033", true)]
    public void A_user_has_it_without_asking_anybody(string listen, string backend, bool isPlain)
    {
        UserManager manager = Keep(new UserManager(Lab, "homer"));
        listen = listen.Replace("RUNTIME", manager.RuntimeFolder, StringComparison.Ordinal);
        backend = backend.Replace("RUNTIME", manager.RuntimeFolder, StringComparison.Ordinal);
        using MadeTrio trio = new(Lab, "init-u", manager);
        string[] plain = isPlain ? ["--plain"] : [];
        trio.Init(["--public", listen, "--backend", backend, "--exec", Serve(backend), "--idle-stop=300ms", "--install", .. plain]).Expect();

        for (int i = 0; i < 2; i++)
        {
            MustServe(listen, $"cold-{i}");
            trio.WaitForState(trio.Backend, "inactive (dead)");
        }
        string[] units = [trio.Socket, trio.Proxy, trio.Backend];
        Assert.Equal("", manager.Run(["env", $"HOME={manager.Home}", "systemd-analyze", "--user", "verify", .. units]).Expect().Trim());
        string findings = manager.Run(["env", $"HOME={manager.Home}", Lab.Proxyd, "check", "--user", trio.Socket]).Expect();
        Assert.DoesNotContain("PXD", findings, StringComparison.Ordinal);
    }

    // Goal: a daemon that restarts itself and starts at boot becomes one that is asleep until somebody comes.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_unit_that_is_there_is_woken_and_sleeps_from_then_on(bool isPlain)
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-e"));
        const string Daemon = "init-e-daemon.service";
        Lab.Write($"/etc/systemd/system/{Daemon}", $"[Service]\nExecStart={Python} 18034\nRestart=always\nRestartSec=50ms\n[Install]\nWantedBy=lab.target\n");
        Lab.Systemctl("daemon-reload");
        Lab.Systemctl("enable", "--now", Daemon);
        string[] plain = isPlain ? ["--plain"] : [];

        trio.Init([.. "--public 127.0.0.1:8034 --backend 127.0.0.1:18034 --idle-stop=300ms --install --unit".Split(' '), Daemon, .. plain]).Expect();

        Assert.Equal("disabled", Lab.Property(Daemon, "UnitFileState"));
        Assert.Equal("no", Lab.Property(Daemon, "Restart"));
        for (int i = 0; i < 3; i++)
        {
            MustServe("127.0.0.1:8034", $"cold-{i}");
            Lab.WaitForState(Daemon, "inactive (dead)");
        }
        Assert.Equal("", Lab.Run("systemd-analyze", "verify", trio.Proxy, Daemon).Expect().Trim());
        Assert.DoesNotContain("PXD", Lab.Run(Lab.Proxyd, "check", trio.Socket).Expect(), StringComparison.Ordinal);

        // The [Install] that it keeps is no finding until somebody enables it again.
        Lab.Systemctl("enable", Daemon);
        CommandResult enabled = Lab.Run(Lab.Proxyd, "check", trio.Socket);
        Lab.Systemctl("disable", Daemon);
        Assert.Equal(1, enabled.ExitCode);
        Assert.Contains("PXD010", enabled.Output, StringComparison.Ordinal);
    }

    // Goal: a backend of another user keeps its group and what it may read by that, and the proxy reaches its socket; under a NAME that no user may have.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backend_of_another_user_keeps_its_group(bool isPlain)
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-k:1"));
        const string User = "keeper", Group = "keepers", Socket = "/run/init-k-backend/own.sock";
        Lab.Run("groupadd", "--force", "--system", Group).Expect();
        if (Lab.Run("id", User).ExitCode != 0)
            Lab.Run("useradd", "--system", "--gid", Group, User).Expect();
        Lab.Write("/srv/init-k/data", "kept\n");
        Lab.Run("chown", $"root:{Group}", "/srv/init-k/data").Expect();
        Lab.Run("chmod", "0640", "/srv/init-k/data").Expect();
        string command = $"/bin/sh -c 'grep -q kept /srv/init-k/data && exec {Python} {Socket}'";
        string[] plain = isPlain ? ["--plain"] : [];

        trio.Init(["--public=127.0.0.1:8039", $"--backend={Socket}", "--exec", command, $"--run-as={User}", "--idle-stop=1s", "--install", .. plain]).Expect();

        for (int i = 0; i < 2; i++)
        {
            MustServe("127.0.0.1:8039", $"cold-{i}");
            trio.WaitForState(trio.Backend, "inactive (dead)");
        }
        MustServe("127.0.0.1:8039", "once-more");
        Assert.Equal($"{User}:{Group}", Lab.Run("stat", "-c", "%U:%G", Socket).Expect().Trim());
        string proxy = Lab.Property(trio.Proxy, "User");
        Assert.Matches("^init-k-1-[0-9a-f]{6}-proxy$", proxy);
        Assert.Contains(":proxyd for init-k-1:", Lab.Run("getent", "passwd", proxy).Expect(), StringComparison.Ordinal);
        Assert.DoesNotContain("PXD", Lab.Run(Lab.Proxyd, "check", trio.Socket).Expect(), StringComparison.Ordinal);
    }

    // Goal: whatever stands in the command and its environment reaches the program as it is.
    [Fact]
    public void Every_word_of_the_command_arrives_as_it_was_given()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-f"));
        Lab.Write("/srv/in it$f/args.py", """
            import json, os, sys
            json.dump([sys.argv[2:], os.environ["A"], os.environ["B"]], open("/tmp/init-f.json", "w"))
            os.execv("/usr/bin/python3", ["python3", "/srv/python/server.py", sys.argv[1]])

            """);
        const string Command = "A=100% B='$HOME \"%n\"' /usr/bin/python3 '/srv/in it$f/args.py' 18035"
            + " 100% %n $HOME ${HOME} $$ ';' ';x' 'a b' '' '\"' \"'\" '\\' '\\n' '\t' 'é' '#' '-' @x";
        trio.Init("--public=127.0.0.1:8035", "--backend=127.0.0.1:18035", "--install", "--exec", Command).Expect();

        MustServe("127.0.0.1:8035");

        string[] words = ["100%", "%n", "$HOME", "${HOME}", "$$", ";", ";x", "a b", "", "\"", "'", "\\", "\\n", "\t", "é", "#", "-", "@x"];
        JsonElement seen = JsonDocument.Parse(File.ReadAllText(Lab.PathOf("/tmp/init-f.json"))).RootElement;
        Assert.Equal(words, seen[0].EnumerateArray().Select(word => word.GetString()!));
        Assert.Equal(["100%", "$HOME \"%n\""], [seen[1].GetString()!, seen[2].GetString()!]);
    }

    private static string Serve(string backend) =>
        $"{Python} {(backend.StartsWith('/') ? backend : backend.Split(':')[1])}";
}
