using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tests.Rules;

/// <summary>PXD001 to PXD004: the socket's ties, and what waits for the backend.</summary>
public sealed class GuardRuleTests
{
    [Theory]
    [InlineData("PartOf=web.service", true), InlineData("BindsTo=web.service", true)]
    [InlineData("Requires=a.service web.service", true), InlineData("Requisite=web.service", true), InlineData("StopPropagatedFrom=web.service", true)]
    [InlineData("PartOf=other.service", false), InlineData("After=network.target", false), InlineData("#PartOf=web.service", false)]
    public void A_socket_that_stops_with_its_service_is_found(string line, bool isFound) =>
        // Goal: PXD001 for each tie, in a list as well; a tie to another unit is none of ours.
        Assert.Equal(isFound ? ["web.socket:2"] : [], Fixture.Findings("PXD001", Tied(line)));

    [Theory]
    [InlineData("BindsTo=app.service", "", "", "web.socket:2")]
    [InlineData("PartOf=app.service", "", "", "web.socket:2")]
    [InlineData("StopPropagatedFrom=app.service", "", "", "web.socket:2")]
    [InlineData("Requires=web-wake.service", "", "", "web.socket:2")]
    [InlineData("", "PropagatesStopTo=web.socket", "", "web.service:2")]
    [InlineData("", "", "PropagatesStopTo=web.socket", "app.service:2")]
    [InlineData("PartOf=namespace.service", "", "", null)]
    [InlineData("PartOf=shop.target", "", "", null)]
    [InlineData("After=app.service", "PropagatesStopTo=other.socket", "PropagatesReloadTo=web.socket", null)]
    public void A_socket_that_stops_with_its_backend_is_found(string inSocket, string inProxy, string inBackend, string? found) =>
        // Goal: PXD001 for backend and hook, from either side; a oneshot that starts no backend and other units are none of the trio's.
        Assert.Equal(found is null ? [] : [found], Fixture.Findings("PXD001", $"""
            --- web.socket
            [Unit]
            {inSocket}
            [Socket]
            ListenStream=80
            --- web.service
            [Unit]
            {inProxy}
            Requires=web-wake.service namespace.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080
            --- web-wake.service
            [Service]
            Type=oneshot
            ExecStart=/usr/bin/systemctl start app.service
            --- namespace.service
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/sbin/ip netns add web
            --- app.service
            [Unit]
            {inBackend}
            [Service]
            ExecStart=/usr/bin/app --port 8080
            """));

    [Theory]
    [InlineData("app.service", true), InlineData("database.service", false)]
    public void A_tie_to_what_the_proxy_merely_needs_is_left_alone(string unit, bool isFound) =>
        // Goal: PXD001 where several units could be the backend, only for the one that plainly listens there.
        Assert.Equal(isFound ? ["web.socket:2"] : [], Fixture.Findings("PXD001", $"""
            --- web.socket
            [Unit]
            BindsTo={unit}
            [Socket]
            ListenStream=80
            --- web.service
            [Unit]
            Requires=app.service database.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080
            --- app.service
            [Service]
            ExecStart=/usr/bin/app --port 8080
            --- database.service
            [Service]
            ExecStart=/usr/bin/database
            """));

    [Theory]
    [InlineData("web.socket.requires/web.service", "PXD001 web.socket.requires/web.service:1")]
    [InlineData("web.service.wants/web-backend.service", "PXD005 web-backend.service:2")]
    [InlineData("web.service.requires/web-backend.service", "PXD005 web-backend.service:2")]
    [InlineData("web.service.upholds/web-backend.service", "PXD005 web-backend.service:2")]
    [InlineData("web.socket.wants/web.service", null)]
    [InlineData("other.socket.requires/web.service", null)]
    public void A_link_in_a_folder_is_a_dependency(string path, string? found)
    {
        // Goal: what systemctl enable and add-requires make of RequiredBy= and WantedBy= ties units as a line does.
        UnitSet units = Fixture.Read(Tied("") + "\n--- web-backend.service\n[Service]\nRestart=always\nExecStart=/usr/bin/web\n").Units;
        UnitSet linked = UnitSet.FromFiles([.. units.Units.SelectMany(unit => unit.Sources), DependencyFolder.Read(path)]);
        IEnumerable<Finding> findings = RuleTable.Run(new(linked, _ => null, _ => true)).Where(finding => finding.RuleId is "PXD001" or "PXD005");
        Assert.Equal(found is null ? [] : [found], findings.Select(finding => $"{finding.RuleId} {finding.Path}:{finding.Line}"));
    }

    [Theory]
    [InlineData("RequiredBy=web.socket", true)]
    [InlineData("RequiredBy=multi-user.target web.socket", true)]
    [InlineData("WantedBy=web.socket", false)]
    [InlineData("RequiredBy=multi-user.target", false)]
    public void A_tie_that_enabling_would_make_is_found(string line, bool isFound) =>
        // Goal: PXD001 where [Install] of the proxy ties the socket to it.
        Assert.Equal(
            isFound ? ["web.service.d/x.conf:2"] : [], Fixture.Findings("PXD001", Tied("") + $"\n--- web.service.d/x.conf\n[Install]\n{line}\n"));

