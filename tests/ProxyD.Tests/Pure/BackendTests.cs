using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>Waking the backend: one start for all who wait, and none when nobody does.</summary>
public sealed class BackendTests
{
    private readonly BackendWorld _world = new();

    private Backend.Backend Backend => _world.Backend;

    [Fact]
    public void There_is_one_start_however_many_clients_wait()
    {
        // Goal: the second wait finds the first one's start.
        for (int i = 0; i < 10; i++)
            _world.ClientWaits();
        Assert.Equal(1, _world.Starts);
        Assert.Equal(BackendState.Probing, Backend.State);
        Assert.True(Backend.IsWanted);
    }

    [Fact]
    public void Nothing_is_started_before_somebody_waits()
    {
        // Goal: resolver answers and timers alone wake nobody.
        Backend.OnResolved(null);
        Backend.OnWaitOver();
        _world.Advance(100_000);
        Assert.Equal(0, _world.Starts);
        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public void A_backend_that_others_started_is_only_probed()
    {
        // Goal: with systemd's units, or nothing, to start it, we just keep trying.
        _world.IsRunning = true;
        _world.ClientWaits();
        Assert.Equal(0, _world.Starts);
        Assert.Equal(BackendState.Probing, Backend.State);
        _world.Answers();
        Assert.Equal(BackendState.Ready, Backend.State);
    }

    [Fact]
    public void Ready_is_when_it_answers()
    {
        // Goal: started is not ready; only an attempt that stood says so.
        _world.ClientWaits();
        _world.Answers();
        Assert.Equal(BackendState.Ready, Backend.State);
        Assert.False(Backend.IsWanted);
        Assert.Null(Backend.Cause);
        Assert.Empty(_world.Warnings);
    }

    [Fact]
    public void After_an_idle_exit_the_next_client_starts_it_at_once()
    {
        // Goal: a backend that ended after it had answered has done nothing wrong: no pause, no warning.
        _world.ClientWaits();
        _world.Answers();
        _world.Exit();
        Assert.Equal(BackendState.Unknown, Backend.State);
        Assert.Equal(1, _world.Starts);

        _world.ClientWaits();

        Assert.Equal(2, _world.Starts);
        Assert.Empty(_world.Warnings);
    }

    [Fact]
    public void A_crash_after_it_served_is_told_and_the_next_client_starts_it_at_once()
    {
        // Goal: whoever reads the log learns that the backend dies; the clients need not suffer for it.
        _world.ClientWaits();
        _world.Serves();

        _world.Exit("it was killed by signal 11", orderly: false);
        _world.ClientWaits();

        Assert.Equal(2, _world.Starts);
        Assert.Contains("it was killed by signal 11", Assert.Single(_world.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_who_comes_during_an_idle_exit_causes_a_start_at_once()
    {
        // Goal: between the backend's close of its listener and its exit a wait begins; when the exit is heard, the start follows
        // without a pause, and nothing is called a failure.
        _world.ClientWaits();
        _world.Answers();
        _world.ClientWaits();
        _world.Exit();
        Assert.Equal(2, _world.Starts);
        Assert.Empty(_world.Warnings);
    }

    [Fact]
    public void Nobody_waits_any_more_so_nothing_is_started_again()
    {
        // Goal: clients whose hold is over don't keep a broken backend being restarted.
        _world.ClientWaits();
        _world.Exit("it exited with status 1");
        Backend.OnWaitOver();
        _world.Advance(100_000);
        Assert.Equal(1, _world.Starts);
        Assert.Equal(BackendState.Failed, Backend.State);

        _world.ClientWaits();
        Assert.Equal(2, _world.Starts);
    }

    [Fact]
    public async Task After_stop_nothing_is_started_any_more()
    {
        // Goal: an exit that our own SIGTERM caused, a client that still comes, a pause that ends: none wakes it again.
        _world.ClientWaits();
        await Backend.EndAsync();
        Assert.True(_world.IsEnded);
        _world.Exit("it was killed by signal 15");
        _world.ClientWaits();
        _world.Advance(100_000);
        Assert.Equal(1, _world.Starts);
        Assert.Empty(_world.Warnings);
    }

    [Fact]
    public async Task A_stop_during_the_pause_cancels_the_start_that_was_due()
    {
        // Goal: the timer that is on its way finds nothing to do.
        _world.ClientWaits();
        _world.Exit("it exited with status 1");
        await Backend.EndAsync();
        _world.Advance(100_000);
        Assert.Equal(1, _world.Starts);
    }

    [Fact]
    public void Kill_goes_straight_to_the_process()
    {
        // Goal: a second signal waits for nothing.
        Backend.Kill();
        Assert.True(_world.Killed);
    }

    [Fact]
    public void A_name_that_cannot_be_resolved_is_the_cause_until_it_can()
    {
        // Goal: log lines name what is known against the backend, and not what no longer is.
        Backend.OnResolved("the name 'x' has no address");
        Assert.Equal("the name 'x' has no address", Backend.Cause);
        Backend.OnResolved(null);
        Assert.Null(Backend.Cause);
    }

    [Fact]
    public void An_answer_of_the_resolver_does_not_hide_why_the_start_failed()
    {
        // Goal: "/bin/sh could not be started" stays the cause when the name resolves fine.
        _world.StartProblem = "/bin/sh could not be started (No such file or directory)";
        _world.ClientWaits();
        Backend.OnResolved(null);
        Assert.Equal(_world.StartProblem, Backend.Cause);
    }
}
