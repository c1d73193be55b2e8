using System.Net;
using ProxyD.Machine;

namespace ProxyD.Tests.Pure;

/// <summary>Live connections, counted from the kernel's tables.</summary>
public sealed class KernelSocketsTests
{
    // A listener, an accepted connection and its client's end, one that waits (no inode), one half-closed, one that gave up while it waited, one gone.
    private const string Tcp = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1593 1 000000002e7af0f3 100 0 0 10 0
           1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 1600 1 000000002e7af0f3 20 4 30 10 -1
           2: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 1601 1 000000002e7af0f3 20 4 30 10 -1
           3: 0100007F:1F90 0100007F:C002 01 00000000:00000010 00:00000000 00000000     0        0 0 1 000000002e7af0f3 20 4 30 10 -1
           4: 0100007F:1F90 0100007F:C003 08 00000000:00000010 00:00000000 00000000     0        0 1602 1 000000002e7af0f3 20 4 30 10 -1
           5: 0100007F:1F90 0100007F:C004 08 00000000:00000010 00:00000000 00000000     0        0 0 1 000000002e7af0f3 20 4 30 10 -1
           6: 0100007F:1F90 0100007F:C005 06 00000000:00000000 03:00001770 00000000     0        0 0 3 000000002e7af0f3

        """;

    // To 192.0.2.1:8080 over IPv4 on an IPv6 socket, and to [::1]:8080.
    private const string Tcp6 = """
          sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0000000000000000FFFF0000010200C0:1F90 0000000000000000FFFF0000020200C0:C006 01 00000000:00000000 00:00000000 00000000 0 0 1700 1 0 20 4 30 10 -1
           1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C007 01 00000000:00000000 00:00000000 00000000 0 0 1701 1 0 20 4 30 10 -1

        """;

    // A listener, an accepted connection, its client's end (nameless), one that waits, and strangers' paths.
    private const string Unix = """
        Num       RefCount Protocol Flags    Type St Inode Path
        00000000ff1d4020: 00000002 00000000 00010000 0001 01 890121 /run/my app.sock
        00000000b7248d2b: 00000003 00000000 00000000 0001 03 891093 /run/my app.sock
        00000000b7248d2c: 00000003 00000000 00000000 0001 03 891094
        00000000b7248d2d: 00000002 00000000 00000000 0001 02     0 /run/my app.sock
        00000000b7248d2e: 00000003 00000000 00000000 0001 03 891096 /run/my app.sock2
        00000000b7248d2f: 00000003 00000000 00000000 0001 03 891097 @app

