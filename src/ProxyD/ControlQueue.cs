using System.Collections.Concurrent;
using ProxyD.Backend;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>What the control plane has to do, one thing after another on one thread: its state needs no locks.</summary>
/// <remarks>A thread of its own rather than the pool's: the pool's threads spin before they sleep, at each of our few events.</remarks>
internal sealed class ControlQueue : ISchedule
{
    private readonly BlockingCollection<Action> _actions = [];
    private readonly PriorityQueue<Action, long> _later = new();

    /// <summary>The data plane's clock.</summary>
    public long NowMs => EventLoop.ClockMs();

    /// <summary>Runs the action soon. Never throws and never waits: the data plane calls it too.</summary>
    public void Post(Action action) => _actions.Add(action);

    /// <summary>Runs the action after a while. From any thread.</summary>
    public void PostAfter(TimeSpan delay, Action action)
    {
        long dueMs = EventLoop.ClockMs() + (long)delay.TotalMilliseconds;
        Post(() => _later.Enqueue(action, dueMs));
    }

    /// <summary>Completes when the queue has run something: proof that it does not hang.</summary>
    internal Task PingAsync()
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(done.SetResult);
        return done.Task;
    }

    /// <summary>Begins the work on the queue, where nothing else runs beside it; completes when the work does.</summary>
    internal Task RunAsync(Func<Task> work)
    {
        TaskCompletionSource<Task> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => begun.SetResult(work()));
        return begun.Task.Unwrap();
    }

    internal void Start() => new Thread(Run) { Name = "control", IsBackground = true }.Start();

    /// <summary>Runs what is posted, for ever. An exception is a bug and ends the process with a message, as in the data plane.</summary>
    private void Run()
    {
        try
        {
            while (true)
            {
                if (_actions.TryTake(out Action? action, TimeoutMs()))
                    action();
                while (_later.TryPeek(out Action? due, out long dueMs) && dueMs <= EventLoop.ClockMs())
                {
                    _later.Dequeue();
                    due();
                }
            }
        }
        catch (Exception e)
        {
            Environment.FailFast("proxyd: bug in the control plane", e);
        }
    }

    private int TimeoutMs() =>
        _later.TryPeek(out _, out long dueMs) ? (int)Math.Clamp(dueMs - EventLoop.ClockMs(), 0, int.MaxValue) : Timeout.Infinite;
}
