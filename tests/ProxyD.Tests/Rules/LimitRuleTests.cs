namespace ProxyD.Tests.Rules;

/// <summary>PXD004, PXD009, PXD016: time, starts and files.</summary>
public sealed class LimitRuleTests
{
    [Theory]
    [InlineData("for i in {1..50}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done", "", false)]
    [InlineData("for i in {1..200}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done", "", true)]
    [InlineData("for i in {1..200}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done", "TimeoutStartSec=5min", false)]
    [InlineData("for i in {1..200}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done", "TimeoutStartSec=infinity", false)]
    [InlineData("for i in {1..200}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done", "TimeoutStartSec=0", false)]
    [InlineData("for i in $(seq 60); do nc -z 127.0.0.1 8080 && exit 0; sleep 0.5; done", "TimeoutSec=20", true)]
    [InlineData("for i in $(seq 60); do nc -z 127.0.0.1 8080 && exit 0; sleep 0.5; done", "TimeoutSec=20\nTimeoutStartSec=30", false)]
    [InlineData("until nc -z 127.0.0.1 8080; do sleep 1; done", "TimeoutStartSec=20", false)]
    [InlineData("until nc -z 127.0.0.1 8080; do sleep 1; done", "", false)]
    [InlineData("until nc -z 127.0.0.1 8080; do sleep 1; done", "TimeoutStartSec=infinity", true)]
    public void A_guard_that_outlives_its_start_is_found(string loop, string inProxy, bool isFound) =>
        // Goal: PXD004 against the default of 90 s and what the unit says; a loop without an end is meant to be ended by it.
        Assert.Equal(isFound, Fixture.Findings("PXD004", $"""
            --- web.service
            [Service]
            {inProxy}
            ExecStartPre=/bin/bash -c '{loop}'
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            """).Length > 0);

    [Theory]
    [InlineData("Type=oneshot", "for i in $(seq 200)", false)]
    [InlineData("Type=oneshot\nTimeoutStartSec=30", "for i in $(seq 200)", true)]
    [InlineData("Type=oneshot", "while true", true)]
    [InlineData("Type=oneshot\nTimeoutStartSec=30", "while true", false)]
    public void A_hooks_start_has_no_limit_unless_it_says_so(string type, string loop, bool isFound) =>
        // Goal: PXD004 knows that Type=oneshot has no default time-out, and so nothing ends a loop that doesn't end itself.
        Assert.Equal(isFound, Fixture.Findings("PXD004", $"""
            --- web.service
            [Unit]
            Wants=web-hook.service
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            --- web-hook.service
            [Service]
            {type}
            ExecStart=/bin/bash -c '{loop}; do nc -z 127.0.0.1 8080 && exit 0; sleep 1; done'
            """).Length > 0);

