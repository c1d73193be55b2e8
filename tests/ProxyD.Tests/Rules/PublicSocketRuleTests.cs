namespace ProxyD.Tests.Rules;

/// <summary>PXD020, PXD026, PXD028 and PXD034: what the public socket of a proxy must not be.</summary>
public sealed class PublicSocketRuleTests
{
    private static readonly string[] s_networkRules = ["PXD006", "PXD026", "PXD030"];

    [Theory]
    [InlineData("2222", "127.0.0.1:22", "DeferAcceptSec=10", true)]
    [InlineData("0.0.0.0:143", "127.0.0.1:10143", "DeferAcceptSec=1min", true)]
    [InlineData("8022", "127.0.0.1:ssh", "DeferAcceptSec=10", true)]
    [InlineData("80", "127.0.0.1:8080", "DeferAcceptSec=10", false)]
    [InlineData("2222", "127.0.0.1:22", "DeferAcceptSec=0", false)]
    [InlineData("2222", "127.0.0.1:22", "NoDelay=yes", false)]
    [InlineData("8080", "/run/imap", "DeferAcceptSec=10", false)]
    public void A_deferred_banner_is_found(string listen, string destination, string line, bool isFound) =>
        // Goal: PXD020 by the public port or the destination's.
        Assert.Equal(isFound ? ["web.socket:3"] : [], Fixture.Findings("PXD020", Trio(listen, line, destination)));

    [Theory]
    [InlineData("8080", "127.0.0.1:8080", true)]
    [InlineData("8080", "[::1]:8080", true)]
    [InlineData("0.0.0.0:8080", "127.0.0.1:8080", true)]
    [InlineData("0.0.0.0:8080", "localhost:8080", true)]
    [InlineData("[::]:8080", "127.0.0.1:8080", true)]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080", true)]
    [InlineData("/run/web.sock", "/run/web.sock", true)]
    [InlineData("127.0.0.1:%i", "127.0.0.1:%i", true)]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8081", false)]
    [InlineData("127.0.0.1:8080", "127.0.0.2:8080", false)]
    [InlineData("192.0.2.1:8080", "127.0.0.1:8080", false)]
    [InlineData("0.0.0.0:8080", "[::1]:8080", false)]
    [InlineData("8080", "backend.example:8080", false)]
    [InlineData("127.0.0.1:%i", "127.0.0.1:1%i", false)]
    [InlineData("/run/web.sock", "@/run/web.sock", false)]
    public void A_proxy_that_serves_itself_is_found(string listen, string destination, bool isFound) =>
        // Goal: PXD026 where a connection to the destination comes back to the public socket.
        Assert.Equal(isFound ? ["web.service:2"] : [], Fixture.Findings("PXD026", Trio(listen, "", destination)));

    [Theory]
    [InlineData("BindIPv6Only=ipv6-only", "[::]:8080", "")]
    [InlineData("", "8080", "PrivateNetwork=yes")]
    [InlineData("PrivateNetwork=yes", "8080", "")]
    [InlineData("NetworkNamespacePath=/run/netns/a", "8080", "NetworkNamespacePath=/run/netns/b")]
    public void The_same_number_may_be_another_port(string line, string listen, string inProxy) =>
        // Goal: no PXD026 where the family or the network differs.
        Assert.Empty(Fixture.Findings("PXD026", Trio(listen, line, "127.0.0.1:8080") + inProxy + "\n"));

    [Theory]
    [InlineData("/usr/sbin/ip netns exec vpn /usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080")]
    [InlineData("/usr/bin/nsenter -t 123 -n /usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("/usr/bin/nsenter --net=/run/netns/vpn -- /usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("/usr/bin/unshare -rn /usr/bin/proxyd 127.0.0.1:8080")]
    [InlineData("/bin/sh -c 'exec ip netns exec vpn /usr/bin/proxyd 127.0.0.1:8080'")]
    [InlineData("/srv/wrap.sh")]
    public void A_launcher_into_another_network_makes_it_another_port(string command) =>
        // Goal: no PXD026 for the bridge into a network namespace, and no PXD030 for it: which network that is, can't be seen.
        Assert.Empty(Networks($"""
            --- /srv/wrap.sh
            #!/bin/sh
            exec ip netns exec vpn /usr/bin/proxyd 127.0.0.1:8080
            --- web.socket
            [Socket]
            ListenStream=8080
            --- web.service
            [Unit]
            Upholds=web-backend.service
            [Service]
            ExecStart={command}
            --- web-backend.service
            [Service]
            NetworkNamespacePath=/run/netns/vpn
            ExecStart=/usr/bin/web --port 8080
            """));

    [Theory]
    [InlineData("/usr/bin/unshare -m /usr/bin/proxyd", ""), InlineData("/usr/bin/proxyd", "NetworkNamespacePath=/run/netns/a")]
    public void The_same_network_has_the_port_once(string command, string line) =>
        // Goal: PXD026 behind a launcher that leaves the network alone, and where both are in one that has a name.
        Assert.Equal(
            ["web.service:2"],
            Fixture.Findings("PXD026", Trio("8080", line, "127.0.0.1:8080").Replace("/usr/bin/proxyd", command, StringComparison.Ordinal) + line + "\n"));

    [Theory]
    [InlineData("ListenDatagram=80", true), InlineData("ListenSequentialPacket=/run/x", true), InlineData("ListenFIFO=/run/x", true)]
    [InlineData("ListenStream=81", false), InlineData("ListenDatagram=80\nListenDatagram=", false)]
    public void A_socket_that_is_no_stream_is_found(string line, bool isFound) =>
        // Goal: PXD028 for each other kind.
        Assert.Equal(isFound ? ["web.socket:3"] : [], Fixture.Findings("PXD028", Trio("80", line, "127.0.0.1:8080")));

    [Theory]
    [InlineData("FlushPending=yes", true), InlineData("FlushPending=no", false), InlineData("", false)]
    public void A_queue_that_is_emptied_is_found(string line, bool isFound) =>
        // Goal: PXD034 for the value that empties it.
        Assert.Equal(isFound ? ["web.socket:3"] : [], Fixture.Findings("PXD034", Trio("80", line, "127.0.0.1:8080")));

    [Fact]
    public void Sockets_of_other_daemons_are_left_alone() =>
        // Goal: all of this is about proxies.
        Assert.Empty(Fixture.Findings(
            Trio("22", "DeferAcceptSec=10\nListenDatagram=22\nFlushPending=yes", "127.0.0.1:22").Replace("proxyd", "otherd", StringComparison.Ordinal)));

    private static string[] Networks(string text) => [.. s_networkRules.SelectMany(id => Fixture.Findings(id, text))];

    private static string Trio(string listen, string line, string destination) => $"""
        --- web.socket
        [Socket]
        ListenStream={listen}
        {line}
        --- web.service
        [Service]
        ExecStart=/usr/bin/proxyd {destination}

        """;
}
