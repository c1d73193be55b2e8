using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

public sealed class TimerQueueTests
{
    private readonly TimerQueue _queue = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Timers_fire_in_the_order_they_are_due()
    {
        // Goal: whatever the order of arming, the earliest comes first, and only what is due.
        foreach (int due in (int[])[50, 10, 40, 20, 30])
            _queue.Arm(Named($"{due}"), due);
        Assert.Equal(10, _queue.NextDueMs);

        _queue.FireDue(40);

        Assert.Equal(["10", "20", "30", "40"], _fired);
        Assert.Equal(50, _queue.NextDueMs);
    }

    [Fact]
    public void A_timer_is_due_in_its_very_millisecond_and_not_before()
    {
        // Goal: at due - 1, due and due + 1.
        _queue.Arm(Named("a"), 10);
        _queue.FireDue(9);
        Assert.Empty(_fired);
        _queue.FireDue(10);
        Assert.Equal(["a"], _fired);
        _queue.FireDue(11);
        Assert.Equal(["a"], _fired);
    }

    [Fact]
    public void An_empty_queue_is_never_due()
    {
        // Goal: the loop may then block for ever.
        Assert.Equal(long.MaxValue, _queue.NextDueMs);
        _queue.FireDue(long.MaxValue - 1);
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public void A_cancelled_timer_leaves_nothing_behind()
    {
        // Goal: ten thousand connections that end early leave no heap of dead timers.
        LoopTimer[] timers = [.. Enumerable.Range(0, 10_000).Select(i => Named($"{i}"))];
        for (int i = 0; i < timers.Length; i++)
            _queue.Arm(timers[i], i);
        foreach (LoopTimer timer in timers)
            _queue.Cancel(timer);

        Assert.Equal(0, _queue.Count);
        Assert.DoesNotContain(timers, t => t.IsArmed);
        _queue.FireDue(long.MaxValue - 1);
        Assert.Empty(_fired);
    }

    [Fact]
    public void To_cancel_what_is_not_armed_does_nothing()
    {
        // Goal: callers need not remember whether a timer runs.
        LoopTimer fired = Named("a");
        _queue.Arm(fired, 1);
        _queue.FireDue(1);
        _queue.Arm(Named("b"), 5);
        _queue.Cancel(fired);
        _queue.Cancel(Named("never armed"));
        Assert.Equal(1, _queue.Count);
        Assert.Equal(5, _queue.NextDueMs);
    }

    [Fact]
    public void To_arm_again_moves_the_timer()
    {
        // Goal: one timer is in the queue once, at its latest time, earlier or later than before.
        LoopTimer moved = Named("moved");
        _queue.Arm(moved, 20);
        _queue.Arm(Named("fixed"), 30);
        _queue.Arm(moved, 40);
        Assert.Equal(30, _queue.NextDueMs);
        _queue.Arm(moved, 10);
        Assert.Equal(2, _queue.Count);
        _queue.FireDue(50);
        Assert.Equal(["moved", "fixed"], _fired);
    }

    [Fact]
    public void A_timer_may_arm_itself_for_later_when_it_fires()
    {
        // Goal: the half-close timer does so on each silent turn.
        LoopTimer again = null!;
        again = new(now =>
        {
            _fired.Add($"at {now}");
            _queue.Arm(again, now + 10);
        });
        _queue.Arm(again, 10);
        _queue.FireDue(10);
        _queue.FireDue(15);
        _queue.FireDue(20);
        Assert.Equal(["at 10", "at 20"], _fired);
    }

    [Fact]
    public void A_timer_that_arms_itself_for_now_waits_for_the_next_call()
    {
        // Goal: such a timer fires once a turn, however many others are armed for later, so it can't hold up the loop.
        LoopTimer again = null!;
        again = new(now =>
        {
            _fired.Add("again");
            _queue.Arm(again, now);
        });
        _queue.Arm(again, 10);
        for (int i = 0; i < 5; i++)
            _queue.Arm(Named("later"), 1000);

        _queue.FireDue(10);

        Assert.Equal(["again"], _fired);
        _queue.FireDue(11);
        Assert.Equal(["again", "again"], _fired);
    }

    [Fact]
    public void A_timer_that_arms_itself_for_the_past_takes_no_other_timers_turn()
    {
        // Goal: what was due when the call began fires in that call.
        LoopTimer again = null!;
        again = new(now =>
        {
            _fired.Add("again");
            _queue.Arm(again, now - 5);
        });
        _queue.Arm(again, 9);
        _queue.Arm(Named("other"), 10);
        _queue.FireDue(10);
        Assert.Equal(["again", "other"], _fired);
    }

    [Fact]
    public void A_timer_may_cancel_another_that_is_due_as_well()
    {
        // Goal: a connection that ends takes its other timer with it.
        LoopTimer victim = Named("victim");
        _queue.Arm(new(_ => _queue.Cancel(victim)), 1);
        _queue.Arm(victim, 2);
        _queue.FireDue(10);
        Assert.Empty(_fired);
        Assert.Equal(0, _queue.Count);
    }

    private LoopTimer Named(string name) => new(_ => _fired.Add(name));
}
