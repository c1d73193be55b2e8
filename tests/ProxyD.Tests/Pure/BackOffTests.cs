using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>A backend that keeps ending before it answers is started again after pauses that grow, up to a cap.</summary>
public sealed class BackOffTests
{
    private const int First = BackOff.MinMs;
    private const int Cap = BackOff.MaxMs;

    private readonly BackendWorld _world = new();

    private Backend.Backend Backend => _world.Backend;

    [Fact]
    public void The_pause_doubles_up_to_the_cap()
    {
        // Goal: 100, 200, 400 … 25600, 30000, 30000 ms; each start comes at its millisecond and not one before.
        _world.ClientWaits();
        int pauseMs = First;
        for (int starts = 1; starts < 15; starts++)
        {
            Assert.Equal(starts, _world.Starts);
            _world.Exit("it exited with status 1");
            _world.Advance(pauseMs - 1);
            Assert.Equal(starts, _world.Starts);
            Assert.Equal(BackendState.Failed, Backend.State);
            _world.Advance(1);
            Assert.Equal(starts + 1, _world.Starts);
            pauseMs = Math.Min(pauseMs * 2, Cap);
        }
        Assert.Equal(Cap, pauseMs);
    }

    [Fact]
    public void A_client_who_comes_in_the_pause_does_not_shorten_it()
    {
        // Goal: a crowd at the door can't turn a crash loop into a busy loop.
        _world.ClientWaits();
        _world.Exit("it exited with status 1");
        for (int i = 0; i < 10; i++)
            _world.ClientWaits();
        _world.Advance(First - 1);
        Assert.Equal(1, _world.Starts);
        _world.Advance(1);
        Assert.Equal(2, _world.Starts);
        _world.Advance(Cap);
        Assert.Equal(2, _world.Starts);
    }

    [Fact]
    public void An_answer_forgives_everything_before_it()
    {
        // Goal: after a good run the next failure is met as the first one.
        _world.ClientWaits();
        for (int pauseMs = First; pauseMs <= First * 8; pauseMs *= 2)
        {
            _world.Exit("it exited with status 1");
            _world.Advance(pauseMs);
        }
        _world.Serves();
        _world.Exit();

        _world.ClientWaits();
        int starts = _world.Starts;
        _world.Exit("it exited with status 1");
        _world.Advance(First);
        Assert.Equal(starts + 1, _world.Starts);
    }

    [Fact]
    public void A_start_that_is_refused_counts_as_a_failure()
    {
        // Goal: no /bin/sh, no memory for a process: named, and tried again after the pause.
        _world.StartProblem = "/bin/sh could not be started (Cannot allocate memory)";
        _world.ClientWaits();
        Assert.Equal(BackendState.Failed, Backend.State);
        Assert.Equal(_world.StartProblem, Backend.Cause);
        _world.StartProblem = null;
        _world.Advance(First);
        Assert.Equal(2, _world.Starts);
        Assert.Equal(BackendState.Probing, Backend.State);
    }

    [Fact]
    public void Each_failure_is_one_line_with_its_cause_and_the_pause()
    {
        // Goal: the journal says what failed, why, and when the next start is due.
        _world.ClientWaits();
        _world.Exit("the command was not found (exit status 127)");
        _world.Advance(First);
        _world.Exit("it was killed by signal 11");
        string[] expected =
        [
            "the command was not found (exit status 127) before it answered; next start in 100 ms at the earliest",
            "it was killed by signal 11 before it answered; next start in 200 ms at the earliest",
        ];
        Assert.Equal(expected.Select(e => $"127.0.0.1:18080 failed: {e}"), _world.Warnings);
        Assert.Equal("it was killed by signal 11 before it answered", Backend.Cause);
    }
}
