namespace ProxyD.Tests.Pure;

/// <summary>The control plane's one thread: what is posted runs in order, what is due later runs then.</summary>
public sealed class ControlQueueTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly ControlQueue _queue = new();
    private readonly List<string> _ran = [];

    [Fact]
    public async Task What_is_posted_runs_in_order_and_on_one_thread()
    {
        // Goal: the control plane's state needs no locks.
        HashSet<int> threads = [];
        for (int i = 0; i < 1000; i++)
        {
            string name = $"{i}";
            _queue.Post(() =>
            {
                _ran.Add(name);
                threads.Add(Environment.CurrentManagedThreadId);
            });
        }
        _queue.Start();
        await _queue.PingAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), _ran);
        Assert.Single(threads);
    }

    [Fact]
    public async Task What_is_due_earlier_runs_earlier_and_never_too_early()
    {
        // Goal: back-off and status pauses keep their times, whatever order they were asked for in.
        TaskCompletionSource done = new();
        long startMs = Relay.EventLoop.ClockMs();
        List<long> times = [];
        foreach (int delayMs in (int[])[120, 40, 80])
        {
            _queue.PostAfter(TimeSpan.FromMilliseconds(delayMs), () =>
            {
                _ran.Add($"{delayMs}");
                times.Add(Relay.EventLoop.ClockMs() - startMs - delayMs);
                if (_ran.Count == 3)
                    done.SetResult();
            });
        }
        _queue.Start();
        await done.Task.WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.Equal(["40", "80", "120"], _ran);
        Assert.All(times, lateMs => Assert.InRange(lateMs, 0, (long)s_patience.TotalMilliseconds));
    }

    [Fact]
    public async Task A_post_is_not_held_up_by_what_is_due_later()
    {
        // Goal: a back-off of 30 s does not delay the next client's start.
        _queue.Start();
        _queue.PostAfter(TimeSpan.FromHours(1), () => _ran.Add("too early"));
        await _queue.PingAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
        await _queue.PingAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.Empty(_ran);
    }
}
