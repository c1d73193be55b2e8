using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>When a read that brings less than was asked for means "drained", and when it doesn't.</summary>
public sealed class ShortReadTests
{
    [Fact]
    public void What_follows_urgent_data_does_not_wait_for_the_next_event()
    {
        // Goal: recv(2) stops at the urgent mark; the bytes behind it make no event of their own.
        using Socket listener = RelayHarness.Listen(IPAddress.Loopback);
        using RelayHarness relay = new(new(), 0, (IPEndPoint)listener.LocalEndPoint!);
        for (int round = 0; round < 50; round++)
        {
            using Socket client = relay.Connect();
            using Socket upstream = RelayHarness.Accept(listener);
            client.Send("abc"u8);
            client.Send("!"u8, SocketFlags.OutOfBand);
            client.Send("def"u8);
            Assert.Equal("abcdef"u8.ToArray(), RelayHarness.ReadExactly(upstream, 6));
        }
    }

    [Fact]
    public void Bulk_goes_on_behind_urgent_data()
    {
        // Goal: splice(2) stops before the urgent mark and never passes it; copying does.
        using Socket listener = RelayHarness.Listen(IPAddress.Loopback);
        using RelayHarness relay = new(new(), 0, (IPEndPoint)listener.LocalEndPoint!);
        using Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(listener);
        byte[] bulk = new byte[1_000_000];
        Thread sender = new(() =>
        {
            client.Send(bulk);
            client.Send("!"u8, SocketFlags.OutOfBand);
            client.Send(bulk);
        });
        sender.Start();
        RelayHarness.ReadExactly(upstream, 2 * bulk.Length);
        sender.Join();
    }

    [Fact]
    public void On_a_Unix_socket_a_short_read_says_nothing()
    {
        // Goal: a read there also stops at each message that carries descriptors; only EAGAIN means "drained".
        Endpoint unix = new();
        unix.Open(fd: -1, isTcp: false);
        unix.Absorb(LibcConstants.EPOLLIN);
        unix.ReadShort();
        Assert.True(unix.Readable);
    }

    [Fact]
    public void On_TCP_a_short_read_means_drained_until_an_end_is_reported()
    {
        // Goal: the call that would only say EAGAIN is spared; the FIN behind the last bytes is not.
        Endpoint tcp = new();
        tcp.Open(fd: -1, isTcp: true);
        tcp.Absorb(LibcConstants.EPOLLIN);
        tcp.ReadShort();
        Assert.False(tcp.Readable);
        tcp.Absorb(LibcConstants.EPOLLIN | LibcConstants.EPOLLRDHUP);
        tcp.ReadShort();
        Assert.True(tcp.Readable);
    }
}
