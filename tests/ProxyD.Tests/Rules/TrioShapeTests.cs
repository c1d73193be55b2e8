namespace ProxyD.Tests.Rules;

/// <summary>Trios as people run them: every trap that is in them, and nothing else.</summary>
public sealed class TrioShapeTests
{
    private const string Guarded = """
        --- notes.service
        [Unit]
        Description=Notes (proxy)
        Requires=notes.socket notes-app.service
        BindsTo=notes-app.service
        After=notes.socket notes-app.service
        [Service]
        ExecStartPre=/bin/bash -c 'for n in {1..40}; do ss -ltn | grep -q ":19090 " && exit 0; sleep 0.1; done; exit 1'
        ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:19090
        --- notes-app.service
        [Service]
        Environment=PORT=19090
        ExecStart=/usr/bin/node /srv/notes/main.js
        Restart=no
        """;

    [Fact]
    public void A_guard_before_a_proxy_that_is_bound_to_its_backend() =>
        // Goal: the guard, and the start limit that six cold starts reach.
        Assert.Equal(
            ["PXD009 notes.service:4", "PXD003 notes.service:7"],
            Known(Guarded + "\n--- notes.socket\n[Socket]\nListenStream=127.0.0.1:9090\n[Install]\nWantedBy=sockets.target\n"));

    [Fact]
    public void The_same_with_a_socket_that_stops_with_it() =>
        // Goal: the dead port on top of it.
        Assert.Equal(
            ["PXD009 notes.service:4", "PXD003 notes.service:7", "PXD001 notes.socket:2"],
            Known(Guarded + "\n--- notes.socket\n[Unit]\nPartOf=notes.service\n[Socket]\nListenStream=127.0.0.1:9090\n"));

    [Fact]
    public void A_hook_that_starts_a_game_server_and_waits_for_it() =>
        // Goal: the wait is found in the hook, whose failure fails the proxy's start; the backend that a command starts is recognised.
        Assert.Equal(["PXD009 game-proxy.service:2", "PXD003 game-wake.service:7"], Known("""
            --- game.socket
            [Socket]
            ListenStream=25665
            Service=game-proxy.service
            --- game-proxy.service
            [Unit]
            Requires=game-wake.service game.socket
            After=game-wake.service game.socket
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:25675
            --- game-wake.service
            [Unit]
            Wants=game-sleep.timer
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/bin/systemctl start game.service
            ExecStartPost=/bin/sh -c 'for n in $(seq 45); do nc -z 127.0.0.1 25675 && exit 0; sleep 1; done; exit 1'
            --- game.service
            [Service]
            ExecStart=/usr/bin/java -jar game.jar nogui
            User=game
            """));

    [Fact]
    public void An_idle_proxy_without_any_guard() =>
        // Goal: PartOf= on the socket, and nothing that waits.
        Assert.Equal(["PXD002 llm-proxy.service:6", "PXD001 llm-proxy.socket:2"], Known("""
            --- llm-proxy.socket
            [Unit]
            PartOf=llm-proxy.service
            [Socket]
            ListenStream=127.0.0.1:12434
            NoDelay=true
            --- llm-proxy.service
            [Unit]
            Requires=llm.service llm-proxy.socket
            After=llm.service llm-proxy.socket
            [Service]
            Type=notify
            ExecStart=/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=300 127.0.0.1:12435
            PrivateTmp=yes
            User=nobody
            --- llm.service
            [Unit]
            StopWhenUnneeded=yes
            [Service]
            Environment=LLM_HOST=127.0.0.1:12435
            ExecStart=/usr/local/bin/llm serve
            User=llm
            """));

    [Fact]
    public void A_loop_behind_the_backends_start() =>
        // Goal: the loop in ExecStartPost=, and that a backend which fails there fails the proxy's start (tried: the socket fails).
        Assert.Equal(["PXD009 ai-proxy.service:2", "PXD003 ai.service:6"], Known("""
            --- ai.socket
            [Socket]
            ListenStream=9080
            Service=ai-proxy.service
            --- ai-proxy.service
            [Unit]
            Requires=ai.service
            After=ai.service
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd --exit-idle-time 10m 127.0.0.1:19081
            --- ai.service
            [Unit]
            StopWhenUnneeded=true
            [Service]
            Type=exec
            ExecStart=/usr/bin/ai run --address 127.0.0.1:19081
            ExecStartPost=/bin/sh -c 'until ss -tln | grep -q 127.0.0.1:19081; do sleep 0.2; done'
            TimeoutStartSec=120
            """));

    [Fact]
    public void An_accepting_socket_with_a_template() =>
        // Goal: the connected socket that socket-proxyd refuses, and a loop that asks for a path.
        Assert.Equal(["PXD014 films.socket:3", "PXD003 films@.service:5"], Known("""
            --- films.socket
            [Socket]
            ListenStream=8196
            Accept=true
            --- films@.service
            [Unit]
            Requires=films-server.service
            After=films-server.service
            [Service]
            ExecStartPre=/bin/sh -c 'for n in $(seq 500); do [ -S /run/films/web.sock ] && exit 0; sleep 0.1; done; exit 1'
            ExecStart=/lib/systemd/systemd-socket-proxyd /run/films/web.sock
            --- films-server.service
            [Unit]
            StopWhenUnneeded=yes
            [Service]
            RuntimeDirectory=films
            Environment=FILMS_socket=true FILMS_socketPath=/run/films/web.sock
            ExecStart=/usr/bin/films
            """));