        """;

    [Theory]
    [InlineData("127.0.0.1:8080", 3)]
    [InlineData("0.0.0.0:8080", 5)]
    [InlineData("[::]:8080", 5)]
    [InlineData("192.0.2.1:8080", 1)]
    [InlineData("[::1]:8080", 1)]
    [InlineData("127.0.0.1:8081", 0)]
    [InlineData("127.0.0.2:8080", 0)]
    [InlineData("127.0.0.1:49153", 1)]
    public void Clients_are_counted_at_the_listeners_end(string listener, int clients) =>
        // Goal: accepted, waiting and half-closed ones; not the listener, not the clients' own ends, not who is gone; wildcards, and IPv4 on IPv6.
        Assert.Equal(clients, KernelSockets.TcpClients(Tcp + Tcp6, IPEndPoint.Parse(listener), []));

    [Fact]
    public void Clients_of_our_own_do_not_count()
    {
        // Goal: by address and port of their own ends; the half-closed one is left out as well as the one that is open.
        IPEndPoint listener = IPEndPoint.Parse("0.0.0.0:8080");
        Assert.Equal(3, KernelSockets.TcpClients(Tcp + Tcp6, listener, [new(IPAddress.Loopback, 0xC001), new(IPAddress.Loopback, 0xC003)]));
        Assert.Equal(4, KernelSockets.TcpClients(Tcp + Tcp6, listener, [new(IPAddress.Parse("192.0.2.2"), 0xC006), new(IPAddress.Parse("192.0.2.3"), 0xC001)]));
    }

    [Theory]
    [InlineData("10 11 12", "20", 3)]
    [InlineData("10 11 12", "20 31", 2)]
    [InlineData("10 11 12", "20 31 12", 2)]
    [InlineData("10 11 12 30 40", "20 31 40", 2)]
    [InlineData("11 12", "20", 0)]
    [InlineData("", "", 0)]
    public void Clients_past_the_proxy_are_those_whose_other_end_is_not_the_proxys(string own, string others, int clients)
    {
        // Goal: accepted ones and one that waits; not the proxy's, not the backend's own, not the proxy's public side, and none without the listener's inode.
        const string table = """
               0: 0100007F:4650 00000000:0000 0A 0:0 0:0 0 0 0 10 1
               1: 0100007F:4650 0100007F:C001 01 0:0 0:0 0 0 0 11 1
               2: 0100007F:C001 0100007F:4650 01 0:0 0:0 0 0 0 20 1
               3: 0100007F:4650 0100007F:C002 01 0:0 0:0 0 0 0 12 1
               4: 0100007F:C002 0100007F:4650 01 0:0 0:0 0 0 0 31 1
               5: 0100007F:4650 0200A8C0:C003 01 0:0 0:0 0 0 0 0 1
               6: 0100007F:4650 0100007F:C004 08 0:0 0:0 0 0 0 13 1
               7: 0100007F:4650 0100007F:C005 01 0:0 0:0 0 0 0 12 1
               8: 0100007F:C005 0100007F:4650 06 0:0 0:0 0 0 0 0 1
               9: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 30 1
              10: 0100007F:1F90 0200A8C0:C006 01 0:0 0:0 0 0 0 40 1

            """;
        HashSet<string> Set(string words) => [.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(clients, KernelSockets.DirectClients(table, Set(own), Set(others), [IPEndPoint.Parse("127.0.0.1:8080")]));
    }

    [Theory]
    [InlineData(0xC001, true)]
    [InlineData(0xC002, false)]
    [InlineData(0xC007, true)]
    [InlineData(0xC009, false)]
    public void A_client_is_accepted_when_its_connection_has_an_inode(int port, bool isAccepted) =>
        // Goal: told apart from one that waits in the listen queue, and from one that is not listed.
        Assert.Equal(isAccepted, KernelSockets.IsTcpAccepted(Tcp + Tcp6, 8080, port));

    [Theory]
    [InlineData("/run/my app.sock", 2, true)]
    [InlineData("/run/my app.sock2", 1, false)]
    [InlineData("@app", 1, false)]
    [InlineData("/run/my", 0, false)]
    public void Clients_of_a_Unix_listener_bear_its_name(string name, int clients, bool hasWaiting)
    {
        // Goal: the whole name decides, blanks in it or not; the listener itself is no client.
        Assert.Equal(clients, KernelSockets.UnixClients(Unix, name));
        Assert.Equal(hasWaiting, KernelSockets.HasUnixWaiting(Unix, name));
    }

    [Fact]
    public void What_cannot_be_read_counts_as_nobody()
    {
        // Goal: a kernel without IPv6, a line cut short, other words.
        Assert.Equal(0, KernelSockets.TcpClients("", new(IPAddress.Any, 80), []));
        Assert.Equal(0, KernelSockets.TcpClients("0: 0100:50 0100007F:C001 01 a b c d e 1 g\n", new(IPAddress.Any, 80), []));
        Assert.Equal(0, KernelSockets.TcpClients("0: XXXXXXXX:0050 0100007F:C001 01 a b c d e 1 g\n", new(IPAddress.Any, 80), []));
        Assert.Equal(0, KernelSockets.UnixClients("garbage\n", "/run/x"));
    }
}
