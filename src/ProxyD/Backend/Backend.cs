using Microsoft.Extensions.Logging;
using ProxyD.Interop;
using ProxyD.Observability;

namespace ProxyD.Backend;

/// <summary>One service's backend: whether it is needed, whether it is there, and the one wake that may be going on.</summary>
/// <remarks>
/// Fed with what the data plane saw and what the activator says, one call at a time. However many clients wait, there is one
/// start; a backend that keeps ending before it answers is started again after the pauses of <see cref="BackOff"/>. With a
/// readiness probe the gate is shut until the probe is content, and falls shut again when the backend ends.
/// </remarks>
internal sealed class Backend
{
    private readonly IActivator _activator;
    private readonly IGate _gate;
    private readonly ISchedule _schedule;
    private readonly ReadinessLoop? _readiness;
    private readonly Retirement? _retirement;
    private readonly ILogger _log;
    private readonly BackOff _backOff = new();
    private bool _ending;

    /// <summary>Thaws and starts so far: the answer to a thaw counts only if nothing has followed it.</summary>
    private int _thaws;

    /// <summary>What was running before us has served, for all we know.</summary>
    private bool _servedThisRun = true;

    /// <summary>The same, and a client was sent a byte: one that dies before that would die again at once.</summary>
    private bool _relayedThisRun = true;

    /// <summary>What it goes back to when it stays awake after all.</summary>
    private BackendState _beforeRetirement;
    private long? _startDueMs;
    private string? _startProblem;
    private string? _nameProblem;

    /// <param name="address">Where it listens.</param>
    /// <param name="activator">How it is started.</param>
    /// <param name="gate">Its clients; gated exactly if there is a <paramref name="probe"/>.</param>
    /// <param name="schedule">The control queue.</param>
    /// <param name="probe">How to ask whether it is ready; null when its listening is proof enough.</param>
    /// <param name="sleep">When to put it to sleep; null never.</param>
    /// <param name="log">Failures, wakes, and at debug every change.</param>
    internal Backend(
        Address address, IActivator activator, IGate gate, ISchedule schedule, IReadinessProbe? probe, SleepRule? sleep, ILogger log)
    {
        (Address, _activator, _gate, _schedule, _log) = (address, activator, gate, schedule, log);
        activator.Report = OnActivator;
        SinceMs = schedule.NowMs;
        Wakes = new(address.Text, schedule, log);
        _readiness = probe is null ? null : new(probe, schedule) { Answers = Wakes.OnAnswers, Ready = OnReady };
        _retirement = sleep is null ? null : new(sleep, this, activator, gate, schedule, log);
    }

    internal Address Address { get; }

    internal BackendState State { get; private set; }

    /// <summary>Since when it is as it is, by the schedule's clock: the last change of <see cref="State"/>, or start or end without one.</summary>
    internal long SinceMs { get; private set; }

    /// <summary>Clients that were reset while they waited: their hold had ended, or it could not come.</summary>
    internal long ResetClients { get; private set; }

    /// <summary>Why it is not there, in words; null when nothing is known against it.</summary>
    internal string? Cause => _startProblem ?? _nameProblem ?? _readiness?.Problem;

    /// <summary>At least one client waits for it.</summary>
    internal bool IsWanted { get; private set; }

    internal WakeRecorder Wakes { get; }

    /// <summary>Called after each change of <see cref="State"/>, and when it starts or ends without one.</summary>
    internal Action? Moved { get; set; }

    /// <summary>What it is called when it is started: the unit's name; null when others start it.</summary>
    internal string? Name => _activator.Name;

    /// <summary>It runs, as far as we know.</summary>
    internal bool IsRunning => _activator.IsRunning;

    /// <summary>After a failure: how long until the next start, in ms; null when none is due.</summary>
    internal long? NextStartMs => _startDueMs is { } dueMs ? Math.Max(dueMs - _schedule.NowMs, 0) : null;

    /// <summary>A client waits: the first attempt failed, or the gate is shut.</summary>
    /// <param name="arrivedMs">Since when.</param>
    internal void OnWaitBegan(long arrivedMs)
    {
        IsWanted = true;
        Wakes.Begin(arrivedMs);
        if (State is BackendState.Starting or BackendState.Retiring)
            return;
        if (State == BackendState.Frozen)
            Thaw();
        else if (_activator.IsRunning)
            Probe();
        else if (_startDueMs is null)
            Start();
    }

