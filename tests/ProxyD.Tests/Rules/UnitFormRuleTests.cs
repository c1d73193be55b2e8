namespace ProxyD.Tests.Rules;

/// <summary>PXD035 to PXD038: starts that are too many, settings nobody reads, units that exclude each other, and a backend elsewhere.</summary>
public sealed class UnitFormRuleTests
{
    [Theory]
    [InlineData("--exit-idle-time=1s", "", "", "web.service:4")]
    [InlineData("--exit-idle-time=1900ms", "", "", "web.service:4")]
    [InlineData("--exit-idle-time=2s", "", "", "")]
    [InlineData("--exit-idle-time=infinity", "", "", "")]
    [InlineData("", "", "", "")]
    [InlineData("--exit-idle-time=1s", "StartLimitIntervalSec=0", "", "")]
    [InlineData("--exit-idle-time=1s", "StartLimitBurst=0", "", "")]
    [InlineData("--exit-idle-time=1s", "StartLimitBurst=20", "", "")]
    [InlineData("--exit-idle-time=5s", "StartLimitIntervalSec=1min", "", "web.service:4")]
    [InlineData("--exit-idle-time=5s", "StartLimitIntervalSec=infinity", "", "web.service:4")]
    [InlineData("--exit-idle-time=1s", "StartLimitIntervalSec=0", "StopWhenUnneeded=yes", "web-backend.service:1")]
    [InlineData("--exit-idle-time=1s", "StartLimitIntervalSec=0", "StopWhenUnneeded=yes\nStartLimitIntervalSec=0", "")]
    public void Idle_exits_that_reach_the_start_limit_are_found(string option, string inProxy, string inBackend, string expected) =>
        // Goal: PXD035 where burst times idle time is less than the interval, for whatever comes and goes with the proxy.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD035", Trio(option, inProxy, inBackend: inBackend))));

    [Theory]
    [InlineData("[Service]\nStartLimitIntervalSec=0", "web.service:8")]
    [InlineData("[Service]\nStopWhenUnneeded=yes", "web.service:8")]
    [InlineData("[Unit]\nRestart=no", "web.service:8")]
    [InlineData("[Service]\nWantedBy=multi-user.target", "web.service:8")]
    [InlineData("[Service]\nListenStream=80", "web.service:8")]
    [InlineData("[Unit]\nStartLimitIntervalSec=0", "")]
    [InlineData("[Service]\nStartLimitInterval=0\nStartLimitBurst=0", "")]
    [InlineData("[Service]\nRestart=no\nX-StopWhenUnneeded=yes", "")]
    [InlineData("[Install]\nWantedBy=multi-user.target", "")]
    public void A_setting_that_nobody_reads_is_found(string lines, string expected) =>
        // Goal: PXD036 for what belongs into another section; old names that systemd still reads there are none.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD036", Trio("", "", after: lines))));

    [Theory]
    [InlineData("Conflicts=web-backend.service", "", "web.service:2")]
    [InlineData("", "Conflicts=other.service web.service", "web-backend.service:2")]
    [InlineData("Conflicts=shutdown.target", "Conflicts=other.service", "")]
    public void Units_that_exclude_each_other_are_found(string inProxy, string inBackend, string expected) =>
        // Goal: PXD037 from either side.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD037", Trio("", inProxy, inBackend: inBackend))));

    [Theory]
    [InlineData("/usr/bin/app --port 18081", "", true)]
    [InlineData("/usr/bin/app", "Environment=PORT=18081", true)]
    [InlineData("/usr/bin/docker run --rm -p 127.0.0.1:18081:8080 img", "", true)]
    [InlineData("/usr/bin/app --port 8080", "", false)]
    [InlineData("/usr/bin/app --port 80", "", false)]
    [InlineData("/usr/bin/app", "", false)]
    [InlineData("/usr/bin/app --port 18081 --http-port 8080", "", false)]
    [InlineData("/usr/bin/app --port 18081 --web 127.0.0.1:8080", "", false)]
    [InlineData("/usr/bin/app --port 18081 --http-port 18082", "", false)]
    [InlineData("/usr/bin/docker run --rm -p 127.0.0.1:8080:18081 img --port 18081", "", false)]
    [InlineData("/usr/bin/app --port 18081", "PrivateNetwork=yes", false)]
    [InlineData("/usr/bin/app", "Environment=PORT=18081\nEnvironmentFile=-/etc/default/app", false)]
    [InlineData("/usr/bin/app", "Environment=METRICS_PORT=9100", false)]
    [InlineData("/usr/bin/app", "Environment=MQTT_PORT=1883", false)]
    [InlineData("/usr/bin/app", "Environment=CONSUL_HTTP_ADDR=127.0.0.1:8500", false)]
    public void A_backend_that_is_told_another_port_is_found(string command, string line, bool isFound) =>
        // Goal: PXD038 only where one port is told, and the destination's is named nowhere; the public one is PXD006's.
        Assert.Equal(isFound, Fixture.Findings("PXD038", Trio("", "", "", "", command, line)).Length > 0);

    private static string Trio(
        string option, string inProxy, string inBackend = "", string after = "", string command = "/usr/bin/app", string line = "") => $"""
        --- web.socket
        [Socket]
        ListenStream=80
        --- web.service
        [Unit]
        {(inProxy.Length > 0 ? inProxy : "Description=Web")}
        [Service]
        ExecStart=/usr/bin/proxyd 127.0.0.1:8080 {option}
        [Unit]
        Upholds=web-backend.service
        {after}
        --- web-backend.service
        [Unit]
        {inBackend}
        [Service]
        ExecStart={command}
        {line}
        """;
}
