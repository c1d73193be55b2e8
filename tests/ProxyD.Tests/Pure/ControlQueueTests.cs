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
        _queue.Start();
        // The order is certain when all three were asked for within the distance between any two.
        await Pace.KeepAsync(100, async pace =>
        {
            _ran.Clear();
            List<long> lateMs = [];
            pace.Mark();
            foreach (int delayMs in (int[])[300, 100, 200])
            {
                long dueMs = Relay.EventLoop.ClockMs() + delayMs;
                _queue.PostAfter(TimeSpan.FromMilliseconds(delayMs), () =>
                {
                    _ran.Add($"{delayMs}");
                    lateMs.Add(Relay.EventLoop.ClockMs() - dueMs);
                });
            }
            await _queue.PingAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
            pace.End();
            TaskCompletionSource done = new();
            _queue.PostAfter(TimeSpan.FromMilliseconds(400), done.SetResult);
            await done.Task.WaitAsync(s_patience, TestContext.Current.CancellationToken);
            Assert.Equal(["100", "200", "300"], _ran);
            Assert.All(lateMs, late => Assert.InRange(late, 0, (long)s_patience.TotalMilliseconds));
        });
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