    /// <summary>An attempt stood.</summary>
    /// <param name="atMs">When.</param>
    /// <param name="clients">How many waited.</param>
    /// <param name="isColdStart">The last attempt before it had failed because nobody listened.</param>
    internal void OnAnswered(long atMs, int clients, bool isColdStart)
    {
        if (isColdStart || !_servedThisRun)
            _retirement?.OnUp();
        IsWanted = false;
        _startProblem = null;
        _servedThisRun = true;
        // One that was on its way when the gate was being shut.
        if (State == BackendState.Retiring)
            _beforeRetirement = BackendState.Ready;
        else
            MoveTo(BackendState.Ready);
        Wakes.OnAccepted(atMs, clients, isColdStart);
    }

    /// <summary>The client whose attempt stood was sent its first byte.</summary>
    /// <param name="atMs">When.</param>
    /// <param name="answeredMs">The time that <see cref="OnAnswered"/> was given for it.</param>
    internal void OnFirstByte(long atMs, long answeredMs)
    {
        _relayedThisRun = true;
        _backOff.Forgive();
        Wakes.OnFirstByte(atMs, answeredMs);
    }

    /// <summary>A client's hold ended, and it was reset.</summary>
    /// <param name="cause">Why the backend did not take it, in words.</param>
    internal void OnExpired(string cause)
    {
        ResetClients++;
        Wakes.OnExpired(cause);
    }

    /// <summary>Nobody waits any more, and it never answered.</summary>
    internal void OnWaitOver()
    {
        IsWanted = false;
        Wakes.Fail(Cause);
        _readiness?.Stop();
    }

    /// <summary>Clients came or went.</summary>
    internal void OnActivity() => _retirement?.OnActivity();

    /// <summary>The resolver has answered.</summary>
    /// <param name="problem">Why the name has no address, or null.</param>
    internal void OnResolved(string? problem) => _nameProblem = problem;

    /// <summary>proxyd ends.</summary>
    internal Task EndAsync()
    {
        _ending = true;
        _readiness?.Stop();
        return _activator.EndAsync();
    }

    /// <summary>The same without waiting. From any thread.</summary>
    internal void Kill() => _activator.Kill();

    /// <summary>It is about to be put to sleep: who comes from now on waits for what becomes of that.</summary>
    /// <returns>False when it is not there, or needed, or when another hand is just stopping or restarting it.</returns>
    internal bool BeginRetirement()
    {
        if (_ending || IsWanted || !_activator.IsActive || State is not (BackendState.Unknown or BackendState.Probing or BackendState.Ready))
            return false;
        _beforeRetirement = State;
        MoveTo(BackendState.Retiring);
        return true;
    }

    /// <summary>It stays awake after all.</summary>
    internal void CancelRetirement()
    {
        if (!_activator.IsRunning)
        {
            // It has ended while its gate was being shut: whoever waits has told so already, and will not again.
            EndRetirement(BackendState.Unknown);
            return;
        }
        MoveTo(_beforeRetirement);
        if (_readiness is null || State == BackendState.Ready)
            _gate.Open();
        else if (IsWanted)
            Probe();
    }

    /// <summary>It has been stopped (<see cref="BackendState.Unknown"/>), or <see cref="BackendState.Frozen"/>.</summary>
    internal void EndRetirement(BackendState asleep)
    {
        MoveTo(asleep);
        if (asleep == BackendState.Frozen)
        {
            if (IsWanted)
                Thaw();
            return;
        }
        if (_readiness is null)
            _gate.Open();
        if (IsWanted)
            Start();
    }

    /// <summary>Ends a freeze, if there is one.</summary>
    internal void Thaw()
    {
        if (State != BackendState.Frozen)
            return;
        MoveTo(BackendState.Starting);
        Wakes.OnOrdered();
        int thaw = ++_thaws;
        _activator.Thaw(problem =>
        {
            // It has ended meanwhile, and another start may be on its way.
            if (thaw != _thaws || State != BackendState.Starting)
                return;
            Wakes.OnStarted();
            if (problem is null)
            {
                MoveTo(BackendState.Ready);
                _retirement?.OnUp();
                _gate.Open();
                return;
            }
            MoveTo(BackendState.Frozen);
            int pauseMs = _backOff.Next();
            _log.BackendFailed(Address.Text, problem, pauseMs);
            _schedule.PostAfter(TimeSpan.FromMilliseconds(pauseMs), ThawIfWanted);
        });
    }

