using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>
/// A backend that answers and closes without reading the rest of the request, as HTTP servers do with 413. Its kernel then sends
/// RST; whatever of the reply had reached the proxy by then must still reach the client.
/// </summary>
[Trait("row", "W12")]
public sealed class EarlyCloseTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_long_reply_survives_the_reset_that_follows_it()
    {
        // Goal: 4 MiB reach a slow client that itself goes on sending, although the backend has closed with unread input.
        AssertWholeReply(4 << 20);
    }

    [Fact]
    public void A_short_reply_survives_the_reset_that_follows_it()
    {
        // Goal: the same when reply and RST come to the proxy at the same moment.
        AssertWholeReply(100);
    }

    private void AssertWholeReply(int bytes)
    {
        byte[] reply = new byte[bytes];
        new Random(12).NextBytes(reply);
        using Socket listener = Addresses.Listen();
        using ManualResetEventSlim closed = new();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            ReplyAndCloseWithUnreadInput(peer, reply);
            closed.Set();
        });
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!, receiveBufferBytes: 16384);
        Background.Start(() => UploadUntilRefused(client));

        byte[] received = ReadSlowly(client, reply.Length);

        Assert.Empty(backend.Failures);
        Assert.Equal(reply.Length, received.Length);
        Assert.True(reply.AsSpan().SequenceEqual(received), "the reply's bytes");
        Assert.True(closed.Wait(Wait.DefaultTimeoutMs), "the backend has closed");
    }

    private static void ReplyAndCloseWithUnreadInput(Peer peer, byte[] reply)
    {
        peer.Read(1);
        peer.Send(reply);
        peer.SendEnd();
        // RST destroys what is still in the backend's own send queue; that would be the backend's fault and not the proxy's.
        Wait.Until(() => peer.UnacknowledgedBytes() == 0, "the reply acknowledged");
        Assert.True(peer.HasInput(Wait.DefaultTimeoutMs), "unread input");
        peer.Dispose();
    }

    private static void UploadUntilRefused(Peer client)
    {
        byte[] chunk = new byte[65536];
        try
        {
            while (true)
                client.Send(chunk);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The backend is gone, and the client may know it.
        }
    }

    private static byte[] ReadSlowly(Peer client, int expected)
    {
        using MemoryStream received = new();
        byte[] chunk = new byte[16384];
        try
        {
            while (received.Length < expected && client.ReadSome(chunk) is > 0 and var read)
            {
                received.Write(chunk, 0, read);
                Thread.Sleep(1);
            }
        }
        catch (SocketException)
        {
            // What counts is how far the reply came.
        }
        return received.ToArray();
    }
}
