using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>--connections-max is a hard cap, reachable and exact.</summary>
public sealed class ConnectionCapTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    [Trait("row", "W4")]
    public void The_default_cap_of_256_is_reachable_at_a_soft_limit_of_1024_files()
    {
        // Goal: 256 connections live at once under the file limit that services get by default.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = [Addresses.Text(_destination)],
            Prelude = ["ulimit -Sn 1024"],
        });

        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 256);

        for (int i = 0; i < clients.Length; i++)
            clients[i].AssertEcho($"client {i}");
        Assert.Equal(256, backend.Accepted.Length);
        CloseAll(clients);
    }

    [Fact]
    [Trait("row", "W6")]
    public void The_client_over_the_cap_is_reset_and_the_ones_below_live_on()
    {
        // Goal: with a cap of 2 the second client is served, the third is not.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "-c2");
        using Peer first = Served(listener);
        using Peer second = Served(listener);

        using Peer third = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal(Ending.Reset, third.ReadEnding());
        first.AssertEcho("first lives");
        second.AssertEcho("second lives");
        Assert.Equal(2, backend.Accepted.Length);
    }

    [Fact]
    [Trait("row", "W6")]
    public void A_place_under_the_cap_is_free_again_once_its_client_has_left()
    {
        // Goal: N, N+1, N again: a refusal and a departure leave the count right.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--connections-max=2");
        using Peer first = Served(listener);
        using Peer second = Served(listener);
        using (Peer third = Peer.Connect(listener.LocalEndPoint!))
            Assert.Equal(Ending.Reset, third.ReadEnding());

        second.SendEnd();
        Assert.Equal(Ending.Eof, second.ReadEnding());

        // The proxy may learn of the end a moment after we do.
        Wait.Until(() => IsServed(listener, out Peer? next) && Release(next), "a client served in the place of the one who left");
        first.AssertEcho("first lives");
    }

    [Fact]
    [Trait("row", "W6")]
    public void A_cap_of_one_serves_one_client_after_the_other()
    {
        // Goal: the smallest cap works, and 20 departures in a row are all counted.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "-c1");

        for (int i = 0; i < 20; i++)
        {
            Peer? client = null;
            Wait.Until(() => IsServed(listener, out client), $"client {i} served");
            using (Peer refused = Peer.Connect(listener.LocalEndPoint!))
                Assert.Equal(Ending.Reset, refused.ReadEnding());
            Release(client);
        }
    }

    [Fact]
    public void Refused_clients_never_reach_the_backend()
    {
        // Goal: a client over the cap costs the backend nothing.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "-c1");
        using Peer first = Served(listener);

        for (int i = 0; i < 20; i++)
        {
            using Peer refused = Peer.Connect(listener.LocalEndPoint!);
            Assert.Equal(Ending.Reset, refused.ReadEnding());
        }

        first.AssertEcho("still here");
        Assert.Single(backend.Accepted);
    }

    private static Peer Served(Socket listener)
    {
        Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.AssertEcho("served");
        return client;
    }

    private static bool IsServed(Socket listener, out Peer? client)
    {
        client = Peer.Connect(listener.LocalEndPoint!);
        try
        {
            client.AssertEcho("served");
            return true;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            client.Dispose();
            return false;
        }
    }

    /// <summary>Leaves politely, and only then lets go.</summary>
    private static bool Release(Peer? client)
    {
        client!.SendEnd();
        Assert.Equal(Ending.Eof, client.ReadEnding());
        client.Dispose();
        return true;
    }

    private static void CloseAll(Peer[] clients)
    {
        foreach (Peer client in clients)
            client.Dispose();
    }
}
