using Microsoft.Extensions.Logging;
using ProxyD.Backend;
using ProxyD.Interop;

namespace ProxyD.Tests.Pure;

/// <summary>
/// A <see cref="Backend.Backend"/> with something to start that obeys the test, a clock that the test moves, a gate that it sees, and a
/// log that it reads.
/// </summary>
internal sealed class BackendWorld : IActivator, IGate, ISchedule, ILogger
{
    private readonly List<(long DueMs, Action Action)> _timers = [];
    private Action<UnitProblem?>? _slept;
    private Action<GateView>? _shut;
    private Action? _nextMove;

    internal BackendWorld(IReadinessProbe? probe = null, SleepRule? sleep = null)
    {
        Assert.True(Address.TryParse("127.0.0.1:18080", null, out Address? address, out _));
        IsOpen = probe is null;
        Backend = new(address, this, this, this, probe, sleep, this);
    }

    internal Backend.Backend Backend { get; }

    /// <summary>Starts that were ordered.</summary>
    internal int Starts { get; private set; }

    /// <summary>What the next start answers: why it can't be ordered now, or null.</summary>
    internal string? StartProblem { get; set; }

    /// <summary>The start is carried out only when the test says <see cref="Started"/>.</summary>
    internal bool StartTakesTime { get; set; }

    internal bool IsEnded { get; private set; }

    internal bool Killed { get; private set; }

    /// <summary>What was ordered to put it to sleep or end that: "stop", "freeze", "thaw".</summary>
    internal List<string> Orders { get; } = [];

    internal bool IsOpen { get; private set; }

    /// <summary>What the data plane was told of it last.</summary>
    internal bool IsExpectedSoon { get; private set; } = true;

    /// <summary>How often all who waited were reset.</summary>
    internal int Resets { get; private set; }

    internal List<string> Lines { get; } = [];

    internal List<string> Warnings { get; } = [];

    public string? Name => "web.service";

    public bool IsRunning { get; internal set; }

    public bool IsActive => IsRunning;

    public Action<ActivatorEvent>? Report { get; set; }

    public int Waiting { get; internal set; }

    public int Live { get; internal set; }

    public long NowMs { get; private set; }

    public void Start()
    {
        Assert.False(IsRunning, "a second start was ordered while the backend runs");
        Starts++;
        if (StartProblem is not null)
        {
            Report!(new(ActivatorEventKind.Unreachable) { Cause = StartProblem });
            return;
        }
        Report!(new(ActivatorEventKind.Ordered));
        if (!StartTakesTime)
            Started();
    }

    public void Stop(Action<UnitProblem?> done) => Sleep("stop", done);

    public void Freeze(Action<UnitProblem?> done) => Sleep("freeze", done);

    public void Thaw(Action<string?> done) => Sleep("thaw", problem => done(problem?.Cause));

    public Task EndAsync()
    {
        IsEnded = true;
        return Task.CompletedTask;
    }

    public void Kill() => Killed = true;

    public void Shut(Action<GateView>? shut)
    {
        IsOpen = false;
        _shut = shut;
    }

    public void Open() => IsOpen = true;

    public void ExpectSoon(bool soon) => IsExpectedSoon = soon;

    public void ResetWaiting() => Resets++;

    public void TellNextMove(Action? tell) => _nextMove = tell;

    public void Post(Action action) => action();

    public void PostAfter(TimeSpan delay, Action action) => _timers.Add((NowMs + (long)delay.TotalMilliseconds, action));

    /// <summary>The data plane tells that somebody waits.</summary>
    internal void ClientWaits() => Backend.OnWaitBegan(NowMs);

    /// <summary>The data plane tells that an attempt stood after others had failed.</summary>
    internal void Answers() => Backend.OnAnswered(NowMs, clients: 1, isColdStart: true);

    /// <summary>The same, and the client was sent a byte.</summary>
    internal void Serves()
    {
        Answers();
        Backend.OnFirstByte(NowMs, NowMs);
    }

    internal void Started()
    {
        IsRunning = true;
        Report!(new(ActivatorEventKind.Started));
    }

    /// <summary>The start that was asked for cannot succeed.</summary>
    internal void Refuse(string cause) => Report!(new(ActivatorEventKind.Refused) { Cause = cause });

    /// <summary>What runs ends, and the control plane hears of it.</summary>
    internal void Exit(string cause = "it exited with status 0", bool orderly = true, bool cannotCome = false)
    {
        IsRunning = false;
        Report!(ActivatorEvent.Ended(cause, orderly) with { CannotCome = cannotCome });
    }

    /// <summary>The gate has fallen shut, and this is to be seen at it.</summary>
    internal void GateIsShut(GateView seen)
    {
        Action<GateView> shut = _shut ?? throw new InvalidOperationException("nobody asked");
        _shut = null;
        shut(seen);
    }

    internal bool GateIsAsked => _shut is not null;

    /// <summary>What was ordered last is done.</summary>
    internal void SleepDone(string? problem = null, bool isPassing = false)
    {
        Action<UnitProblem?> done = _slept ?? throw new InvalidOperationException("nothing was ordered");
        _slept = null;
        done(problem is null ? null : new(problem, isPassing));
    }

    /// <summary>A live connection moves a byte.</summary>
    internal void Move() => _nextMove?.Invoke();

    internal void Advance(long ms)
    {
        long untilMs = NowMs + ms;
        while (_timers.Where(t => t.DueMs <= untilMs).OrderBy(t => t.DueMs).FirstOrDefault() is { Action: not null } due)
        {
            _timers.Remove(due);
            NowMs = Math.Max(NowMs, due.DueMs);
            due.Action();
        }
        NowMs = untilMs;
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information)
            Lines.Add(formatter(state, exception));
        if (logLevel >= LogLevel.Warning)
            Warnings.Add(formatter(state, exception));
    }

    private void Sleep(string order, Action<UnitProblem?> done)
    {
        Orders.Add(order);
        _slept = done;
    }
}
