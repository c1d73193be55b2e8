using Microsoft.Extensions.Logging;
using ProxyD.Backend;
using ProxyD.Interop;

namespace ProxyD.Tests.Pure;

/// <summary>
/// A <see cref="Backend.Backend"/> with a process that obeys the test, a clock that the test moves, and a log that it reads.
/// </summary>
internal sealed class BackendWorld : IActivator, ILogger
{
    private readonly List<(long DueMs, Action Action)> _timers = [];
    private readonly Queue<Action> _posted = new();
    private Action<BackendEnd>? _ended;
    private long _nowMs;

    internal BackendWorld()
    {
        Assert.True(Address.TryParse("127.0.0.1:18080", null, out Address? address, out _));
        Backend = new(address, this, After, _posted.Enqueue, this);
    }

    internal Backend.Backend Backend { get; }

    /// <summary>Starts that were ordered.</summary>
    internal int Starts { get; private set; }

    /// <summary>What the next start answers: why it fails, or null.</summary>
    internal string? StartProblem { get; set; }

    internal bool Stopped { get; private set; }

    internal bool Killed { get; private set; }

    internal List<string> Warnings { get; } = [];

    public bool IsRunning { get; internal set; }

    public string? Start(Action<BackendEnd> ended)
    {
        Assert.False(IsRunning, "a second start was ordered while the backend runs");
        Starts++;
        if (StartProblem is not null)
            return StartProblem;
        IsRunning = true;
        _ended = ended;
        return null;
    }

    public Task StopAsync()
    {
        Stopped = true;
        return Task.CompletedTask;
    }

    public void Kill() => Killed = true;

    /// <summary>The process ends, and the control plane hears of it.</summary>
    internal void Exit(string cause = "it exited with status 0", bool orderly = true)
    {
        ExitUnheard(cause, orderly);
        Hear();
    }

    /// <summary>The process ends; what it posts stays on its way until <see cref="Hear"/>.</summary>
    internal void ExitUnheard(string cause, bool orderly = true)
    {
        IsRunning = false;
        _ended!(new(cause, orderly));
    }

    internal void Hear()
    {
        while (_posted.TryDequeue(out Action? action))
            action();
    }

    internal void Advance(long ms)
    {
        _nowMs += ms;
        foreach ((long DueMs, Action Action) timer in _timers.Where(t => t.DueMs <= _nowMs).ToList())
        {
            _timers.Remove(timer);
            timer.Action();
        }
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning)
            Warnings.Add(formatter(state, exception));
    }

    private void After(TimeSpan delay, Action action) => _timers.Add((_nowMs + (long)delay.TotalMilliseconds, action));
}