    [Fact]
    public void A_tie_in_a_drop_in_is_found_there() =>
        // Goal: PXD001 names the file to change.
        Assert.Equal(["web.socket.d/x.conf:2"], Fixture.Findings("PXD001", Tied("") + "\n--- web.socket.d/x.conf\n[Unit]\nPartOf=web.service\n"));

    [Fact]
    public void A_tie_of_a_socket_that_is_no_proxys_is_left_alone() =>
        // Goal: PXD001 is about proxies; ties of other daemons are their own affair.
        Assert.Empty(Fixture.Findings("PXD001", Tied("PartOf=web.service").Replace("proxyd", "httpd", StringComparison.Ordinal)));

    [Theory]
    [InlineData("", "", true)]
    [InlineData("Type=exec", "", true)]
    [InlineData("Type=notify", "", false)]
    [InlineData("Type=forking", "", false)]
    [InlineData("ExecStartPost=/bin/sh -c 'until ss -tln | grep -q :8080; do sleep 1; done'", "", false)]
    [InlineData("", "ExecStartPre=/bin/sh -c 'until nc -z 127.0.0.1 8080; do sleep 1; done'", false)]
    [InlineData("", "ExecStartPre=/bin/sleep 3", false)]
    [InlineData("", "ExecStartPre=/bin/mkdir -p /run/x", true)]
    public void A_proxy_that_does_not_wait_is_found(string inBackend, string inProxy, bool isFound) =>
        // Goal: PXD002 unless a guard or a readiness protocol waits.
        Assert.Equal(isFound ? ["web.service:6"] : [], Fixture.Findings("PXD002", $"""
            --- web.service
            [Unit]
            Requires=web-backend.service
            After=web-backend.service
            [Service]
            {inProxy}
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            --- web-backend.service
            [Service]
            {inBackend}
            ExecStart=/usr/bin/web --port 8080
            """));

    [Theory]
    [InlineData("proxyd 127.0.0.1:8080", false)]
    [InlineData("proxyd 127.0.0.1:8080 --wait-bind=0", true)]
    [InlineData("proxyd 127.0.0.1:8080 --wait-bind 0s", true)]
    [InlineData("proxyd 127.0.0.1:8080 --wait-bind=1s", false)]
    public void Proxyd_waits_unless_it_is_told_not_to(string command, bool isFound) =>
        // Goal: PXD002 for --wait-bind=0 before a backend that somebody must start.
        Assert.Equal(isFound, Fixture.Findings("PXD002", $"""
            --- web.service
            [Unit]
            Wants=web-backend.service
            [Service]
            ExecStart=/usr/bin/{command}
            --- web-backend.service
            [Service]
            ExecStart=/usr/bin/web
            """).Length > 0);

    [Fact]
    public void A_backend_that_is_nobodys_business_is_left_alone() =>
        // Goal: PXD002 knows nothing of a destination that no unit here starts.
        Assert.Empty(Fixture.Findings("PXD002", "--- web.service\n[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 192.0.2.1:80\n"));

    [Theory]
    [InlineData("until ss -tln | grep -q :8080; do sleep 1; done", "a wait for port 8080 without an end of its own")]
    [InlineData("for i in {1..50}; do (: </dev/tcp/127.0.0.1/8080) && exit 0; sleep .1; done; exit 1", "a wait for port 8080 of up to 5 s")]
    [InlineData("i=0; while [ $i -lt 20 ]; do nc -z localhost 8080 && break; sleep 0.5; i=$((i+1)); done", "a wait for port 8080 of up to 10 s")]
    [InlineData("timeout 30 sh -c \"until nc -z localhost 8080; do sleep 1; done\"", "a wait for port 8080 of up to 30 s")]
    [InlineData("until curl -sf http://127.0.0.1:8080/health; do sleep 1; done", "a wait for http://127.0.0.1:8080/health without an end of its own")]
    [InlineData("while ! nc -z $HOST $PORT; do sleep 1; done", "a wait for a port without an end of its own")]
    [InlineData("port=8080; until curl -sf http://127.0.0.1:$port/; do sleep 1; done", "a wait for http://127.0.0.1:8080/ without an end of its own")]
    [InlineData("for i in 1 2 3; do nc -z 192.0.2.1 25 && exit; echo $i; sleep 1; done", "")]
    [InlineData("until systemctl is-active -q web-backend.service; do sleep 1; done", "a wait for web-backend.service without an end of its own")]
    [InlineData("until nc -z 127.0.0.1 $PORT; do sleep 1; done", "a wait for a port without an end of its own")]
    [InlineData("until curl -sf http://127.0.0.1:$PORT/; do sleep 1; done", "a wait for a port without an end of its own")]
    [InlineData("for i in 1 2; do pg_isready -p 8080 && exit; sleep 1; done", "a wait with pg_isready of up to 2 s")]
    [InlineData("until nc -z 127.0.0.1 8080; do sleep 1; done; chown www /run/web", "a wait for port 8080 without an end of its own")]
    [InlineData("until systemctl is-active -q other.service; do sleep 1; done", "")]
    [InlineData("until nc -z 127.0.0.1 5432; do sleep 1; done", "")]
    [InlineData("until ping -c1 192.0.2.1; do sleep 1; done", "")]
    [InlineData("curl -sf --retry 5 https://health.example.org/start", "")]
    [InlineData("for f in /etc/a /etc/b; do test -r $f || exit 1; done", "")]
    [InlineData("nc -z 127.0.0.1 8080", "")]
    public void A_loop_that_waits_for_the_backend_is_found(string script, string expected)
    {
        // Goal: PXD003 for what asks for this backend, with its length; another port, another unit, a single question are none.
        string quoted = script.Replace("\"", "\\\"", StringComparison.Ordinal);
        IEnumerable<string> found = RuleTable.Find("PXD003")!.Find(Fixture.Read(Guarded($"ExecStartPre=/bin/bash -c \"{quoted}\""))).Select(f => f.Why);
        Assert.Equal(expected, string.Join('|', found.Select(why => why.Split(" in ExecStartPre=")[0])));
    }

