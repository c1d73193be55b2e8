using ProxyD.Machine;

namespace ProxyD.Tests.Pure;

/// <summary>Where a socket unit listens, and where a client reaches it.</summary>
public sealed class ListenPropertyTests
{
    [Fact]
    public void Only_stream_sockets_are_taken_in_the_order_of_the_unit()
    {
        // Goal: what else a .socket can hold is left out; a path may contain blanks and brackets.
        const string Property = "[::]:8080 (Stream)\n/run/log (Datagram)\n/run/a (b).sock (Stream)\n"
            + "/run/x (SequentialPacket)\n@name (Stream)\n/run/fifo (FIFO)";
        Assert.Equal(["[::]:8080", "/run/a (b).sock", "@name"], ListenProperty.Streams(Property));
        Assert.Empty(ListenProperty.Streams(""));
    }

    [Theory]
    [InlineData("127.0.0.1:8080", true, "127.0.0.1:8080")]
    [InlineData("192.0.2.7:80", true, "192.0.2.7:80")]
    [InlineData("0.0.0.0:8080", true, "127.0.0.1:8080")]
    [InlineData("[::]:8080", true, "[::1]:8080")]
    [InlineData("[::]:8080", false, "127.0.0.1:8080")]
    [InlineData("[::1]:8080", true, "[::1]:8080")]
    [InlineData("[2001:db8::1]:443", false, "[2001:db8::1]:443")]
    [InlineData("/run/app/8001.sock", true, "/run/app/8001.sock")]
    [InlineData("@app", true, "@app")]
    public void A_wildcard_is_reached_at_loopback_anything_else_where_it_is(string listens, bool hasLoopback6, string peer) =>
        // Goal: each family, with and without ::1.
        Assert.Equal(peer, ListenProperty.Reach(listens, hasLoopback6)?.ToString());

    [Theory]
    [InlineData("vsock:2:1234")]
    [InlineData("example.com:80")]
    [InlineData("")]
    public void What_is_neither_TCP_nor_a_Unix_socket_is_not_reached(string listens) =>
        // Goal: no guess.
        Assert.Null(ListenProperty.Reach(listens, hasLoopback6: true));
}
