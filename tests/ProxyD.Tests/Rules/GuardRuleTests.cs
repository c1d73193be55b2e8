namespace ProxyD.Tests.Rules;

/// <summary>PXD001 to PXD004: the socket's ties, and what waits for the backend.</summary>
public sealed class GuardRuleTests
{
    [Theory]
    [InlineData("PartOf=web.service", true), InlineData("BindsTo=web.service", true)]
    [InlineData("Requires=a.service web.service", true), InlineData("Requisite=web.service", true)]
    [InlineData("PartOf=other.service", false), InlineData("After=network.target", false), InlineData("#PartOf=web.service", false)]
    public void A_socket_that_stops_with_its_service_is_found(string line, bool isFound) =>
        // Goal: PXD001 for each tie, in a list as well; a tie to another unit is none of ours.
        Assert.Equal(isFound ? ["web.socket:2"] : [], Fixture.Findings("PXD001", Tied(line)));

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