    [Fact]
    public void A_backend_in_a_network_of_its_own() =>
        // Goal: the same port on both sides of a namespace is right, and so is a high limit; only the wait is missing.
        Assert.Equal(["PXD002 torrent-proxy.service:6"], Known("""
            --- torrent-proxy.socket
            [Socket]
            ListenStream=0.0.0.0:9190
            --- torrent-proxy.service
            [Unit]
            Requires=torrent.service torrent-proxy.socket
            After=torrent.service torrent-proxy.socket
            JoinsNamespaceOf=torrent.service
            [Service]
            ExecStart=/usr/lib/systemd/systemd-socket-proxyd --connections-max=4096 --exit-idle-time=5min 127.0.0.1:9190
            LimitNOFILE=65536
            PrivateNetwork=yes
            DynamicUser=yes
            RestrictAddressFamilies=AF_INET AF_INET6
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged @resources
            --- torrent.service
            [Unit]
            StopWhenUnneeded=yes
            [Service]
            PrivateNetwork=yes
            ExecStart=/usr/bin/torrent --webui-port=9190
            """));

    [Fact]
    public void Templates_that_name_each_other() =>
        // Goal: backend@%i is found as the proxy's backend, of the template and of an instance.
        Assert.Equal(["PXD002 page@.service:5"], Known("""
            --- page@.socket
            [Socket]
            ListenStream=/run/page/%i.sock
            SocketMode=0660
            --- page@.service
            [Unit]
            Requires=page-files@%i.service
            After=page-files@%i.service
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd --exit-idle-time=10min 127.0.0.1:%i
            DynamicUser=yes
            --- page-files@.service
            [Unit]
            StopWhenUnneeded=yes
            [Service]
            ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 %i
            """));

    [Theory]
    [InlineData("Requires=containers.service", "", "PXD010 containers.service:8")]
    [InlineData("", "--backend-unit=containers", "PXD010 containers.service:8")]
    [InlineData("Requires=containers.service # app", "", "")]
    public void Containers_that_a_oneshot_starts(string tie, string option, string expected) =>
        // Goal: docker compose up -d is the backend, by dependency and by --backend-unit, and docker is not; a hook before the daemon itself stays a hook.
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries), Fixture.Findings("PXD010", $"""
            --- web.socket
            [Socket]
            ListenStream=80
            --- web.service
            [Unit]
            {tie.Split(" #")[0]}
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080 {option}
            --- containers.service
            [Unit]
            Requires=docker.service {(tie.EndsWith("# app", StringComparison.Ordinal) ? "app.service" : "")}
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/bin/docker compose up -d
            [Install]
            WantedBy=multi-user.target
            --- docker.service
            [Service]
            ExecStart=/usr/bin/dockerd
            [Install]
            WantedBy=multi-user.target
            --- app.service
            [Service]
            ExecStart=/usr/bin/app --port 8080
            """).Select(line => "PXD010 " + line));

    [Fact]
    public void What_proxyd_starts_is_never_a_hook() =>
        // Goal: a oneshot that --backend-unit names is the backend, whatever it runs: PXD011 is about it.
        Assert.Equal(["wake.service:2"], Fixture.Findings("PXD011", """
            --- web.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080 --backend-unit=wake
            --- wake.service
            [Unit]
            StopWhenUnneeded=yes
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/opt/app/start
            """));

    [Theory]
    [InlineData("[Socket]\nListenStream=%i\nListenStream=80", "ExecStart=/usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("[Socket]\nListenStream=80", "SystemCallFilter=%i\nExecStart=/usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("[Socket]\nListenStream=80", "ExecStartPre=/bin/sh -c 'systemctl start \"\"'\nExecStart=/usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("[Socket]\nListenStream=8081", "ExecStart=/usr/bin/proxyd \"\" 127.0.0.1:8080\nExecStartPre=\"\"")]
    public void Odd_values_are_no_reason_to_fail(string socket, string service) =>
        // Goal: specifiers and quotes that leave nothing are read as nothing.
        Assert.Empty(Fixture.Findings($"--- web.socket\n{socket}\n--- web.service\n[Service]\nDynamicUser=yes\n{service}\n"));

    [Fact]
    public void A_plain_service_that_restarts_for_ever() =>
        // Goal: no proxy yet: a note that it could sleep.
        Assert.Equal(["PXD005 notes.service:4"], Known("""
            --- notes.service
            [Service]
            Environment=PORT=9090
            ExecStart=/usr/bin/node /srv/notes/main.js
            Restart=always
            [Install]
            WantedBy=multi-user.target
            """));

    [Theory]
    [InlineData("trio")]
    [InlineData("resident")]
    public void Our_own_examples_are_clean(string folder)
    {
        // Goal: what we hand out keeps our own rules.
        string path = Path.Combine(ProxyD.Testing.Repository.Root, "deploy", folder);
        IEnumerable<string> units = Directory.GetFiles(path).Where(file => !file.EndsWith(".conf", StringComparison.Ordinal))
            .Select(file => $"--- {Path.GetFileName(file)}\n{File.ReadAllText(file)}");
        string polkit = File.ReadAllText(Path.Combine(path, "../polkit/50-proxyd.rules"))
            .Replace("@USER@", "example-proxy", StringComparison.Ordinal).Replace("@UNIT@", "example-backend.service", StringComparison.Ordinal);
        Assert.Empty(Fixture.Findings(string.Join('\n', units) + "\n--- 50-proxyd.rules\n" + polkit));
    }

    /// <summary>What is found by the rules up to PXD016; the later ones have tests of their own.</summary>
    private static string[] Known(string text) =>
        [.. Fixture.Findings(text).Where(finding => string.CompareOrdinal(finding, "PXD017") < 0)];
}
