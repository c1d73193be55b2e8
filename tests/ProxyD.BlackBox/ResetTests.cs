using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>RST on one side becomes RST on the other, FIN stays FIN.</summary>
public sealed class ResetTests
{
    /// <summary>Well below the time-out of a blocking send: who has stopped by then was told by an error.</summary>
    private const int StopTimeoutMs = Wait.DefaultTimeoutMs / 2;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_client_that_resets_an_idle_connection_resets_the_backend()
    {
        // Goal: the backend can tell an abort from an orderly end.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("hello");
        Peer served = backend.WaitForConnection();
        Assert.Equal("hello", served.Read(5));

        client.Reset();

        Assert.Equal(Ending.Reset, served.ReadEnding());
    }

    [Fact]
    public void A_backend_that_resets_an_idle_connection_resets_the_client()
    {
        // Goal: the client can tell a crashed backend from a finished one.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("hello");
        Peer served = backend.WaitForConnection();
        Assert.Equal("hello", served.Read(5));

        served.Reset();

        Assert.Equal(Ending.Reset, client.ReadEnding());
    }

    [Fact]
    public void A_client_that_resets_in_the_middle_of_a_download_stops_the_backend()
    {
        // Goal: an aborted download doesn't leave a backend that sends for ever.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Peer served = backend.WaitForConnection();
        Background sending = Background.Start(() => SendUntilError(served));
        client.Read(1 << 20);

        client.Reset();

        sending.Join(StopTimeoutMs);
    }

    [Fact]
    public void A_backend_that_resets_in_the_middle_of_an_upload_stops_the_client()
    {
        // Goal: a crashed backend doesn't leave a client that sends for ever.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Background sending = Background.Start(() => SendUntilError(client));
        Peer served = backend.WaitForConnection();
        served.Read(1 << 20);

        served.Reset();

        sending.Join(StopTimeoutMs);
    }

    [Fact]
    public void A_client_that_resets_after_its_FIN_resets_the_backend()
    {
        // Goal: RST is seen although that direction has already ended.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("request");
        client.SendEnd();
        Peer served = backend.WaitForConnection();
        Assert.Equal("request", served.ReadTextToEnd());

        client.Reset();

        Wait.Until(() => served.Socket.Poll(0, SelectMode.SelectError), "RST at the backend");
    }

    [Fact]
    public void An_orderly_end_is_not_turned_into_a_reset()
    {
        // Goal: FIN in both directions, either side first, ends with EOF everywhere.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        for (int i = 0; i < 50; i++)
        {
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            client.AssertEcho("hello");
            client.SendEnd();
            Assert.Equal(Ending.Eof, client.ReadEnding());
        }
        Assert.Empty(backend.Failures);
    }

    private static void SendUntilError(Peer peer)
    {
        byte[] chunk = new byte[65536];
        try
        {
            while (true)
                peer.Send(chunk);
        }
        catch (SocketException)
        {
            // .NET reports an RST that follows a partial send as a time-out, so the code says nothing.
        }
    }
}
