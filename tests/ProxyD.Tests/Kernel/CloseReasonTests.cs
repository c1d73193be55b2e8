using System.Net;
using System.Net.Sockets;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>However a connection ends, both sides learn the same, and it is reported once with its reason.</summary>
public sealed class CloseReasonTests : IDisposable
{
    private readonly Socket _backend = RelayHarness.Listen(IPAddress.Loopback);

    private IPEndPoint Where => (IPEndPoint)_backend.LocalEndPoint!;

    public void Dispose() => _backend.Dispose();

    [Fact]
    public void Fin_from_both_sides_is_finished()
    {
        // Goal: the ordinary end, with the bytes of both directions counted.
        using RelayHarness relay = new(new(), 0, Where);
        using Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        client.Send("question"u8);
        client.Shutdown(SocketShutdown.Send);
        RelayHarness.ReadExactly(upstream, 8);
        Assert.Equal(0, upstream.Receive(new byte[1]));
        upstream.Send("answer"u8);
        upstream.Dispose();
        Assert.Equal("answer"u8.ToArray(), RelayHarness.ReadExactly(client, 6));
        Assert.Equal(0, client.Receive(new byte[1]));
        RelayEvent end = relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal((CloseReason.Finished, 8, 6), (end.Reason, end.UpBytes, end.DownBytes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_backend_that_ends_without_a_byte_has_left_its_client_unanswered(bool byReset)
    {
        // Goal: what a dying backend had accepted can be counted, whether its kernel says RST or FIN.
        using RelayHarness relay = new(new(), 0, Where);
        using Socket client = relay.Connect();
        Socket upstream = RelayHarness.Accept(_backend);
        client.Send("question"u8);
        RelayHarness.ReadExactly(upstream, 8);
        if (byReset)
            RelayHarness.ResetNow(upstream);
        else
            upstream.Dispose();
        Assert.Equal(byReset, RelayHarness.EndsWithReset(client));
        client.Dispose();
        Assert.Equal(CloseReason.Unanswered, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        Assert.Equal(1, relay.Server.TakeUnanswered());
        Assert.Equal(0, relay.Server.TakeUnanswered());
    }

    [Fact]
    public void A_client_that_ends_first_and_is_sent_nothing_is_finished()
    {
        // Goal: protocols without answers (a log line to a collector) are no losses.
        using RelayHarness relay = new(new(), 0, Where);
        using Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        client.Send("line"u8);
        client.Shutdown(SocketShutdown.Send);
        RelayHarness.ReadExactly(upstream, 4);
        Assert.Equal(0, upstream.Receive(new byte[1]));
        upstream.Dispose();
        Assert.Equal(CloseReason.Finished, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void A_reset_client_resets_the_backend()
    {
        // Goal: RST on one side is RST on the other, never a silent FIN.
        using RelayHarness relay = new(new(), 0, Where);
        Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        client.Send("x"u8);
        RelayHarness.ReadExactly(upstream, 1);
        RelayHarness.ResetNow(client);
        Assert.True(RelayHarness.EndsWithReset(upstream));
        Assert.Equal(CloseReason.ClientReset, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void What_a_client_sent_before_its_reset_still_reaches_the_backend()
    {
        // Goal: bytes and RST that arrive together are not both lost.
        using RelayHarness relay = new(new(), 0, Where);
        Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        client.Send("last words"u8);
        RelayHarness.ResetNow(client);
        Assert.Equal("last words"u8.ToArray(), RelayHarness.ReadExactly(upstream, 10));
        Assert.True(RelayHarness.EndsWithReset(upstream));
    }

    [Fact]
    public void A_reset_backend_resets_the_client_after_the_tail()
    {
        // Goal: a cut reply never looks complete.
        using RelayHarness relay = new(new(), 0, Where);
        using Socket client = relay.Connect();
        Socket upstream = RelayHarness.Accept(_backend);
        // A backend that resets before its client was taken out of the queue is dialled again; this is about a later reset.
        client.Send("?"u8);
        RelayHarness.ReadExactly(upstream, 1);
        upstream.Send("half a rep"u8);
        RelayHarness.ResetNow(upstream);
        Assert.Equal("half a rep"u8.ToArray(), RelayHarness.ReadExactly(client, 10));
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.BackendReset, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void A_backend_reset_that_a_write_discovers_is_no_clean_end_either()
    {
        // Goal: the kernel reports the error once and reads as end of stream afterwards; the client must still get RST.
        using RelayHarness relay = new(new(), 0, Where);
        for (int round = 0; round < 50; round++)
        {
            using Socket client = relay.Connect();
            Socket upstream = RelayHarness.Accept(_backend);
            upstream.Send("half"u8);
            RelayHarness.ReadExactly(client, 4);
            // Reset and more from the client, as close together as can be: in some rounds the write comes first.
            RelayHarness.ResetNow(upstream);
            Assert.True(!TrySend(client, new byte[4096]) || RelayHarness.EndsWithReset(client), $"round {round}");
        }
    }

    [Fact]
    public void A_client_that_leaves_after_its_request_ends_the_connection()
    {
        // Goal: fire and forget: the backend has every byte and FIN; what it answers to nobody does not pin the connection.
        using RelayHarness relay = new(new(), 0, Where);
        Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        client.Send("do it"u8);
        client.Dispose();
        Assert.Equal("do it"u8.ToArray(), RelayHarness.ReadExactly(upstream, 5));
        Assert.Equal(0, upstream.Receive(new byte[1]));
        byte[] answer = new byte[64 * 1024];
        RelayHarness.Eventually(() => !TrySend(upstream, answer), "the backend is told that nobody listens");
        Assert.Equal(CloseReason.ClientGone, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void A_half_closed_connection_that_moves_nothing_is_reset()
    {
        // Goal: a peer that never ends its half does not pin the connection for ever; one that still moves bytes does.
        const int TimeoutMs = 300;
        using RelayHarness relay = new(new() { HalfCloseTimeoutMs = TimeoutMs }, 0, Where);
        Pace.Keep(TimeoutMs, pace =>
        {
            using Socket client = relay.Connect();
            using Socket upstream = RelayHarness.Accept(_backend);
            pace.Mark();
            client.Shutdown(SocketShutdown.Send);
            for (int i = 0; i < 8; i++)
            {
                Thread.Sleep(60);
                upstream.Send("."u8);
                pace.Mark();
            }
            pace.End();
            RelayHarness.ReadExactly(client, 8);
            Assert.True(RelayHarness.EndsWithReset(client));
        });
        Assert.Equal(CloseReason.HalfCloseTimeout, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void Silence_before_an_end_is_no_reason_to_cut_what_comes_after()
    {
        // Goal: a session that was quiet for longer than the half-close timeout still gets its answer after FIN.
        const int TimeoutMs = 300;
        using RelayHarness relay = new(new() { HalfCloseTimeoutMs = TimeoutMs }, 0, Where);
        Pace.Keep(TimeoutMs, pace =>
        {
            using Socket client = relay.Connect();
            using Socket upstream = RelayHarness.Accept(_backend);
            client.Send("?"u8);
            RelayHarness.ReadExactly(upstream, 1);
            Thread.Sleep(2 * TimeoutMs);
            pace.Mark();
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, upstream.Receive(new byte[1]));
            upstream.Send("answer"u8);
            pace.End();
            Assert.Equal("answer"u8.ToArray(), RelayHarness.ReadExactly(client, 6));
        });
    }

    private static bool TrySend(Socket socket, byte[] bytes)
    {
        try
        {
            socket.Send(bytes);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
