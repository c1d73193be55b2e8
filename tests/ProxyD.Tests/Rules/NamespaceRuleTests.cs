namespace ProxyD.Tests.Rules;

/// <summary>PXD019 and PXD030: proxy and backend must see the same files and the same network.</summary>
public sealed class NamespaceRuleTests
{
    [Theory]
    [InlineData("PrivateTmp=yes", "", "web.service:4")]
    [InlineData("DynamicUser=yes", "", "web.service:4")]
    [InlineData("DynamicUser=yes\nPrivateTmp=no", "", "web.service:4")]
    [InlineData("", "PrivateTmp=yes", "web-backend.service:3")]
    [InlineData("PrivateTmp=yes", "PrivateTmp=yes", "web.service:4")]
    [InlineData("", "", null)]
    [InlineData("PrivateTmp=no", "PrivateTmp=no", null)]
    public void A_socket_in_a_private_tmp_is_found(string inProxy, string inBackend, string? found) =>
        // Goal: PXD019 on whichever side hides it; DynamicUser= implies it.
        Assert.Equal(Lines(found), Fixture.Findings("PXD019", Trio("/tmp/web.sock", "Upholds=web-backend.service", inProxy, inBackend)));

    [Theory]
    [InlineData("/var/tmp/web.sock", true), InlineData("/run/web.sock", false), InlineData("/tmpfs/web.sock", false)]
    [InlineData("@/tmp/web.sock", false), InlineData("127.0.0.1:80", false)]
    public void Only_the_two_folders_are_private(string destination, bool isFound) =>
        // Goal: PXD019 is about /tmp and /var/tmp.
        Assert.Equal(isFound, Fixture.Findings("PXD019", Trio(destination, "Upholds=web-backend.service", "PrivateTmp=yes", "")).Length > 0);

    [Fact]
    public void A_tmp_that_both_share_is_fine() =>
        // Goal: PXD019 knows JoinsNamespaceOf=.
        Assert.Empty(Fixture.Findings(
            "PXD019", Trio("/tmp/web.sock", "Upholds=web-backend.service\nJoinsNamespaceOf=web-backend.service", "PrivateTmp=yes", "PrivateTmp=yes")));

    [Theory]
    [InlineData("", "", "PrivateNetwork=yes", "web-backend.service:3")]
    [InlineData("", "PrivateNetwork=yes", "", "web.service:4")]
    [InlineData("", "PrivateNetwork=yes", "PrivateNetwork=yes", "web.service:4")]
    [InlineData("", "NetworkNamespacePath=/run/netns/a", "NetworkNamespacePath=/run/netns/b", "web.service:4")]
    [InlineData("", "NetworkNamespacePath=/run/netns/a", "NetworkNamespacePath=/run/netns/a", null)]
    [InlineData("\nJoinsNamespaceOf=web-backend.service", "PrivateNetwork=yes", "PrivateNetwork=yes", null)]
    [InlineData("\nJoinsNamespaceOf=vpn.service", "PrivateNetwork=yes", "PrivateNetwork=yes", "web.service:5")]
    [InlineData("", "", "", null)]
    [InlineData("", "PrivateNetwork=no", "PrivateNetwork=no", null)]
    public void A_backend_in_another_network_is_found(string join, string inProxy, string inBackend, string? found) =>
        // Goal: PXD030 unless both are in the same one.
        Assert.Equal(Lines(found), Fixture.Findings("PXD030", Trio("127.0.0.1:80", $"Upholds=web-backend.service{join}", inProxy, inBackend)));

    [Theory]
    [InlineData("/run/web.sock", false), InlineData("@web", true), InlineData("localhost:80", true), InlineData("[::1]:80", true)]
    [InlineData("192.0.2.1:80", false)]
    public void What_belongs_to_a_network_is_judged(string destination, bool isFound) =>
        // Goal: PXD030 for loopback and abstract sockets; a path is not in it, another machine is not the backend's loopback.
        Assert.Equal(isFound, Fixture.Findings("PXD030", Trio(destination, "Upholds=web-backend.service", "", "PrivateNetwork=yes")).Length > 0);

    [Theory]
    [InlineData("PrivateNetwork=yes", "", true)]
    [InlineData("PrivateNetwork=yes", "JoinsNamespaceOf=vpn.service", false)]
    [InlineData("NetworkNamespacePath=/run/netns/vpn", "", false)]
    public void A_proxy_alone_in_its_network_is_found(string inProxy, string join, bool isFound) =>
        // Goal: PXD030 where no unit here runs the destination.
        Assert.Equal(
            isFound, Fixture.Findings("PXD030", $"--- web.service\n[Unit]\n{join}\n[Service]\nExecStart=/bin/proxyd 127.0.0.1:80\n{inProxy}\n").Length > 0);

    [Theory]
    [InlineData("PXD019", "/tmp/web.sock", "PrivateTmp=yes"), InlineData("PXD030", "127.0.0.1:80", "PrivateNetwork=yes")]
    public void A_child_is_where_its_parent_is(string id, string destination, string line) =>
        // Goal: neither rule with --exec.
        Assert.Empty(Fixture.Findings(id, $"--- web.service\n[Service]\nExecStart=/usr/bin/proxyd {destination} --exec=/usr/bin/web\n{line}\n"));

    private static string[] Lines(string? found) => found is null ? [] : [found];

    private static string Trio(string destination, string ties, string inProxy, string inBackend) => $"""
        --- web.service
        [Unit]
        {ties}
        [Service]
        {inProxy}
        ExecStart=/usr/bin/proxyd {destination}
        --- web-backend.service
        [Service]
        ExecStart=/usr/bin/web
        {inBackend}
        """;
}
