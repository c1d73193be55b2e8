using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A service that the control plane has shut: nobody gets through, and nobody is lost.</summary>
public sealed class ShutServiceTests : IDisposable
{
    private readonly Socket _backend = RelayHarness.Listen(IPAddress.Loopback);

    private IPEndPoint Where => (IPEndPoint)_backend.LocalEndPoint!;

    public void Dispose() => _backend.Dispose();

    [Fact]
    public async Task Who_comes_while_it_is_shut_waits_and_is_served_when_it_opens()
    {
        // Goal: a backend that is put to sleep is not connected to, and its next client wakes it.
        using RelayHarness relay = new(new(), holdMs: null, Where);
        await relay.Server.ShutAsync(0);
        using Socket client = relay.Connect();
        client.Send("hello"u8);
        RelayEvent began = relay.WaitFor(RelayEventKind.WaitBegan);
        Assert.Equal(Errno.None, began.Error);
        Assert.False(_backend.Poll(50_000, SelectMode.SelectRead), "a shut service dials");
        relay.Server.Open(0);
        using Socket upstream = RelayHarness.Accept(_backend);
        Assert.Equal("hello"u8.ToArray(), RelayHarness.ReadExactly(upstream, 5));
        relay.WaitFor(RelayEventKind.WaitAnswered);
        upstream.Send("!"u8);
        Assert.Equal(1, client.Receive(new byte[1]));
        relay.WaitFor(RelayEventKind.FirstByte);
    }

    [Fact]
    public void The_deadline_of_who_waits_at_a_shut_service_holds()
    {
        // Goal: whatever the control plane waits for, a client is reset when its own time is over.
        using RelayHarness relay = RelayHarness.Gated(holdMs: 100, Where);
        using Socket client = relay.Connect();
        Assert.True(RelayHarness.EndsWithReset(client));
        relay.WaitFor(RelayEventKind.WaitExpired);
    }

    [Fact]
    public void A_gated_service_falls_shut_when_an_attempt_fails_and_asks_again()
    {
        // Goal: a backend that is gone must prove that it is ready before the next client is taken to it.
        IPEndPoint nobody = RelayHarness.FreeEndpoint();
        using RelayHarness relay = RelayHarness.Gated(holdMs: null, nobody);
        using Socket client = relay.Connect();
        relay.WaitFor(RelayEventKind.WaitBegan);
        relay.Server.Open(0);
        Assert.Equal(Errno.ECONNREFUSED, relay.WaitFor(RelayEventKind.WaitBegan, count: 2).Error);
        using Socket backend = RelayHarness.Listen(nobody.Address, nobody.Port);
        Assert.False(backend.Poll(50_000, SelectMode.SelectRead), "a gated service dials before it is opened");
        relay.Server.Open(0);
        using Socket upstream = RelayHarness.Accept(backend);
    }

    [Fact]
    public void Everybody_who_waits_can_be_reset_at_once()
    {
        // Goal: for a backend that cannot come nobody waits out a deadline, and who comes later waits anew.
        using RelayHarness relay = RelayHarness.Gated(holdMs: null, Where);
        Socket[] clients = [.. Enumerable.Range(0, 5).Select(_ => relay.Connect())];
        RelayHarness.Eventually(() => relay.Server.WaitingFor(0) == 5, "5 waiting");
        relay.Server.ResetWaiting(0);
        Assert.All(clients, client => Assert.True(RelayHarness.EndsWithReset(client)));
        relay.WaitFor(RelayEventKind.WaitOver);
        using Socket later = relay.Connect();
        relay.WaitFor(RelayEventKind.WaitBegan, count: 2);
        relay.Server.Open(0);
        using Socket upstream = RelayHarness.Accept(_backend);
    }

    [Fact]
    public void Those_are_reset_too_who_hide_in_a_queue_that_tells_no_number()
    {
        // Goal: a Unix listener wakes us once for all who came together, and each of them is reset.
        Socket listener = RelayHarness.Listen(IPAddress.Loopback);
        Socket[] clients = [.. Enumerable.Range(0, 20).Select(_ => RelayHarness.ConnectTo((IPEndPoint)listener.LocalEndPoint!))];
        using RelayHarness relay = RelayHarness.GatedUncounted(listener, Where);
        relay.WaitFor(RelayEventKind.WaitBegan);
        relay.Server.ResetWaiting(0);
        Assert.All(clients, client => Assert.True(RelayHarness.EndsWithReset(client)));
        relay.WaitFor(RelayEventKind.WaitOver);
    }

    [Fact]
    public async Task The_next_byte_on_a_live_connection_is_told_once()
    {
        // Goal: a backend that sleeps behind live connections is woken by their first byte.
        using RelayHarness relay = new(new(), holdMs: null, Where);
        using Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        int told = 0;
        relay.Server.TellNextMove(() => Interlocked.Increment(ref told));
        await relay.Server.PingAsync();
        Assert.Equal(0, told);
        for (int i = 0; i < 3; i++)
        {
            client.Send("x"u8);
            RelayHarness.ReadExactly(upstream, 1);
        }
        Assert.Equal(1, Volatile.Read(ref told));
    }
}