    private void ThawIfWanted()
    {
        if (IsWanted)
            Thaw();
    }

    private void OnActivator(ActivatorEvent e)
    {
        switch (e.Kind)
        {
            case ActivatorEventKind.Ordered:
                (_servedThisRun, _relayedThisRun) = (false, false);
                Wakes.OnOrdered();
                break;
            case ActivatorEventKind.Started:
                OnStarted();
                break;
            case ActivatorEventKind.Refused:
                Fail(e.Cause!, cannotCome: true);
                break;
            case ActivatorEventKind.Unreachable:
                Fail(e.Cause!, cannotCome: false);
                break;
            case ActivatorEventKind.Lost:
                _log.ActivatorLost(Address.Text, e.Cause!);
                break;
            case ActivatorEventKind.Reachable:
                StartIfWanted();
                ThawIfWanted();
                // Meanwhile nothing could be put to sleep.
                _retirement?.OnActivity();
                break;
            case ActivatorEventKind.Ended:
                OnEnded(e);
                break;
        }
    }

    private void OnStarted()
    {
        Wakes.OnStarted();
        _retirement?.OnUp();
        if (IsWanted && State is not (BackendState.Retiring or BackendState.Frozen))
            Probe();
        else if (State == BackendState.Starting)
            MoveTo(BackendState.Probing);
        else
        {
            // Somebody else's start, so its end will be nobody's failure.
            (_servedThisRun, _relayedThisRun) = (true, true);
            _gate.ExpectSoon(true);
            if (State == BackendState.Failed)
                MoveTo(BackendState.Unknown);
            NoteMove();
        }
    }

    private void OnEnded(ActivatorEvent end)
    {
        if (_ending || State == BackendState.Retiring)
            return;
        if (_readiness is not null)
        {
            _readiness.Stop();
            _gate.Shut(null);
        }
        else if (State == BackendState.Frozen)
            _gate.Open();
        if (!_servedThisRun && (IsWanted || !end.IsOrderly))
        {
            Fail(end.CannotCome ? end.Cause! : $"{end.Cause} before it answered", end.CannotCome);
            return;
        }
        if (!_relayedThisRun && !end.IsOrderly)
        {
            Fail($"{end.Cause}; it took connections and answered none", cannotCome: false);
            return;
        }
        // It has served: an idle exit or a crash. Whoever came while it was ending waits already and gets a fresh one at once.
        if (!end.IsOrderly)
            _log.BackendCrashed(Address.Text, end.Cause!);
        if (State == BackendState.Unknown)
            NoteMove();
        MoveTo(BackendState.Unknown, end.Cause);
        if (IsWanted)
            Start();
    }

    private void Start()
    {
        if (_ending)
            return;
        MoveTo(BackendState.Starting);
        _thaws++;
        _gate.ExpectSoon(true);
        _activator.Start();
    }

    private void Probe()
    {
        MoveTo(BackendState.Probing);
        _gate.ExpectSoon(true);
        _readiness?.Begin();
    }

    private void OnReady()
    {
        Wakes.OnReady();
        _gate.Open();
    }

    private void Fail(string cause, bool cannotCome)
    {
        _startProblem = cause;
        _readiness?.Stop();
        MoveTo(BackendState.Failed, cause);
        _gate.ExpectSoon(false);
        int pauseMs = _backOff.Next();
        if (cannotCome)
        {
            int waiting = _gate.Waiting;
            _log.BackendCannotCome(Address.Text, cause, Words.Count(waiting, "client"), pauseMs);
            ResetClients += waiting;
            _gate.ResetWaiting();
            Wakes.Fail(cause);
        }
        else
            _log.BackendFailed(Address.Text, cause, pauseMs);
        long dueMs = _schedule.NowMs + pauseMs;
        _startDueMs = dueMs;
        _schedule.PostAfter(TimeSpan.FromMilliseconds(pauseMs), () =>
        {
            if (_startDueMs == dueMs)
                StartIfWanted();
        });
    }

    private void StartIfWanted()
    {
        _startDueMs = null;
        if (IsWanted && State == BackendState.Failed)
            Start();
    }

    /// <summary>The one place where the state changes.</summary>
    private void MoveTo(BackendState next, string? cause = null)
    {
        if (next == State)
            return;
        _log.BackendMoved(Address.Text, State, next, cause ?? "");
        State = next;
        NoteMove();
    }

    private void NoteMove()
    {
        SinceMs = _schedule.NowMs;
        Moved?.Invoke();
    }
}
