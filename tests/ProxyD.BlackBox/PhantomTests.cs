using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>The backend sees its clients and nobody else: no probes, no empty connections.</summary>
public sealed class PhantomTests
{
    /// <summary>Longer than a spare connection that nobody claims may live.</summary>
    private const int SettleMs = 250;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_late_backend_sees_as_many_connections_as_there_are_clients()
    {
        // Goal: the probe is a client's own connection.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 20);
        Wait.ForTheSubjectToTry();
        using Backend backend = Backend.Echo(_destination);

        foreach (Peer client in clients)
            client.AssertEcho("hello");
        Thread.Sleep(SettleMs);

        Assert.Equal(20, backend.Accepted.Length);
        foreach (Peer client in clients)
            client.Dispose();
    }

    [Fact]
    public void A_warm_backend_sees_as_many_connections_as_there_are_clients()
    {
        // Goal: emptying the listen queue doesn't end in one connection too many, neither one by one nor in bursts.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        int count = 0;
        foreach (int burst in new[] { 1, 1, 1, 10, 1, 50, 2 })
        {
            Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, burst);
            foreach (Peer client in clients)
                client.AssertEcho("hello");
            count += burst;
            foreach (Peer client in clients)
                client.Dispose();
        }
        Thread.Sleep(SettleMs);

        Assert.Equal(count, backend.Accepted.Length);
    }

    [Fact]
    public void A_client_that_resets_while_it_waits_does_not_reach_the_backend()
    {
        // Goal: of a client that has gone before the backend came not one byte is delivered, and the one after it is served.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        Peer[] gone = Peer.ConnectMany(listener.LocalEndPoint!, 5);
        foreach (Peer client in gone)
            client.Send("gone\n");
        using Peer patient = Peer.Connect(listener.LocalEndPoint!);
        patient.Send("patient\n");
        Wait.ForTheSubjectToTry();
        foreach (Peer client in gone)
            client.Reset();
        ConcurrentQueue<string> requests = [];
        using Backend backend = Backend.Start(_destination, peer =>
        {
            requests.Enqueue(Backend.ReadLine(peer));
            peer.Send("served");
        });

        Assert.Equal("served", patient.Read("served".Length));
        Thread.Sleep(SettleMs);
        Assert.Equal(["patient"], requests);
        // At most one connection was opened for somebody who had gone, and was given up unused.
        Assert.InRange(backend.Accepted.Length, 1, 2);
    }

    [Fact]
    public void Nobody_waits_and_nobody_connects()
    {
        // Goal: a proxy without clients leaves its backend alone.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination);

        Wait.While(() => backend.Accepted.Length == 0, "no connection without a client", 300);
    }
}
