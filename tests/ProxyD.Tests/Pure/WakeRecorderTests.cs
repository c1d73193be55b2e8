using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>Each wake is one line with its timeline, and the last ones are kept.</summary>
public sealed class WakeRecorderTests
{
    private readonly BackendWorld _world = new() { StartTakesTime = true };

    private WakeRecorder Wakes => _world.Backend.Wakes;

    [Fact]
    public void Every_moment_counts_from_the_first_clients_arrival()
    {
        // Goal: client arrived, job ordered, job done, answers, ready, accepted, first byte, in ms.
        _world.ClientWaits();
        _world.Advance(4);
        _world.Started();
        _world.Advance(50);
        _world.Answers();
        _world.Advance(3);
        Wakes.OnFirstByte(_world.NowMs, _world.NowMs - 3);
        Assert.Equal(
            "127.0.0.1:18080 answered after 54 ms; 1 client waited; start ordered 0, carried out 4, answers 54, ready 54, accepted 54, first byte 57",
            Assert.Single(_world.Lines));
        WakeTimeline kept = Assert.Single(Wakes.Kept);
        Assert.Equal((0, 4, 54), (kept.Ordered.Ms, kept.Started.Ms, kept.Answers.Ms));
        Assert.Equal((54, 54, 57), (kept.Ready.Ms, kept.Accepted.Ms, kept.FirstByte.Ms));
    }

    [Fact]
    public void A_wake_without_a_first_byte_is_told_all_the_same()
    {
        // Goal: a client that says nothing for a while hides no cold start.
        Wake();
        Assert.Empty(_world.Lines);
        _world.Advance(1_000);
        Assert.EndsWith("first byte -", Assert.Single(_world.Lines), StringComparison.Ordinal);
        Wakes.OnFirstByte(_world.NowMs, _world.NowMs - 1_000);
        Assert.Single(_world.Lines);
    }

    [Fact]
    public void A_late_first_byte_belongs_to_no_later_wake()
    {
        // Goal: the first wake's client was slow, and the second wake has not been answered with a byte yet.
        Wake();
        _world.Exit();
        _world.Advance(100);
        Wake();
        Wakes.OnFirstByte(_world.NowMs, answeredMs: 0);
        Assert.EndsWith("first byte -", Assert.Single(_world.Lines), StringComparison.Ordinal);
        Wakes.OnFirstByte(_world.NowMs + 5, _world.NowMs);
        Assert.EndsWith("first byte 5", _world.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_wait_that_was_no_wake_is_not_told()
    {
        // Goal: a name that was looked up, a backend that was busy for a moment.
        _world.IsRunning = true;
        _world.ClientWaits();
        _world.Backend.OnAnswered(_world.NowMs, clients: 1, isColdStart: false);
        _world.Advance(10_000);
        Assert.Empty(_world.Lines);
        Assert.Empty(Wakes.Kept);
    }

    [Fact]
    public void A_failed_wake_is_kept_with_its_cause()
    {
        // Goal: who asks later sees why nobody was served.
        _world.ClientWaits();
        _world.Refuse("web.service is masked");
        Assert.Equal("web.service is masked", Assert.Single(Wakes.Kept).Problem);
    }

    [Fact]
    public void A_wake_whose_clients_were_reset_says_what_they_were_told()
    {
        // Goal: where others start the backend nothing is known against it but what its clients met; one that comes after all has no problem.
        _world.ClientWaits();
        _world.Advance(5_000);
        _world.Backend.OnExpired("Connection refused");
        _world.Backend.OnWaitOver();
        WakeTimeline failed = Assert.Single(Wakes.Kept);
        Assert.Equal(("Connection refused", 5_000), (failed.Problem, failed.Ended.Ms));
        _world.ClientWaits();
        _world.Backend.OnExpired("Connection refused");
        _world.Serves();
        Assert.Null(Wakes.Kept.Last().Problem);
        _world.Exit();
        _world.ClientWaits();
        _world.Backend.OnWaitOver();
        Assert.Equal("its clients left before it answered", Wakes.Kept.Last().Problem);
        Assert.Equal((1, 2, 2), (Wakes.Answered, Wakes.Failed, _world.Backend.ResetClients));
    }

    [Fact]
    public void The_last_ones_are_kept()
    {
        // Goal: bounded, the oldest go first.
        for (int i = 0; i < WakeRecorder.KeptMax + 3; i++)
        {
            Wake();
            _world.Exit();
            _world.Advance(2_000);
        }
        Assert.Equal(WakeRecorder.KeptMax, Wakes.Kept.Count);
        Assert.Equal(WakeRecorder.KeptMax + 3, Wakes.Answered);
        Assert.Equal(3 * 2_000, Wakes.Kept.First().ArrivedMs);
    }

    private void Wake()
    {
        _world.ClientWaits();
        _world.Started();
        _world.Answers();
    }
}