    [Theory]
    [InlineData("ExecStartPre=/usr/bin/timeout 20 /bin/sh -c 'until nc -z localhost 8080; do sleep 1; done'", "a wait for port 8080 of up to 20 s")]
    [InlineData(
        "ExecStartPre=/usr/bin/curl -sf --retry 10 --retry-delay 2 --retry-connrefused http://127.0.0.1:8080/",
        "a wait for http://127.0.0.1:8080/ of up to 20 s")]
    [InlineData("ExecStartPre=/usr/local/bin/wait-for-it.sh 127.0.0.1:8080 -t 60", "a wait for port 8080 of up to 60 s")]
    [InlineData("ExecStartPre=/usr/local/bin/wait-for-it 127.0.0.1:8080 --timeout=7", "a wait for port 8080 of up to 7 s")]
    [InlineData("ExecStartPre=/usr/bin/dockerize -wait tcp://127.0.0.1:8080 -timeout 20s", "a wait for port 8080 of up to 20 s")]
    [InlineData("ExecStartPre=/usr/bin/dockerize -wait=http://localhost:8080/up", "a wait for port 8080 of up to 10 s")]
    [InlineData("ExecStartPre=/usr/bin/wait4x tcp localhost:9999", "")]
    [InlineData("ExecStartPre=/usr/bin/wait-port 127.0.0.1:8080", "a wait for port 8080 without an end of its own")]
    [InlineData("ExecStartPre=/bin/sleep 1m", "a fixed sleep of up to 60 s")]
    [InlineData("ExecStartPre=/bin/mkdir -p /run/web", "")]
    public void A_program_that_waits_for_the_backend_is_found(string line, string expected)
    {
        // Goal: PXD003 without a shell.
        IEnumerable<string> found = RuleTable.Find("PXD003")!.Find(Fixture.Read(Guarded(line))).Select(f => f.Why);
        Assert.Equal(expected, string.Join('|', found.Select(why => why.Split(" in ExecStartPre=")[0])));
    }

    [Theory]
    [InlineData("ExecStartPre=/bin/sh -c 'until test -e /run/web/ready; do sleep 1; done'", false)]
    [InlineData("ExecStartPre=/bin/sh -c 'until ping -c1 192.0.2.1; do sleep 1; done'", true)]
    [InlineData("ExecStartPre=/usr/bin/python3 -c 'import wait; wait.for_port(8080)'", false)]
    [InlineData("ExecStartPre=/usr/bin/socat -u OPEN:/dev/null TCP:127.0.0.1:8080,retry=30", false)]
    [InlineData("ExecStartPre=/usr/bin/python3 -c 'print(9090)'", true)]
    public void A_wait_that_may_be_for_the_backend_is_no_missing_guard(string line, bool isFound) =>
        // Goal: PXD002 is silent where something waits that can't be told.
        Assert.Equal(isFound, Fixture.Findings("PXD002", Guarded(line)).Length > 0);

    private static string Guarded(string line) => $"""
        --- web.service
        [Unit]
        Requires=web-backend.service
        [Service]
        {line}
        ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
        --- web-backend.service
        [Service]
        ExecStart=/usr/bin/web
        """;

    private static string Tied(string line) => $"""
        --- web.socket
        [Unit]
        {line}
        [Socket]
        ListenStream=80
        --- web.service
        [Service]
        ExecStart=/usr/bin/proxyd 127.0.0.1:8080
        """;
}
