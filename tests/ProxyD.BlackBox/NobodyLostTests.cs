using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Whoever waits survives the proxy itself: the next instance on the same listener serves them, in order.</summary>
public sealed class NobodyLostTests
{
    private const int ClientsEach = 10;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();
    private readonly ConcurrentDictionary<Peer, string> _requests = new();

    [Theory]
    [InlineData(Native.SIGKILL)]
    [InlineData(Native.SIGTERM)]
    public void Clients_that_wait_while_the_proxy_ends_are_served_by_the_next_one_in_order(int signal)
    {
        // Goal: neither a crash nor a stop of the proxy loses a waiting client, twice in a row.
        using Socket listener = Addresses.Listen();
        List<Peer> clients = [];
        for (int instance = 0; instance < 2; instance++)
        {
            using Subject doomed = Subject.Start(listener, _destination, "--wait-bind=30s");
            Join(clients, listener);
            Wait.ForTheSubjectToTry();
            doomed.Signal(signal);
            doomed.WaitForExit();
            // Some come while there is no proxy at all.
            Join(clients, listener);
        }

        using Subject last = Subject.Start(listener, _destination, "--wait-bind=30s");
        Wait.ForTheSubjectToTry();
        using Backend backend = Backend.Start(_destination, Answer);

        AssertAllServedInOrder(clients, backend);
    }

    [Fact]
    public void Clients_that_come_to_a_warm_backend_are_served_in_order_too()
    {
        // Goal: a queue that filled while no proxy ran is emptied first come, first served.
        using Socket listener = Addresses.Listen();
        List<Peer> clients = [];
        for (int i = 0; i < 4; i++)
            Join(clients, listener);
        using Backend backend = Backend.Start(_destination, Answer);

        using Subject subject = Subject.Start(listener, _destination);

        AssertAllServedInOrder(clients, backend);
    }

    [Fact]
    public void Two_instances_on_one_listener_lose_nobody()
    {
        // Goal: an overlap during a restart, when two processes wait for the same clients, harms nobody.
        using Socket listener = Addresses.Listen();
        using Subject first = Subject.Start(listener, _destination, "--wait-bind=30s");
        using Subject second = Subject.Start(listener, _destination, "--wait-bind=30s");
        List<Peer> clients = [];
        Join(clients, listener);
        Wait.ForTheSubjectToTry();
        using Backend backend = Backend.Start(_destination, Answer);
        Join(clients, listener);

        for (int i = 0; i < clients.Count; i++)
            Assert.Equal($"served {i}", clients[i].ReadTextToEnd());
    }

    [Fact]
    public void Instances_that_share_a_blocking_listener_do_not_block_each_other()
    {
        // Goal: not everybody who passes listeners makes them non-blocking; the slower of two must not hang in accept().
        using Socket listener = Addresses.Listen();
        listener.Blocking = true;
        using Backend backend = Backend.Echo(_destination);
        using Subject first = Subject.Start(listener, _destination);
        using Subject second = Subject.Start(listener, _destination);
        List<Peer> clients = [];
        for (int i = 0; i < 20; i++)
        {
            clients.Add(Peer.Connect(listener.LocalEndPoint!));
            clients[i].AssertEcho("hello");
        }

        foreach (Peer client in clients)
        {
            using (client)
                client.AssertEcho("hello again");
        }
    }

    private static void Join(List<Peer> clients, Socket listener)
    {
        foreach (Peer client in Peer.ConnectMany(listener.LocalEndPoint!, ClientsEach))
        {
            client.Send(string.Create(CultureInfo.InvariantCulture, $"{clients.Count}\n"));
            clients.Add(client);
        }
    }

    private void Answer(Peer peer)
    {
        using (peer)
        {
            _requests[peer] = Backend.ReadLine(peer);
            peer.Send($"served {_requests[peer]}");
        }
    }

    private void AssertAllServedInOrder(List<Peer> clients, Backend backend)
    {
        for (int i = 0; i < clients.Count; i++)
        {
            using Peer client = clients[i];
            Assert.Equal($"served {i}", client.ReadTextToEnd());
        }
        string[] order = [.. backend.Accepted.Select(peer => _requests.GetValueOrDefault(peer, "nothing"))];
        Assert.Equal(Enumerable.Range(0, clients.Count).Select(i => i.ToString(CultureInfo.InvariantCulture)), order);
    }
}
