using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace ProxyD.BlackBox.Harness;

/// <summary>Work on a thread of its own, for everything that blocks. What it throws is thrown again by who joins it.</summary>
internal sealed class Background
{
    private readonly Thread _thread;
    private volatile Exception? _failure;

    private Background(Action work)
    {
        // Small stacks: some tests have hundreds of these.
        _thread = new Thread(() => Run(work), 256 * 1024) { IsBackground = true };
        _thread.Start();
    }

    public static Background Start(Action work) => new(work);

    public static void JoinAll(IEnumerable<Background> all, int timeoutMs = Wait.DefaultTimeoutMs)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (Background work in all)
            work.Join(Math.Max(0, timeoutMs - (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds));
    }

    public void Join(int timeoutMs = Wait.DefaultTimeoutMs)
    {
        if (!HasEndedWithin(timeoutMs))
            throw new TimeoutException($"still running after {timeoutMs} ms");
        if (_failure is not null)
            ExceptionDispatchInfo.Throw(_failure);
    }

    public bool HasEndedWithin(int timeoutMs) => _thread.Join(timeoutMs);

    private void Run(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
