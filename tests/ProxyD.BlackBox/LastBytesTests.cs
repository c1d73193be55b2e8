using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>An end that comes by RST must not destroy what was complete, or on its way, before it.</summary>
public sealed class LastBytesTests
{
    /// <summary>More than the buffers between two peers hold, of which one reads slowly.</summary>
    private const int UploadBytes = 3_500_000;

    /// <summary>Less than the proxy's own socket takes at once, more than a slow client's.</summary>
    private const int ReplyBytes = 1_500_000;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_slow_client_gets_all_that_the_backend_sent_before_its_reset(bool acceptedBefore)
    {
        // Goal: the early 413: reply, then RST for the unread rest of the request; the client reads at its leisure. With Accept=yes, too.
        byte[] reply = RandomBytes(ReplyBytes);
        using Socket listener = Addresses.Listen();
        using ManualResetEventSlim closed = new();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            peer.Read(1);
            peer.Send(reply);
            Wait.Until(() => peer.UnacknowledgedBytes() == 0, "the reply taken by the proxy");
            Wait.Until(() => peer.HasInput(), "unread input");
            peer.Dispose();
            closed.Set();
        });
        using Peer client = Peer.Connect(listener.LocalEndPoint!, receiveBufferBytes: 8192);
        using Subject subject = acceptedBefore ? StartFor(listener) : Subject.Start(listener, _destination);
        client.Send("request");
        Wait.Until(() => closed.IsSet, "the backend has closed");

        (byte[] received, Ending ending) = client.ReadToEnd();

        Assert.Empty(backend.Failures);
        Assert.Equal((reply.Length, Ending.Reset), (received.Length, ending));
        Assert.True(reply.AsSpan().SequenceEqual(received), "the reply's bytes");
    }

    [Fact]
    public void A_whole_reply_stays_whole_when_both_sides_had_ended_before_the_reset()
    {
        // Goal: both FINs are on their way when the RST comes: the kernel then calls it ECONNRESET, although nothing was cut.
        byte[] reply = RandomBytes(6_000_000);
        using Socket listener = Addresses.Listen();
        using Socket backendListener = ListenWithSmallBuffers();
        using ManualResetEventSlim sent = new(), close = new();
        using Backend backend = Backend.On(backendListener, peer =>
        {
            peer.Read(1);
            peer.Send(reply);
            peer.SendEnd();
            sent.Set();
            close.Wait();
            peer.Dispose();
        });
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!, receiveBufferBytes: 8192);
        client.Send("?");
        byte[] received = new byte[reply.Length];
        int have = 0;
        // The backend is through with its part while most of it is still on the way to the client.
        while (!sent.IsSet || have < reply.Length / 4)
            have += client.ReadSome(received.AsSpan(have, 32768));
        client.Send(new byte[100_000]);
        client.SendEnd();
        Wait.ForTheSubjectToTry();
        close.Set();
        Wait.ForTheSubjectToTry();

        while (have < received.Length && client.ReadSome(received.AsSpan(have)) is > 0 and var read)
            have += read;

        Assert.Equal(reply.Length, have);
        Assert.True(reply.AsSpan().SequenceEqual(received), "the reply's bytes");
        Assert.Equal(Ending.Eof, client.ReadEnding());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_upload_that_ended_arrives_whole_although_the_client_is_gone(bool backendHasEndedToo)
    {
        // Goal: after its FIN a client may vanish; the backend reads at its leisure, and talks or has finished while it reads.
        byte[] upload = RandomBytes(UploadBytes);
        using Socket listener = Addresses.Listen();
        using Socket backendListener = ListenWithSmallBuffers();
        using ManualResetEventSlim gone = new();
        byte[]? got = null;
        using Backend backend = Backend.On(backendListener, peer =>
        {
            if (backendHasEndedToo)
                peer.SendEnd();
            gone.Wait();
            Volatile.Write(ref got, ReadWhole(peer, answering: !backendHasEndedToo));
        });
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Socket.SendBufferSize = 2 * UploadBytes;
        client.Send(upload);
        client.SendEnd();
        Wait.Until(() => client.UnacknowledgedBytes() <= 1, "the upload and its FIN taken by the proxy");
        Wait.ForTheSubjectToTry();

        client.Reset();
        Wait.ForTheSubjectToTry();
        gone.Set();

        Wait.Until(() => Volatile.Read(ref got) is not null, "the backend has read to the end");
        Assert.Equal(upload.Length, got!.Length);
        Assert.True(upload.AsSpan().SequenceEqual(got), "the upload's bytes");
    }

    /// <summary>A proxy for the one client that waits, as Accept=yes starts it.</summary>
    private Subject StartFor(Socket listener)
    {
        Wait.Until(() => listener.Poll(0, SelectMode.SelectRead), "the client in the queue");
        using Socket accepted = listener.Accept();
        return Subject.Start(accepted, _destination);
    }

    /// <summary>Reads to the end, slowly; what it answers goes to nobody.</summary>
    private static byte[] ReadWhole(Peer peer, bool answering)
    {
        using MemoryStream all = new();
        byte[] chunk = new byte[65536];
        try
        {
            while (peer.ReadSome(chunk) is > 0 and var read)
            {
                all.Write(chunk, 0, read);
                if (answering)
                    peer.Send("progress");
            }
        }
        catch (SocketException)
        {
            // What counts is how much came.
        }
        return all.ToArray();
    }

    /// <summary>Its connections inherit a receive buffer that is soon full, so that ends are on their way for a while.</summary>
    private Socket ListenWithSmallBuffers()
    {
        Socket socket = Addresses.NewSocket(_destination);
        socket.ReceiveBufferSize = 4096;
        socket.Bind(_destination);
        socket.Listen(16);
        return socket;
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(13).NextBytes(bytes);
        return bytes;
    }
}
