using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A connection that waits for another backend waits like a client in the listen queue: same clock, same ends, and its turn first.</summary>
public sealed class RetryWaitTests
{
    private static readonly byte[] s_request = "question"u8.ToArray();

    [Fact]
    public void Without_the_option_a_reset_is_the_clients()
    {
        // Goal: off by default, for the dying backend may have acted on the request.
        using Socket backend = RelayHarness.Listen(IPAddress.Loopback);
        using RelayHarness relay = new(new(), holdMs: null, (IPEndPoint)backend.LocalEndPoint!);
        using Socket client = relay.Connect();
        client.Send(s_request);
        Socket upstream = RelayHarness.Accept(backend);
        RelayHarness.ReadExactly(upstream, s_request.Length);
        RelayHarness.ResetNow(upstream);
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.Unanswered, relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        Assert.False(backend.Poll(100_000, SelectMode.SelectRead), "retried without being asked to");
    }

    [Fact]
    public void A_client_that_resets_while_it_waits_is_gone_at_once()
    {
        // Goal: no backend is woken, or troubled, for somebody who has left.
        using RetryWorld world = new();
        Socket client = world.ClientThatWaits(s_request);
        RelayHarness.ResetNow(client);
        Assert.Equal(CloseReason.ClientReset, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        world.Relay.WaitFor(RelayEventKind.WaitOver);
        RelayHarness.Eventually(() => world.Relay.Server.WaitingFor(0) == 0, "nobody waits");
        world.StartBackend();
        Assert.False(world.SomebodyConnects(), "connected for nobody");
    }

    [Fact]
    public void Its_deadline_counts_from_the_reset()
    {
        // Goal: each wait has the whole hold, and no more.
        const int HoldMs = 300;
        using RetryWorld world = new(holdMs: HoldMs);
        using Socket client = world.ClientInBacklog(s_request);
        Thread.Sleep(2 * HoldMs);
        world.EndBackend();
        Assert.True(RelayHarness.EndsWithReset(client));
        RelayEvent expired = world.Relay.WaitFor(RelayEventKind.WaitExpired);
        Assert.Equal(Errno.ECONNREFUSED, expired.Error);
        Assert.True(expired.WaitedMs >= HoldMs, $"reset after {expired.WaitedMs} ms");
        Assert.Equal(CloseReason.Unanswered, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        RelayHarness.Eventually(() => world.Relay.Server.Live == 0, "no connection left");
    }

    [Fact]
    public void A_hold_of_zero_tries_once_more_and_no_longer()
    {
        // Goal: as for a new client, "0" is one attempt.
        using RetryWorld world = new(holdMs: 0);
        using Socket client = world.ClientInBacklog(s_request);
        world.EndBackend();
        Assert.True(RelayHarness.EndsWithReset(client));
        world.Relay.WaitFor(RelayEventKind.WaitExpired);
    }

    [Fact]
    public void When_taking_clients_stops_it_is_reset()
    {
        // Goal: it is out of the queue, so no next instance could serve it; a drain must not wait for it.
        using RetryWorld world = new();
        using Socket client = world.ClientThatWaits(s_request);
        world.Relay.StopAccepting();
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.Unanswered, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        RelayHarness.Eventually(() => world.Relay.Server.Live == 0, "no connection left");
    }

    [Fact]
    public void A_backend_that_dies_during_the_drain_leaves_its_client_reset()
    {
        // Goal: who comes back after the stop is not forgotten.
        using RetryWorld world = new();
        using Socket client = world.ClientInBacklog(s_request);
        world.Relay.StopAccepting();
        world.EndBackend();
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.Unanswered, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public async Task The_end_of_the_drain_ends_it_too()
    {
        // Goal: everybody who is live can be reset, in whatever state.
        using RetryWorld world = new();
        using Socket client = world.ClientThatWaits(s_request);
        await world.Relay.Server.AbortAllAsync();
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.Drained, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        RelayHarness.Eventually(() => world.Relay.Server.WaitingFor(0) == 0, "nobody waits");
    }

    [Fact]
    public async Task A_pause_keeps_it_and_counts_it()
    {
        // Goal: proxyd does not end for idleness while one waits, and serves it when it goes on.
        using RetryWorld world = new();
        using Socket client = world.ClientThatWaits(s_request);
        Assert.False((await world.Relay.Server.PauseAsync())[0]);
        world.StartBackend();
        Assert.False(world.SomebodyConnects(), "dialled while paused");
        world.Relay.Server.Resume();
        using Socket upstream = world.Accept();
        Assert.Equal(s_request, RelayHarness.ReadExactly(upstream, s_request.Length));
    }

    [Fact]
    public async Task At_a_shut_service_it_wakes_the_backend_and_waits_until_that_is_ready()
    {
        // Goal: the control plane hears of it as of any wait, and decides.
        using RetryWorld world = new();
        using Socket client = world.ClientInBacklog(s_request);
        await world.Relay.Server.ShutAsync(0);
        world.EndBackend();
        Assert.Equal(Errno.None, world.Relay.WaitFor(RelayEventKind.WaitBegan).Error);
        world.StartBackend();
        Assert.False(world.SomebodyConnects(), "a shut service dials");
        world.Relay.Server.Open(0);
        using Socket upstream = world.Accept();
        Assert.Equal(s_request, RelayHarness.ReadExactly(upstream, s_request.Length));
        world.Relay.WaitFor(RelayEventKind.WaitAnswered);
    }

    [Fact]
    public void A_gated_service_asks_again_before_it_is_taken_over()
    {
        // Goal: a fresh backend must prove that it is ready before the retry, too.
        using RetryWorld world = new(isGated: true);
        world.Relay.Server.Open(0);
        using Socket client = world.ClientThatWaits(s_request);
        Assert.Equal(Errno.ECONNREFUSED, world.Relay.WaitFor(RelayEventKind.WaitBegan).Error);
        world.StartBackend();
        Assert.False(world.SomebodyConnects(), "a gated service dials before it is opened");
        world.Relay.Server.Open(0);
        using Socket upstream = world.Accept();
        Assert.Equal(s_request, RelayHarness.ReadExactly(upstream, s_request.Length));
    }

    [Fact]
    public void When_the_backend_cannot_come_all_are_reset_at_once()
    {
        // Goal: those who came back and those in the queue fare alike.
        using RetryWorld world = new();
        using Socket first = world.ClientThatWaits(s_request);
        using Socket second = world.Relay.Connect();
        RelayHarness.Eventually(() => world.Relay.Server.WaitingFor(0) == 2, "2 waiting");
        world.Relay.Server.ResetWaiting(0);
        Assert.True(RelayHarness.EndsWithReset(first));
        Assert.True(RelayHarness.EndsWithReset(second));
        world.Relay.WaitFor(RelayEventKind.WaitOver);
    }

    [Fact]
    public void It_is_served_before_those_in_the_listen_queue()
    {
        // Goal: first come, first served: they came later.
        using RetryWorld world = new();
        using Socket first = world.ClientThatWaits("first "u8.ToArray());
        Socket[] later = [.. Enumerable.Range(0, 3).Select(_ => world.Relay.Connect())];
        foreach (Socket client in later)
            client.Send("later "u8);
        RelayHarness.Eventually(() => world.Relay.Server.WaitingFor(0) == 4, "4 waiting");
        world.StartBackend();
        string[] served = [.. Enumerable.Range(0, 4).Select(_ => Request(world.Accept()))];
        Assert.Equal(["first ", "later ", "later ", "later "], served);
    }

    [Fact]
    public void The_connection_limit_is_not_its_concern()
    {
        // Goal: it holds its place all the time; a client over the limit is reset meanwhile, as ever.
        using RetryWorld world = new(limits: new() { ConnectionsMax = 1 });
        using Socket client = world.ClientThatWaits(s_request);
        using Socket tooMany = world.Relay.Connect();
        Assert.True(RelayHarness.EndsWithReset(tooMany));
        world.StartBackend();
        Assert.Equal("question"[..6], Request(world.Accept()));
    }

    private static string Request(Socket upstream) => Encoding.ASCII.GetString(RelayHarness.ReadExactly(upstream, 6));
}
