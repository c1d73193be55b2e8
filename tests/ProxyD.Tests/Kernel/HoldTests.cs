using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>Clients wait in the listen queue until the backend's connection stands, each with its own deadline.</summary>
public sealed class HoldTests
{
    [Fact]
    public void A_client_of_a_cold_backend_is_served_when_it_comes_and_the_wait_is_reported_once()
    {
        // Goal: many failed attempts, one WaitBegan, one WaitAnswered, and the bytes arrive.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new(), holdMs: null, where);
        using Socket client = relay.Connect();
        client.Send("hello"u8);
        relay.WaitFor(RelayEventKind.WaitBegan);
        Thread.Sleep(50);
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        using Socket upstream = RelayHarness.Accept(backend);
        Assert.Equal("hello"u8.ToArray(), RelayHarness.ReadExactly(upstream, 5));
        RelayEvent answered = relay.WaitFor(RelayEventKind.WaitAnswered);
        Assert.True(answered.WaitedMs >= 50, $"waited {answered.WaitedMs} ms");
        Assert.Single(relay.Events, e => e.Kind == RelayEventKind.WaitBegan);
    }

    [Fact]
    public void Each_client_has_a_deadline_of_its_own()
    {
        // Goal: the second of two clients, 200 ms later, isn't reset with the first: it gets its full time.
        using RelayHarness relay = new(new(), holdMs: 400, RelayHarness.FreeEndpoint());
        using Socket first = relay.Connect();
        Thread.Sleep(200);
        using Socket second = relay.Connect();
        Assert.True(RelayHarness.EndsWithReset(first));
        Assert.True(RelayHarness.EndsWithReset(second));
        RelayEvent last = relay.WaitFor(RelayEventKind.WaitExpired, count: 2);
        Assert.True(last.WaitedMs >= 400, $"the second client was held for {last.WaitedMs} ms only");
        Assert.Equal(Errno.ECONNREFUSED, last.Error);
        relay.WaitFor(RelayEventKind.WaitOver);
    }

    [Fact]
    public void A_hold_of_zero_tries_once_for_each_client()
    {
        // Goal: --wait-bind=0 resets at once, but a backend that is up serves the very next client.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new(), holdMs: 0, where);
        using (Socket refused = relay.Connect())
            Assert.True(RelayHarness.EndsWithReset(refused));
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        using Socket served = relay.Connect();
        using Socket upstream = RelayHarness.Accept(backend);
    }

    [Fact]
    public async Task A_backend_that_is_known_to_be_down_is_tried_seldom_until_it_may_come()
    {
        // Goal: no attempt for a long while when the control plane says so, and one at once when it says otherwise.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new() { RetryMinMs = 300_000, RetryMaxMs = 300_000 }, holdMs: null, where);
        relay.Server.SetSlow(0, true);
        await relay.Server.PingAsync();
        using Socket client = relay.Connect();
        relay.WaitFor(RelayEventKind.WaitBegan);
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        Assert.False(backend.Poll(50_000, SelectMode.SelectRead), "it is tried within the pause");
        relay.Server.SetSlow(0, false);
        using Socket upstream = RelayHarness.Accept(backend);
    }

    [Fact]
    public void Clients_that_wait_are_served_in_the_order_they_came()
    {
        // Goal: the queue is the kernel's, first come, first served.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new() { Threads = 2 }, holdMs: null, where);
        List<Socket> clients = [];
        for (byte i = 0; i < 20; i++)
        {
            clients.Add(relay.Connect());
            clients[i].Send([i]);
        }
        RelayHarness.Eventually(() => relay.Server.WaitingFor(0) == 20, "20 waiting");
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        for (byte i = 0; i < 20; i++)
        {
            using Socket upstream = RelayHarness.Accept(backend);
            Assert.Equal(i, RelayHarness.ReadExactly(upstream, 1)[0]);
        }
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public void A_stopped_relay_leaves_waiting_clients_in_the_queue_for_the_next()
    {
        // Goal: between two instances on the same listening socket, nobody is lost and nobody is answered twice.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new(), holdMs: null, where);
        using Socket client = relay.Connect();
        client.Send("x"u8);
        relay.WaitFor(RelayEventKind.WaitBegan);
        relay.StopAccepting();
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        Assert.False(backend.Poll(50_000, SelectMode.SelectRead), "a stopped relay still dials");
        using RelayHarness next = relay.NextInstance();
        using Socket upstream = RelayHarness.Accept(backend);
        Assert.Equal("x"u8.ToArray(), RelayHarness.ReadExactly(upstream, 1));
    }
}
