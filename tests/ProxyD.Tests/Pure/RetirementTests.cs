using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>A backend that nobody needs is put to sleep, and the client that comes in that very moment is not lost.</summary>
public sealed class RetirementTests
{
    private const int IdleMs = 1_000;

    private static readonly GateView s_nobody = new(Waiting: 0, Live: 0, LastMoveMs: 0);

    [Fact]
    public void After_the_idle_time_the_gate_is_shut_before_anything_is_stopped()
    {
        // Goal: shut, look, stop, open: in this order, and only then.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs - 1);
        Assert.False(world.GateIsAsked);
        world.Advance(1);
        Assert.True(world.GateIsAsked);
        Assert.Empty(world.Orders);
        world.GateIsShut(s_nobody);
        Assert.Equal(["stop"], world.Orders);
        Assert.False(world.IsOpen);
        world.Exit();
        world.SleepDone();
        Assert.True(world.IsOpen);
        Assert.Equal(BackendState.Unknown, world.Backend.State);
        Assert.Equal(1, world.Starts);
        Assert.Empty(world.Warnings);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void Who_is_seen_at_the_shut_gate_keeps_it_awake(int waiting, int live)
    {
        // Goal: a client that came between the timer and the gate is served by the backend that is there.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(new(waiting, live, 0));
        Assert.Empty(world.Orders);
        Assert.True(world.IsOpen);
        Assert.Equal(BackendState.Ready, world.Backend.State);
        world.Advance(IdleMs);
        Assert.True(world.GateIsAsked, "the idle time does not go on");
    }

    [Fact]
    public void Who_comes_while_it_stops_is_started_for_when_it_is_down()
    {
        // Goal: the dying backend is not asked, and the fresh one is started once.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        world.ClientWaits();
        Assert.Equal(1, world.Starts);
        world.Exit();
        Assert.Equal(1, world.Starts);
        world.SleepDone();
        Assert.Equal(2, world.Starts);
        Assert.True(world.IsOpen);
    }

    [Fact]
    public void Connections_and_clients_put_the_time_off()
    {
        // Goal: idle means without connections from now on, not since the start.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        for (int i = 0; i < 5; i++)
        {
            world.Advance(IdleMs - 100);
            world.Backend.OnActivity();
        }
        world.Live = 1;
        world.Advance(10 * IdleMs);
        Assert.False(world.GateIsAsked);
        world.Live = 0;
        world.Backend.OnActivity();
        world.Advance(IdleMs - 1);
        Assert.False(world.GateIsAsked);
        world.Advance(1);
        Assert.True(world.GateIsAsked);
    }

    [Fact]
    public void By_bytes_a_silent_connection_does_not_keep_it_awake()
    {
        // Goal: --idle-by=bytes looks at the last byte, and counts on from there.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: true, TimeSpan.Zero));
        world.Live = 1;
        world.Advance(IdleMs);
        long movedMs = world.NowMs - 400;
        world.GateIsShut(new(0, Live: 1, movedMs));
        Assert.Empty(world.Orders);
        world.Advance(IdleMs - 400 - 1);
        Assert.False(world.GateIsAsked);
        world.Advance(1);
        world.GateIsShut(new(0, Live: 1, movedMs));
        Assert.Equal(["stop"], world.Orders);
    }

    [Fact]
    public void It_runs_at_least_for_its_minimum()
    {
        // Goal: --backend-min-up counts from the moment it came up.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, MinUp: TimeSpan.FromSeconds(60)));
        world.Advance(59_999);
        Assert.False(world.GateIsAsked);
        world.Advance(1);
        Assert.True(world.GateIsAsked);
    }

    [Fact]
    public void A_frozen_backend_stays_behind_a_shut_gate_until_somebody_comes()
    {
        // Goal: its kernel would go on accepting for it, so nobody is taken to it before the thaw.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        Assert.Equal(["freeze"], world.Orders);
        world.SleepDone();
        Assert.Equal(BackendState.Frozen, world.Backend.State);
        Assert.False(world.IsOpen);
        world.ClientWaits();
        Assert.Equal(["freeze", "thaw"], world.Orders);
        Assert.False(world.IsOpen);
        world.SleepDone();
        Assert.True(world.IsOpen);
        Assert.Equal(BackendState.Ready, world.Backend.State);
        Assert.Equal(1, world.Starts);
    }

    [Fact]
    public void A_byte_on_a_silent_connection_thaws_it()
    {
        // Goal: with --idle-by=bytes connections live on while it is frozen, and their first byte is what a client is otherwise.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: true, TimeSpan.Zero));
        world.Live = 1;
        world.Advance(IdleMs);
        world.GateIsShut(new(0, Live: 1, LastMoveMs: 0));
        world.SleepDone();
        world.Move();
        Assert.Equal(["freeze", "thaw"], world.Orders);
    }

    [Fact]
    public void A_byte_that_moves_while_the_freeze_is_on_its_way_thaws_it()
    {
        // Goal: that byte is told of only once, and who sent it waits for an answer of a frozen backend.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: true, TimeSpan.Zero));
        world.Live = 1;
        world.Advance(IdleMs);
        world.GateIsShut(new(0, Live: 1, LastMoveMs: 0));
        Assert.Equal(["freeze"], world.Orders);
        world.Move();
        Assert.Equal(["freeze"], world.Orders);
        world.SleepDone();
        Assert.Equal(["freeze", "thaw"], world.Orders);
    }

    [Fact]
    public void A_thaw_that_fails_is_tried_again_while_somebody_waits()
    {
        // Goal: the bus is away for a moment: the client is held, and the next try serves it.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        world.SleepDone();
        world.ClientWaits();
        world.SleepDone("the system bus can't be reached (Connection refused)");
        Assert.Single(world.Warnings);
        world.Advance(BackOff.MinMs);
        Assert.Equal(["freeze", "thaw", "thaw"], world.Orders);
        world.SleepDone();
        Assert.True(world.IsOpen);
    }

    [Fact]
    public void What_cannot_be_frozen_is_told_once_and_stays_awake()
    {
        // Goal: no cgroup v2, an old systemd, no right: one clear line, and nobody is held up.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        world.SleepDone("freeze web.service is not possible here");
        Assert.Contains("freeze web.service is not possible here", Assert.Single(world.Warnings), StringComparison.Ordinal);
        Assert.True(world.IsOpen);
        world.Backend.OnActivity();
        world.Advance(10 * IdleMs);
        Assert.False(world.GateIsAsked);
    }

    [Fact]
    public void A_stop_that_another_hand_undid_is_tried_again_after_the_next_idle_time()
    {
        // Goal: a restart by hand cancels our stop, a bus that restarts loses its end: neither keeps the backend awake for ever.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        world.SleepDone("the stop of web.service ended with: canceled", isPassing: true);
        Assert.True(world.IsOpen);
        Assert.Empty(world.Warnings);
        world.Advance(IdleMs - 1);
        Assert.False(world.GateIsAsked);
        world.Advance(1);
        world.GateIsShut(s_nobody);
        Assert.Equal(["stop", "stop"], world.Orders);
    }

    [Fact]
    public void A_backend_that_ends_by_itself_while_it_is_put_to_sleep_is_asleep()
    {
        // Goal: its own idle exit in that very moment is no failure to freeze it.
        BackendWorld world = Up(new(SleepKind.Freeze, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.GateIsShut(s_nobody);
        world.Exit();
        world.SleepDone("web.service is not active");
        Assert.Empty(world.Warnings);
        Assert.Equal(BackendState.Unknown, world.Backend.State);
        Assert.True(world.IsOpen);
    }

    [Fact]
    public void Who_came_when_it_ended_while_its_gate_was_shut_is_started_for()
    {
        // Goal: that client has begun its wait already and begins no other: it is served by a fresh backend.
        BackendWorld world = Up(new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Advance(IdleMs);
        world.ClientWaits();
        world.Exit();
        world.GateIsShut(new(Waiting: 1, Live: 0, LastMoveMs: 0));
        Assert.Equal(2, world.Starts);
        Assert.True(world.IsOpen);
        Assert.Empty(world.Orders);
    }

    [Fact]
    public void Nothing_is_put_to_sleep_that_does_not_run()
    {
        // Goal: a service that nobody has used since boot has nothing to stop.
        BackendWorld world = new(sleep: new(SleepKind.Stop, Idle(), ByBytes: false, TimeSpan.Zero));
        world.Backend.OnActivity();
        world.Advance(10 * IdleMs);
        Assert.False(world.GateIsAsked);
    }

    private static TimeSpan Idle() => TimeSpan.FromMilliseconds(IdleMs);

    /// <summary>A backend that was started for a client and has answered it.</summary>
    private static BackendWorld Up(SleepRule rule)
    {
        BackendWorld world = new(sleep: rule);
        world.ClientWaits();
        world.Answers();
        return world;
    }
}
