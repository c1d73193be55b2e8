using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>Who waits for a backend that cannot come is told at once, and the start limits of the service manager stay its own.</summary>
public sealed class FailEarlyTests
{
    private readonly BackendWorld _world = new() { StartTakesTime = true };

    private Backend.Backend Backend => _world.Backend;

    [Fact]
    public void A_refused_start_resets_who_waits_and_names_the_cause()
    {
        // Goal: masked, missing, not allowed: nobody waits out a deadline for that.
        _world.Waiting = 2;
        _world.ClientWaits();
        _world.Refuse("web.service is masked; systemctl unmask web.service would allow it");
        Assert.Equal(1, _world.Resets);
        Assert.Equal(
            "127.0.0.1:18080 failed: web.service is masked; systemctl unmask web.service would allow it; 2 clients reset, next start in 100 ms at the earliest",
            Assert.Single(_world.Warnings));
    }

    [Fact]
    public void A_unit_that_fails_before_it_answered_resets_who_waits()
    {
        // Goal: a crash at start is known at once, so it is told at once.
        _world.ClientWaits();
        _world.Started();
        _world.Exit("web.service failed (exit-code, status 203/EXEC); see: journalctl -u web.service", orderly: false, cannotCome: true);
        Assert.Equal(1, _world.Resets);
        Assert.Equal("web.service failed (exit-code, status 203/EXEC); see: journalctl -u web.service", Backend.Cause);
    }

    [Fact]
    public void Who_comes_in_the_pause_waits_for_the_next_start()
    {
        // Goal: the back-off holds clients, it does not reset them.
        _world.ClientWaits();
        _world.Refuse("no");
        _world.ClientWaits();
        Assert.Equal(1, _world.Resets);
        _world.Advance(BackOff.MinMs);
        Assert.Equal(2, _world.Starts);
        _world.Started();
        _world.Answers();
        Assert.Equal(BackendState.Ready, Backend.State);
        Assert.Equal(1, _world.Resets);
    }

    [Fact]
    public void A_crash_after_it_served_starts_it_again_for_who_waits()
    {
        // Goal: whoever came while it crashed is not reset for what another has met.
        _world.ClientWaits();
        _world.Started();
        _world.Serves();
        _world.ClientWaits();
        _world.Exit("web.service failed (signal, 11/SEGV); see: journalctl -u web.service", orderly: false, cannotCome: true);
        Assert.Equal(2, _world.Starts);
        Assert.Equal(0, _world.Resets);
    }

    [Fact]
    public void A_backend_that_takes_connections_and_dies_meets_back_off()
    {
        // Goal: accept and crash, again and again, is a crash loop too; who waits is held, and forgiven is only who has sent a byte.
        _world.ClientWaits();
        int pauseMs = BackOff.MinMs;
        for (int starts = 1; starts <= 4; starts++)
        {
            _world.Started();
            _world.Answers();
            _world.ClientWaits();
            _world.Exit("web.service failed (exit-code, status 1); see: journalctl -u web.service", orderly: false, cannotCome: true);
            Assert.Equal(starts, _world.Starts);
            _world.Advance(pauseMs);
            Assert.Equal(starts + 1, _world.Starts);
            pauseMs *= 2;
        }
        Assert.Equal(0, _world.Resets);
        _world.Started();
        _world.Serves();
        _world.ClientWaits();
        _world.Exit("web.service failed (exit-code, status 1); see: journalctl -u web.service", orderly: false, cannotCome: true);
        Assert.Equal(6, _world.Starts);
    }

    [Fact]
    public void While_it_is_known_to_be_down_it_is_tried_seldom()
    {
        // Goal: a hundred clients in the queue of a crash loop cost next to nothing, and the next start is watched closely.
        _world.ClientWaits();
        _world.Refuse("no");
        Assert.False(_world.IsExpectedSoon);
        _world.ClientWaits();
        _world.Advance(BackOff.MinMs);
        Assert.True(_world.IsExpectedSoon);
    }

    [Fact]
    public void A_missing_bus_holds_who_waits_and_is_no_fault_of_the_backend()
    {
        // Goal: the bus is being restarted: its return starts the backend at once, whatever pause was due.
        _world.StartProblem = "the system bus can't be reached (Connection refused)";
        _world.ClientWaits();
        for (int i = 0; i < 6; i++)
            _world.Advance(BackOff.MinMs << i);
        Assert.Equal(0, _world.Resets);
        int starts = _world.Starts;
        _world.StartProblem = null;
        _world.Report!(new(ActivatorEventKind.Reachable));
        Assert.Equal(starts + 1, _world.Starts);
        _world.Started();
        Assert.Equal(BackendState.Probing, Backend.State);
        _world.Advance(BackOff.MaxMs);
        Assert.Equal(starts + 1, _world.Starts);
    }

    [Fact]
    public void While_a_start_is_on_its_way_no_other_is_ordered()
    {
        // Goal: one job however many clients wait and however long systemd takes.
        for (int i = 0; i < 10; i++)
            _world.ClientWaits();
        Assert.Equal(1, _world.Starts);
        Assert.Equal(BackendState.Starting, Backend.State);
    }

    [Fact]
    public void An_end_of_what_somebody_else_started_is_nobodys_failure()
    {
        // Goal: a unit started and stopped by hand, with no client in sight, leaves no warning.
        _world.Started();
        _world.Exit();
        Assert.Empty(_world.Warnings);
        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public void An_orderly_end_that_nobody_waited_for_is_no_failure()
    {
        // Goal: the clients left during the start, and the daemon went to sleep unused.
        _world.ClientWaits();
        _world.Started();
        Backend.OnWaitOver();
        _world.Exit();
        Assert.Empty(_world.Warnings);
    }
}
