using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

/// <summary>The heap against a model that can't be wrong: a dictionary, searched in full.</summary>
public sealed class TimerQueueModelTests
{
    private const int Timers = 40;
    private const int Steps = 20_000;
    private const double ArmProbability = 0.5;
    private const double CancelProbability = 0.25;

    private readonly TimerQueue _queue = new();
    private readonly Dictionary<LoopTimer, long> _model = [];
    private readonly List<LoopTimer> _fired = [];

    [Fact]
    public void Random_arming_cancelling_and_firing_agrees_with_a_sorted_list()
    {
        // Goal: no sequence of calls loses a timer, fires one twice, too early, or out of order.
        Seeded.Run(random =>
        {
            LoopTimer[] timers = new LoopTimer[Timers];
            for (int i = 0; i < timers.Length; i++)
            {
                LoopTimer self = null!;
                self = new(_ => _fired.Add(self));
                timers[i] = self;
            }
            long nowMs = 0;
            for (int step = 0; step < Steps; step++)
            {
                Step(random, timers[random.Next(Timers)], ref nowMs);
                AssertAgrees(timers);
            }
        });
    }

    private void Step(Random random, LoopTimer timer, ref long nowMs)
    {
        double dice = random.NextDouble();
        if (dice < ArmProbability)
        {
            // Few distinct times, so that many timers are due together.
            long dueMs = nowMs + random.Next(-3, 20);
            _queue.Arm(timer, dueMs);
            _model[timer] = dueMs;
        }
        else if (dice < ArmProbability + CancelProbability)
        {
            _queue.Cancel(timer);
            _model.Remove(timer);
        }
        else
        {
            nowMs += random.Next(5);
            Fire(nowMs);
        }
    }

    private void Fire(long nowMs)
    {
        LoopTimer[] due = [.. _model.Where(entry => entry.Value <= nowMs).Select(entry => entry.Key)];
        _fired.Clear();
        _queue.FireDue(nowMs);
        Assert.Equal(due.ToHashSet(), _fired.ToHashSet());
        Assert.Equal(due.Length, _fired.Count);
        long[] times = [.. _fired.Select(t => _model[t])];
        Assert.Equal(times.Order(), times);
        foreach (LoopTimer timer in due)
            _model.Remove(timer);
    }

    private void AssertAgrees(LoopTimer[] timers)
    {
        Assert.Equal(_model.Count, _queue.Count);
        Assert.Equal(_model.Count == 0 ? long.MaxValue : _model.Values.Min(), _queue.NextDueMs);
        foreach (LoopTimer timer in timers)
            Assert.Equal(_model.ContainsKey(timer), timer.IsArmed);
    }
}
