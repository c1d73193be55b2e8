using System.Net;
using System.Net.Sockets;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A backend connection that finds no client is kept for the next one, and not for long.</summary>
public sealed class SpareTests
{
    [Fact]
    public void A_client_that_gave_up_while_waiting_leaves_its_connection_to_the_next()
    {
        // Goal: two clients, the first resets in the queue: the backend sees one connection, with the second's bytes.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new() { SpareLifetimeMs = 5_000 }, holdMs: null, where);
        Socket quitter = relay.Connect();
        quitter.Send("quitter"u8);
        relay.WaitFor(RelayEventKind.WaitBegan);
        RelayHarness.ResetNow(quitter);
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        using Socket upstream = RelayHarness.Accept(backend);
        using Socket client = relay.Connect();
        client.Send("client"u8);
        Assert.Equal("client"u8.ToArray(), RelayHarness.ReadExactly(upstream, 6));
        Assert.False(backend.Poll(50_000, SelectMode.SelectRead), "the backend saw a second connection");
    }

    [Fact]
    public void A_spare_that_nobody_claims_is_closed_without_a_byte()
    {
        // Goal: the backend's accept loop isn't left with a connection that never speaks.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new(), holdMs: null, where);
        Socket quitter = relay.Connect();
        relay.WaitFor(RelayEventKind.WaitBegan);
        RelayHarness.ResetNow(quitter);
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        using Socket upstream = RelayHarness.Accept(backend);
        Assert.Equal(0, upstream.Receive(new byte[1]));
    }

    [Fact]
    public void A_spare_that_the_backend_closed_is_not_given_to_a_client()
    {
        // Goal: a dead spare is noticed before a client is bound to it.
        IPEndPoint where = RelayHarness.FreeEndpoint();
        using RelayHarness relay = new(new() { SpareLifetimeMs = 60_000 }, holdMs: null, where);
        Socket quitter = relay.Connect();
        relay.WaitFor(RelayEventKind.WaitBegan);
        RelayHarness.ResetNow(quitter);
        using Socket backend = RelayHarness.Listen(where.Address, where.Port);
        RelayHarness.Accept(backend).Dispose();
        using Socket client = relay.Connect();
        client.Send("x"u8);
        using Socket upstream = RelayHarness.Accept(backend);
        Assert.Equal("x"u8.ToArray(), RelayHarness.ReadExactly(upstream, 1));
    }
}
