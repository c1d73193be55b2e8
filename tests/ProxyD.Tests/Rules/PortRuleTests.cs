namespace ProxyD.Tests.Rules;

/// <summary>PXD006 to PXD008: who listens where.</summary>
public sealed class PortRuleTests
{
    [Theory]
    [InlineData("8080", "Environment=PORT=8080", true)]
    [InlineData("127.0.0.1:8080", "Environment=PORT=8080 HOST=0.0.0.0", true)]
    [InlineData("8080", "ExecStart=/usr/bin/web --bind 127.0.0.1:8080", true)]
    [InlineData("8080", "ExecStart=/usr/bin/python3 -m http.server 8080", true)]
    [InlineData("8080", "ExecStart=/usr/bin/web -p 8080", true)]
    [InlineData("192.0.2.1:8080", "ExecStart=/usr/bin/web --bind 127.0.0.1:8080", false)]
    [InlineData("8080", "Environment=WEB_PORT=8080\nExecStart=/usr/bin/web --metrics $WEB_PORT", true)]
    [InlineData("8080", "Environment=PORT=18080", false)]
    [InlineData("8080", "Environment=PORT=8080\nEnvironment=PORT=18080", false)]
    [InlineData("8080", "Environment=PUBLIC_URL=http://localhost:8080", false)]
    [InlineData("8080", "Environment=PORT=8080\nPrivateNetwork=yes", false)]
    [InlineData("/run/web.sock", "Environment=PORT=8080", false)]
    [InlineData("8080", "Environment=PORT=18080 PUBLIC_PORT=8080 EXTERNAL_PORT=8080 VIRTUAL_PORT=8080", false)]
    [InlineData("8080", "Environment=PORT=8080\nEnvironmentFile=-/etc/default/web", false)]
    [InlineData("8080", "ExecStart=/usr/sbin/ip netns exec vpn /usr/bin/qbittorrent-nox --webui-port=8080", false)]
    [InlineData("8080", "ExecStart=/usr/bin/nsenter --net=/run/netns/vpn /usr/bin/web --port 8080", false)]
    [InlineData("8080", "ExecStart=/usr/bin/nsenter -t 1 -m /usr/bin/web --port 8080", true)]
    [InlineData("8080", "ExecStart=/usr/bin/env A=1 unshare -rn /usr/bin/web --port 8080", false)]
    [InlineData("[::]:8080\nBindIPv6Only=ipv6-only", "ExecStart=/usr/bin/web --bind 127.0.0.1:8080", false)]
    [InlineData("8080\nPrivateNetwork=yes", "ExecStart=/usr/bin/web --bind 127.0.0.1:8080", false)]
    [InlineData("8080\nNetworkNamespacePath=/run/netns/a", "ExecStart=/usr/bin/web --port 8080\nNetworkNamespacePath=/run/netns/a", true)]
    [InlineData("8080\nNetworkNamespacePath=/run/netns/a", "ExecStart=/usr/bin/web --port 8080\nNetworkNamespacePath=/run/netns/b", false)]
    [InlineData("8080", "ExecStart=/usr/bin/env -i A=1 PORT=8080 /usr/bin/web", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'cd /srv && PORT=8080 exec node web.js'", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'umask 022; exec web --port 8080'", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'PORT=8080; export PORT; exec node web.js'", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'export PORT=8080 && node web.js'", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'other --port 8080 & exec web --port 18080'", false)]
    [InlineData("8080", "ExecStart=/srv/manage.py runserver 127.0.0.1:8080", true)]
    [InlineData("8080", "ExecStart=/usr/bin/java -Dquarkus.http.port=8080 -jar web.jar", true)]
    [InlineData("8080", "Environment=FRONTEND_PORT=8080 SITE_ADDRESS=https://localhost:8080 HMR_PORT=8080 HTTP_HOST_PORT=8080", false)]
    [InlineData("8080", "Environment=PORT=18080 SERVER_PORT=8080", false)]
    [InlineData("8080", "Environment=PORT=18080 HOST=0.0.0.0:8080", true)]
    [InlineData("8080", "Environment=WEB_ADDRESS=https://web.example:8080", false)]
    [InlineData("8080", "Environment=ASPNETCORE_URLS=https://localhost:8080", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'PORT=8080 exec node web.js'", true)]
    [InlineData("8080", "ExecStart=/bin/sh -c 'exec env PORT=8080 node web.js'\nEnvironmentFile=-/etc/default/web", true)]
    [InlineData("8080", "ExecStart=/usr/bin/env PORT=18080 /usr/bin/web\nEnvironment=PORT=8080", false)]
    [InlineData("8080", "ExecStart=/usr/bin/web --listen 127.0.0.1:${P}\nEnvironment=P=8080", true)]
    [InlineData("8080", "Environment=PORT=8080\nUnsetEnvironment=HOME PORT", false)]
    [InlineData("8080", "Environment=PORT=8080\nUnsetEnvironment=PORT=80", true)]
    [InlineData("8080", "ExecStart=/usr/bin/java -Dserver.port=8080 -jar web.jar", true)]
    [InlineData("8080", "ExecStart=/usr/bin/systemd-nspawn --port 8080 -D /srv/web", false)]
    [InlineData("8080", "ExecStart=/usr/bin/docker run --network host -e PORT=8080 web", true)]
    public void A_backend_on_the_public_port_is_found(string listen, string inBackend, bool isFound) =>
        // Goal: PXD006 where the command line or the environment plainly says so, and the addresses meet.
        Assert.Equal(isFound ? ["web-backend.service:2"] : [], Fixture.Findings("PXD006", Trio(listen, "127.0.0.1:18080", inBackend)));

    [Theory]
    [InlineData("ExecStart=/usr/bin/postgres -D /srv/db -p 5432", false)]
    [InlineData("ExecStart=/usr/bin/postgres -D /srv/db -p 5432 --host 0.0.0.0", true)]
    public void A_port_behind_a_Unix_destination_may_only_be_in_its_name(string inBackend, bool isFound) =>
        // Goal: no PXD006 for a number that postgres puts into the name of its socket.
        Assert.Equal(
            isFound ? ["web-backend.service:2"] : [], Fixture.Findings("PXD006", Trio("5432", "/run/postgresql/.s.PGSQL.5432", inBackend)));

    [Theory]
    [InlineData("192.168.1.5:8080", "127.0.0.1:8080", false)]
    [InlineData("192.168.1.5:8080", "localhost:8080", false)]
    [InlineData("0.0.0.0:8080", "[::1]:8080", false)]
    [InlineData("8080", "127.0.0.1:8080", true)]
    [InlineData("[::]:8080", "127.0.0.1:8080", true)]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080", true)]
    [InlineData("192.168.1.5:8080", "127.0.0.1:18080", true)]
    [InlineData("192.168.1.5:8080\nListenStream=8080", "127.0.0.1:8080", true)]
    public void A_port_without_an_address_is_where_the_proxy_looks_for_it(string listen, string destination, bool isFound) =>
        // Goal: no PXD006 for a daemon whose own default may be loopback, where that is free and the proxy goes there.
        Assert.Equal(
            isFound ? ["web-backend.service:2"] : [],
            Fixture.Findings("PXD006", Trio(listen, destination, "ExecStart=/usr/bin/uvicorn app:app --port 8080")));

    [Theory]
    [InlineData("ExecStart=/usr/bin/web --host 0.0.0.0 --port 18080", true)]
    [InlineData("ExecStart=/usr/bin/web --bind=[::]:18080", true)]
    [InlineData("Environment=WEB_HOST=0.0.0.0:18080", true)]
    [InlineData("Environment=HOST=0.0.0.0", true)]
    [InlineData("Environment=ASPNETCORE_URLS=http://*:18080", true)]
    [InlineData("ExecStart=/usr/bin/web --host 127.0.0.1 --port 18080", false)]
    [InlineData("ExecStart=/usr/bin/web --port 18080", false)]
    [InlineData("ExecStart=/usr/bin/python3 -m http.server 18080", true)]
    [InlineData("ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 18080", false)]
    [InlineData("ExecStart=/usr/bin/web --metrics-address 0.0.0.0:9100 --port 18080", false)]
    [InlineData("ExecStart=/usr/bin/web --listen 0.0.0.0:9100", false)]
    [InlineData("ExecStart=/usr/bin/web --host 0.0.0.0\nIPAddressDeny=any", false)]
    [InlineData("ExecStart=/usr/bin/web --host 0.0.0.0\nPrivateNetwork=yes", false)]
    [InlineData("ExecStart=/usr/sbin/ip netns exec vpn /usr/bin/web --host 0.0.0.0", false)]
    public void A_backend_on_every_interface_is_found(string inBackend, bool isFound) =>
        // Goal: PXD007 for the destination's port only, and not behind a namespace or a filter.
        Assert.Equal(isFound ? ["web-backend.service:2"] : [], Fixture.Findings("PXD007", Trio("8080", "127.0.0.1:18080", inBackend)));

    [Theory]
    [InlineData("ListenStream=8080", "ListenStream=8080", true)]
    [InlineData("ListenStream=8080", "ListenStream=127.0.0.1:8080", true)]
    [InlineData("ListenStream=0.0.0.0:8080", "ListenStream=[::]:8080", true)]
    [InlineData("ListenStream=80\nListenStream=8080", "ListenStream=8080", true)]
    [InlineData("ListenStream=127.0.0.1:8080", "ListenStream=127.0.0.2:8080", false)]
    [InlineData("ListenStream=127.0.0.1:8080", "ListenStream=[::1]:8080", false)]
    [InlineData("ListenStream=8080", "ListenDatagram=8080", false)]
    [InlineData("ListenStream=8080", "ListenStream=8080\nListenStream=\nListenStream=8081", false)]
    [InlineData("ListenStream=0.0.0.0:8080", "ListenStream=[::]:8080\nBindIPv6Only=ipv6-only", false)]
    [InlineData("ListenStream=8080\nReusePort=yes", "ListenStream=8080\nReusePort=yes", false)]
    [InlineData("ListenStream=8080\nReusePort=yes", "ListenStream=8080", true)]
    [InlineData("ListenStream=/run/a.sock", "ListenStream=/var/run//a.sock", true)]
    [InlineData("ListenStream=8080", "ListenStream=8080\n[Unit]\nConflicts=a.socket", false)]
    [InlineData("ListenStream=/run/a.sock", "ListenStream=/run/b.sock", false)]
    [InlineData("ListenStream=/run/a.sock", "ListenStream=/run/a.sock", true)]
    [InlineData("ListenStream=@a", "ListenStream=8080\nListenStream=@a", true)]
    [InlineData("ListenStream=@a", "ListenStream=@a\nPrivateNetwork=yes", false)]
    [InlineData("ListenStream=/run/@a", "ListenStream=@a", false)]
    [InlineData("ListenStream=%t/a.sock", "ListenStream=%t/a.sock", true)]
    [InlineData("ListenStream=8080\nPrivateNetwork=yes", "ListenStream=8080", false)]
    [InlineData("ListenStream=8080\nNetworkNamespacePath=/run/netns/a", "ListenStream=8080\nNetworkNamespacePath=/run/netns/b", false)]
    [InlineData("ListenStream=8080\nNetworkNamespacePath=/run/netns/a", "ListenStream=8080\nNetworkNamespacePath=/run/netns/a", true)]
    [InlineData("ListenStream=8080\n[Service]\nPrivateNetwork=yes", "ListenStream=8080", true)]
    public void Two_sockets_on_one_port_are_found(string one, string other, bool isFound) =>
        // Goal: PXD008 on both, as bind(2) sees it.
        Assert.Equal(isFound ? 2 : 0, Fixture.Findings("PXD008", $"--- a.socket\n[Socket]\n{one}\n--- b.socket\n[Socket]\n{other}\n").Length);

    [Theory]
    [InlineData("ListenStream=0.0.0.0:8080\nListenStream=[::]:8080", true)]
    [InlineData("ListenStream=8080\nListenStream=127.0.0.1:8080", true)]
    [InlineData("ListenStream=0.0.0.0:8080\nListenStream=[::]:8080\nBindIPv6Only=ipv6-only", false)]
    [InlineData("ListenStream=127.0.0.1:8080\nListenStream=[::1]:8080", false)]
    public void A_socket_that_collides_with_itself_is_found(string listen, bool isFound) =>
        // Goal: PXD008 within one unit, at the second of the two.
        Assert.Equal(isFound ? ["a.socket:3"] : [], Fixture.Findings("PXD008", $"--- a.socket\n[Socket]\n{listen}\n"));

    private static string Trio(string listen, string destination, string inBackend) => $"""
        --- web.socket
        [Socket]
        ListenStream={listen}
        --- web.service
        [Unit]
        Wants=web-backend.service
        [Service]
        ExecStart=/usr/bin/proxyd {destination}
        --- web-backend.service
        [Service]
        {inBackend}
        """;
}
