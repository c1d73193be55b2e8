namespace ProxyD.EndToEnd;

/// <summary><c>proxyd init</c> where something is there already: what it leaves alone, what it replaces, and what it refuses.</summary>
public sealed class InitAgainTests(Lab lab) : EndToEndTest(lab)
{
    private const string Python = "/usr/bin/python3 /srv/python/server.py";
    private const string Address = "127.0.0.1:8036";

    private static readonly string[] s_backend = ["--backend=127.0.0.1:18036", $"--exec={Python} 18036", "--idle-stop=1min"];

    // Goal: shown twice it changes nothing; run twice it does nothing the second time; another address is listened on, the old one no more.
    [Fact]
    public void A_second_run_does_only_what_is_new()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-g"));
        Assert.Contains("Nothing was written. With --install:", trio.Init([$"--public={Address}", .. s_backend]).Expect(), StringComparison.Ordinal);
        Assert.Empty(trio.Files());

        trio.Init([$"--public={Address}", .. s_backend, "--install"]).Expect();
        MustServe(Address, "first");
        string proxy = Lab.Property(trio.Proxy, "MainPID");
        string[] files = [.. trio.Files()];
        Assert.Contains("Nothing is to be done.", trio.Init([$"--public={Address}", .. s_backend]).Expect(), StringComparison.Ordinal);
        trio.Init([$"--public={Address}", .. s_backend, "--install"]).Expect();
        Assert.Equal(files, trio.Files());
        Assert.Equal(proxy, Lab.Property(trio.Proxy, "MainPID"));

        Install(UnitFiles.Resident("taken", "127.0.0.1:8038", "127.0.0.1:18037", "ExecStart=/bin/true"));
        Assert.Equal(2, trio.Init(["--public=127.0.0.1:8038", .. s_backend, "--install"]).ExitCode);
        MustServe(Address, "still");

        // The same port on every address: what listens there is its own.
        trio.Init(["--public=8036", .. s_backend, "--install"]).Expect();
        MustServe("127.0.0.2:8036", "everywhere");

        trio.Init(["--public=127.0.0.1:8037", .. s_backend, "--install"]).Expect();
        MustServe("127.0.0.1:8037", "moved");
        Assert.Throws<System.Net.Sockets.SocketException>(() => Lab.Get(Address));
        Assert.Equal(2, trio.Files().Count(file => file.StartsWith("/etc/systemd/system/init-g.socket.bak-", StringComparison.Ordinal)));

        string shown = trio.Init(["--public=127.0.0.1:8037", .. s_backend, "--wait-bind=7s", "--install"]).Expect();
        Assert.Contains("\n-ExecStart=", shown, StringComparison.Ordinal);
        Assert.Contains("systemctl try-restart init-g.service", shown, StringComparison.Ordinal);
        MustServe("127.0.0.1:8037", "restarted");
        Assert.Contains("--wait-bind=7s", Lab.Property(trio.Proxy, "ExecStart"), StringComparison.Ordinal);
    }

    // Goal: a backend that runs with its old command is not what the new proxy goes to.
    [Fact]
    public void Another_backend_address_is_served_at_once()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-g"));
        trio.Init([$"--public={Address}", "--backend=127.0.0.1:18036", $"--exec={Python} 18036", "--install"]).Expect();
        MustServe(Address, "first");

        string[] moved = [$"--public={Address}", "--backend=127.0.0.1:18039", $"--exec={Python} 18039"];
        Assert.Contains("init-g-backend.service runs; where its file changes it is stopped", trio.Init(moved).Expect(), StringComparison.Ordinal);
        Assert.Contains("Done: systemctl stop init-g-backend.service", trio.Init([.. moved, "--install"]).Expect(), StringComparison.Ordinal);
        MustServe(Address, "moved");
        Assert.DoesNotContain("systemctl stop", trio.Init(moved).Expect(), StringComparison.Ordinal);
    }

    // Goal: each is one line that names what is wrong, exit code 2, and no file and no user more than before.
    [Fact]
    public void What_could_not_work_is_refused_before_anything_is_written()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-h"));
        Refuses(trio, "there is no nonesuch.service", [$"--public={Address}", "--backend=127.0.0.1:18036", "--unit=nonesuch"]);
        Refuses(trio, "there is no /usr/bin/nonesuch", [$"--public={Address}", "--backend=127.0.0.1:18036", "--exec=/usr/bin/nonesuch"]);
        Refuses(trio, "would not work (PXD006): port 8036 is the public one", ["--public=8036", "--backend=127.0.0.1:18036", "--exec=/bin/sleep --port=8036"]);
        Refuses(trio, "would not work (PXD038): the backend is told port 9",
            [$"--public={Address}", "--backend=127.0.0.1:18036", "--exec=/bin/sleep --port=9"]);
        Refuses(trio, "there is no user nonesuch", [$"--public={Address}", .. s_backend, "--run-as=nonesuch"]);

        Lab.Systemctl("mask", "--runtime", "polkit.service");
        Refuses(trio, "polkit is not installed", [$"--public={Address}", .. s_backend]);
        Lab.Systemctl("unmask", "--runtime", "polkit.service");

        Install(UnitFiles.Resident("taken", Address, "127.0.0.1:18037", "ExecStart=/bin/true"));
        Refuses(trio, $"somebody listens on {Address} already", [$"--public={Address}", .. s_backend]);
        Refuses(trio, "somebody listens on 8036 already", ["--public=8036", .. s_backend]);
        Assert.NotEqual(0, Lab.Run("id", "init-h-proxy").ExitCode);
    }

    // Goal: a service that is no proxy is never replaced by one; to show what would be is allowed.
    [Fact]
    public void A_service_of_that_name_that_is_no_proxy_stays()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-i"));
        string unit = $"[Service]\nExecStart={Python} 18036\nRestart=always\n";
        Lab.Write("/etc/systemd/system/init-i.service", unit);
        Lab.Systemctl("daemon-reload");
        CommandResult refused = trio.Init([$"--public={Address}", .. s_backend, "--install"]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("init-i.service is there already, and runs /usr/bin/python3", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(unit, File.ReadAllText(Lab.PathOf("/etc/systemd/system/init-i.service")));
        Assert.Contains("\n-Restart=always\n", trio.Init([$"--public={Address}", .. s_backend]).Expect(), StringComparison.Ordinal);
    }

    // Goal: who may not write is told so in one line; nothing of it is left.
    [Fact]
    public void Without_the_right_to_write_nothing_is_written()
    {
        MadeTrio trio = Keep(new MadeTrio(Lab, "init-j"));
        Lab.AddUser("stranger");
        CommandResult refused = Lab.RunAs("stranger", [Lab.Proxyd, "init", "init-j", $"--public={Address}", .. s_backend, "--install"]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Equal("proxyd: /etc/systemd/system/init-j.socket can't be written: permission denied\n", refused.Errors);
        Assert.Empty(trio.Files());
    }

    private static void Refuses(MadeTrio trio, string expected, string[] arguments)
    {
        CommandResult refused = trio.Init([.. arguments, "--install"]);
        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith("proxyd: ", refused.Errors, StringComparison.Ordinal);
        Assert.Contains(expected, refused.Errors, StringComparison.Ordinal);
        Assert.Equal(1, refused.Errors.Count(c => c == '\n'));
        Assert.Empty(refused.Output);
        Assert.Empty(trio.Files());
    }
}
