using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>One side's FIN ends one direction only, whenever it comes.</summary>
[Trait("row", "W2")]
public sealed class HalfCloseTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_client_that_sends_only_FIN_gets_the_whole_reply()
    {
        // Goal: FIN before any byte reaches the backend as FIN, and the reply that follows comes back.
        Exchange(
            client => client.SendEnd(),
            backend =>
            {
                Assert.Equal("", backend.ReadTextToEnd());
                return "reply to nothing";
            });
    }

    [Fact]
    public void A_client_that_sends_FIN_with_its_request_gets_the_whole_reply()
    {
        // Goal: `printf request | nc -N` works: the backend sees the request and its end, the client the reply.
        Exchange(
            client =>
            {
                client.Send("request");
                client.SendEnd();
            },
            backend =>
            {
                string request = backend.ReadTextToEnd();
                // Late on purpose: a proxy that closes both directions at FIN has done so by now.
                Thread.Sleep(100);
                return $"reply to {request}";
            },
            expected: "reply to request");
    }

    [Fact]
    public void A_client_that_sends_FIN_after_half_of_the_reply_gets_the_other_half()
    {
        // Goal: FIN while the reply is in flight doesn't cut it.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            using (peer)
            {
                peer.Send("first half, ");
                Assert.Equal("", peer.ReadTextToEnd());
                Thread.Sleep(100);
                peer.Send("second half");
            }
        });
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal("first half, ", client.Read("first half, ".Length));
        client.SendEnd();

        Assert.Equal("second half", client.ReadTextToEnd());
        Assert.Empty(backend.Failures);
    }

    [Fact]
    public void A_backend_that_sends_only_FIN_gets_the_whole_upload()
    {
        // Goal: the same in the other direction, before any byte.
        Upload(backend => backend.SendEnd(), reply: "");
    }

    [Fact]
    public void A_backend_that_sends_FIN_with_its_banner_gets_the_whole_upload()
    {
        // Goal: the same in the other direction, with the first bytes.
        Upload(
            backend =>
            {
                backend.Send("send it to me");
                backend.SendEnd();
            },
            reply: "send it to me");
    }

    [Fact]
    public void A_backend_that_sends_FIN_after_half_of_the_upload_gets_the_other_half()
    {
        // Goal: the same in the other direction, in the middle of the transfer.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        client.Send("first half, ");
        Peer served = backend.WaitForConnection();
        Assert.Equal("first half, ", served.Read("first half, ".Length));
        served.SendEnd();
        Assert.Equal("", client.ReadTextToEnd());
        Thread.Sleep(100);
        client.Send("second half");
        client.SendEnd();

        Assert.Equal("second half", served.ReadTextToEnd());
    }

    private void Exchange(Action<Peer> request, Func<Peer, string> serve, string expected = "reply to nothing")
    {
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            using (peer)
                peer.Send(serve(peer));
        });
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        request(client);

        Assert.Equal(expected, client.ReadTextToEnd());
        Assert.Empty(backend.Failures);
    }

    private void Upload(Action<Peer> greet, string reply)
    {
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Start(_destination, greet);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal(reply, client.ReadTextToEnd());
        Thread.Sleep(100);
        client.Send("upload");
        client.SendEnd();

        Assert.Equal("upload", backend.WaitForConnection().ReadTextToEnd());
    }
}