    [Theory]
    [InlineData("BindsTo=web-backend.service", "", "", "web.service:2")]
    [InlineData("BindsTo=web-backend.service\nStartLimitIntervalSec=0", "", "", "web.service:2")]
    [InlineData("BindsTo=web-backend.service\nStartLimitIntervalSec=0", "StartLimitIntervalSec=0", "", "note web.service:2")]
    [InlineData("BindsTo=web-backend.service\nStartLimitIntervalSec=0", "StartLimitBurst=500", "TriggerLimitIntervalSec=0", "")]
    [InlineData("Requires=web-backend.service\nAfter=web-backend.service", "[Service]\nType=exec", "", "web.service:2")]
    [InlineData("Requires=web-backend.service\nAfter=web-backend.service", "[Service]\nExecStartPost=/bin/true", "", "web.service:2")]
    [InlineData("Requires=web-backend.service\nAfter=web-backend.service", "[Service]\nType=exec", "TriggerLimitBurst=0", "")]
    [InlineData("Requires=web-backend.service\nAfter=web-backend.service", "", "", "")]
    [InlineData("Requires=web-backend.service", "[Service]\nType=exec", "", "")]
    [InlineData("Wants=web-backend.service\nAfter=web-backend.service", "[Service]\nType=exec", "", "")]
    [InlineData("Upholds=web-backend.service", "", "", "")]
    [InlineData("BindsTo=web-backend.service", "", "Accept=yes\nService=web.service", "")]
    public void A_failure_that_reaches_the_socket_is_found(string inProxy, string inBackend, string inSocket, string expected) =>
        // Goal: PXD009 as tried in a real systemd: each shape with and without the limits that end it.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD009", $"""
            --- web.socket
            [Socket]
            ListenStream=80
            {inSocket}
            --- web.service
            [Unit]
            {inProxy}
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            --- web-backend.service
            [Unit]
            {inBackend}
            [Service]
            ExecStart=/usr/bin/web
            """)));

    [Theory]
    [InlineData("/usr/sbin/ip netns add blue", "")]
    [InlineData("-/bin/mkdir -p /run/web", "")]
    [InlineData("/bin/sleep 2", "web.service:2")]
    [InlineData("/bin/systemctl start web-backend.service", "web.service:2")]
    public void What_only_prepares_the_start_is_needed_first(string command, string expected) =>
        // Goal: no PXD009 for a oneshot that makes what the proxy needs, which no backend is behind.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD009", $"""
            --- web.socket
            [Socket]
            ListenStream=80
            --- web.service
            [Unit]
            Requires=web-pre.service
            After=web-pre.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080
            --- web-pre.service
            [Service]
            Type=oneshot
            ExecStart={command}
            """)));

    [Theory]
    [InlineData(252, "", true), InlineData(254, "", true), InlineData(255, "", false), InlineData(null, "", true)]
    [InlineData(257, "PollLimitIntervalSec=0", true), InlineData(257, "PollLimitBurst=0", true), InlineData(257, "PollLimitBurst=10", false)]
    public void A_socket_that_is_slowed_down_reaches_no_trigger_limit(int? version, string inSocket, bool isFound)
    {
        // Goal: PXD009 knows systemd 255's poll limit; what ends at a start limit is found with any.
        string Units(string ties) => $"""
            --- web.socket
            [Socket]
            ListenStream=80
            {inSocket}
            --- web.service
            [Unit]
            {ties}
            After=web-backend.service
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            --- web-backend.service
            [Service]
            Type=exec
            ExecStart=/usr/bin/web
            """;
        Assert.Equal(isFound ? ["web.service:2"] : [], Fixture.Findings("PXD009", Units("Requires=web-backend.service"), systemdVersion: version));
        Assert.Equal(["web.service:2"], Fixture.Findings("PXD009", Units("BindsTo=web-backend.service"), systemdVersion: version));
    }

    [Theory]
    [InlineData("systemd-socket-proxyd -c 300 127.0.0.1:8080", "LimitNOFILE=1024", true)]
    [InlineData("systemd-socket-proxyd -c 100 127.0.0.1:8080", "LimitNOFILE=1024", false)]
    [InlineData("systemd-socket-proxyd 127.0.0.1:8080", "LimitNOFILE=1024", true)]
    [InlineData("systemd-socket-proxyd 127.0.0.1:8080", "", false)]
    [InlineData("systemd-socket-proxyd --connections-max=1000 127.0.0.1:8080", "", true)]
    [InlineData("systemd-socket-proxyd --connections-max=4096 127.0.0.1:8080", "LimitNOFILE=65536", false)]
    [InlineData("systemd-socket-proxyd --connections-max=4096 127.0.0.1:8080", "LimitNOFILE=infinity", false)]
    [InlineData("proxyd -c300 127.0.0.1:8080", "LimitNOFILE=1024", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "LimitNOFILE=1024:4096", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "LimitNOFILE=1024:16384", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "SystemCallFilter=@system-service", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "SystemCallFilter=@system-service\nSystemCallFilter=", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "SystemCallFilter=@system-service\nLimitNOFILE=8256", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "SystemCallFilter=@system-service\nLimitNOFILE=8255", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "RestrictAddressFamilies=AF_INET AF_UNIX\nLimitNOFILE=1024:524288", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "LockPersonality=yes", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "LockPersonality=no\nRestrictNamespaces=no\nNoNewPrivileges=yes", false)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "RestrictNamespaces=user mnt", true)]
    [InlineData("proxyd -c 4096 127.0.0.1:8080", "DynamicUser=yes", true)]
    [InlineData("proxyd -c 480 127.0.0.1:8080", "DynamicUser=yes", false)]
    [InlineData("proxyd 127.0.0.1:8080", "SystemCallFilter=@system-service", false)]
    public void A_file_limit_below_the_connection_limit_is_found(string command, string limit, bool isFound) =>
        // Goal: PXD016: six files for each connection of socket-proxyd at its soft limit, two of proxyd's at the hard one, if no filter is there.
        Assert.Equal(isFound, Fixture.Findings("PXD016", $"--- web.service\n[Service]\n{limit}\nExecStart=/usr/bin/{command}\n").Length > 0);
}
