using ProxyD.Interop;

namespace ProxyD.Backend;

/// <summary>The backend as a systemd unit (<c>--backend-unit</c>), started and watched over D-Bus.</summary>
/// <remarks>
/// A unit that is going down is not started over its stop: whoever stops it by hand gets an answer, and the start follows when it
/// is down. Idle exits are normal life, so a unit that ended well and meets systemd's start limit has its counter reset
/// (ResetFailedUnit); one that failed has not, because that limit is the administrator's word.
/// </remarks>
internal sealed class SystemdUnit : IActivator
{
    /// <summary>For a thaw when proxyd ends.</summary>
    private static readonly TimeSpan s_lastOrder = TimeSpan.FromSeconds(2);

    /// <summary>The same at a second signal.</summary>
    private static readonly TimeSpan s_lastMoment = TimeSpan.FromMilliseconds(500);

    private readonly SystemdClient _client;
    private readonly bool _ofUser;
    private readonly bool _thawsAtFirst;
    private UnitStatus _status = UnitStatus.Unheard;
    private bool _isStarting;
    private bool _isStopping;
    private bool _lastEndWasGood;
    private volatile bool _mayBeFrozen;
    private bool _isReachable = true;

    /// <param name="name">The unit's full name.</param>
    /// <param name="ofUser">The user manager's rather than the system's.</param>
    /// <param name="thawsAtFirst">A freeze that is found at the beginning is ours: proxyd ended without ending it.</param>
    /// <param name="post">Runs something on the control queue.</param>
    /// <exception cref="SysException">There is no descriptor left.</exception>
    internal SystemdUnit(string name, bool ofUser, bool thawsAtFirst, Action<Action> post)
    {
        (Name, _ofUser, _thawsAtFirst) = (name, ofUser, thawsAtFirst);
        _client = new(name, ofUser, post) { Changed = OnChanged, Reached = OnReached };
        _client.Start();
    }

    public string Name { get; }

    /// <summary>Without the bus nobody knows: then a start is to be tried, and says what is missing.</summary>
    public bool IsRunning => _isReachable && _status != UnitStatus.Unheard && !_status.IsDown;

    public bool IsActive => _isReachable && _status.IsActive;

    public Action<ActivatorEvent>? Report { get; set; }

    public void Start()
    {
        _isStarting = true;
        OrderStart(mayReset: _lastEndWasGood);
    }

    public void Stop(Action<UnitProblem?> done)
    {
        _isStopping = true;
        _client.Call("stop", "StopUnit", "replace", Refused(done), result =>
        {
            _isStopping = false;
            // Another's order has replaced ours, or nobody knows what became of it: nothing is wrong with the next stop.
            bool isPassing = result is "canceled" or SystemdClient.JobLost;
            done(_status.IsDown ? null : new($"the stop of {Name} ended with: {result}", isPassing));
        });
    }

    public void Freeze(Action<UnitProblem?> done)
    {
        // From the order on: the end of proxyd may come before the unit tells that it is frozen.
        _mayBeFrozen = true;
        _client.Call("freeze", "FreezeUnit", null, problem =>
        {
            _mayBeFrozen = problem is null;
            done(problem);
        });
    }

    public void Thaw(Action<string?> done) => _client.Call("thaw", "ThawUnit", null, problem =>
    {
        _mayBeFrozen &= problem is not null;
        done(problem?.Cause);
    });

    public async Task EndAsync()
    {
        if (_mayBeFrozen || _status.IsFrozen)
        {
            TaskCompletionSource thawed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Thaw(_ => thawed.SetResult());
            await Task.WhenAny(thawed.Task, Task.Delay(s_lastOrder)).ConfigureAwait(false);
        }
        _client.End();
    }

    public void Kill()
    {
        if (!_mayBeFrozen && !_status.IsFrozen)
            return;
        // The process ends when we return, and with it whatever has not been sent.
        TaskCompletionSource thawed = new();
        Thaw(_ => thawed.SetResult());
        thawed.Task.Wait(s_lastMoment);
    }

    private Action<UnitProblem?> Refused(Action<UnitProblem?> done) => problem =>
    {
        if (problem is null)
            return;
        _isStopping = false;
        done(problem);
    };

    private void OrderStart(bool mayReset) => _client.Call(
        "start",
        "StartUnit",
        "replace",
        problem =>
        {
            if (problem is null)
                Tell(ActivatorEventKind.Ordered);
            else
                EndStart(problem.IsPassing ? ActivatorEventKind.Unreachable : ActivatorEventKind.Refused, problem.Cause);
        },
        result => OnStartEnded(result, mayReset));

    private void OnStartEnded(string result, bool mayReset)
    {
        if (result == SystemdClient.JobLost)
            EndStart(ActivatorEventKind.Unreachable, "the bus went away during the start");
        else if (result != "done" && mayReset && _status.HitStartLimit)
            _client.Call("reset-failed", "ResetFailedUnit", null, problem => OnReset(problem));
        else if (!_status.IsDown)
            EndStart(ActivatorEventKind.Started, "");
        else if (result == "done" && _status.EndedWell)
            End($"{Name} is {_status.ActiveState} right after its start (a Condition…= was not met, or it ended at once)", isOrderly: true);
        else if (result == "canceled")
            End($"the start of {Name} was canceled", isOrderly: true);
        else
        {
            // Otherwise the good end of an earlier run would let us reset a limit that failures have met.
            _lastEndWasGood &= _status.EndedWell;
            EndStart(ActivatorEventKind.Refused, FailureText(result));
        }
    }

    private void OnReset(UnitProblem? problem)
    {
        if (problem is null)
            OrderStart(mayReset: false);
        else
            EndStart(ActivatorEventKind.Refused, $"{FailureText("failed")}; its counter of starts can't be reset: {problem.Cause}");
    }

    private void EndStart(ActivatorEventKind kind, string cause)
    {
        _isStarting = false;
        Tell(kind, cause);
    }

    private void End(string cause, bool isOrderly)
    {
        _isStarting = false;
        _lastEndWasGood = isOrderly;
        Report?.Invoke(new(ActivatorEventKind.Ended) { Cause = cause, IsOrderly = isOrderly, CannotCome = !isOrderly });
    }

    private void OnChanged(UnitStatus now)
    {
        UnitStatus before = _status;
        _status = now;
        if (before == UnitStatus.Unheard && now.IsFrozen && _thawsAtFirst)
            Thaw(_ => { });
        // While a start is on its way its result tells what became of it.
        if (_isStarting)
            return;
        if (now.IsDown && !before.IsDown)
        {
            if (before == UnitStatus.Unheard)
                _lastEndWasGood = now.EndedWell;
            else
                OnEnded(now, before);
        }
        else if (now.IsActive && !before.IsActive)
            Tell(ActivatorEventKind.Started);
    }

    /// <summary>What we or somebody else has stopped has not failed, whatever status it left with (a Java program leaves with 143).</summary>
    private void OnEnded(UnitStatus now, UnitStatus before)
    {
        // Going down with nothing to complain about, it was told to: a crash has its result before it goes down.
        bool wasTold = _isStopping || before is { ActiveState: "deactivating", EndedWell: true };
        bool isOrderly = now.EndedWell || wasTold;
        End(isOrderly ? EndText() : FailureText(""), isOrderly);
    }

    private void OnReached(UnitProblem? problem)
    {
        bool wasReachable = _isReachable;
        _isReachable = problem is null;
        if (problem is not null)
            Tell(ActivatorEventKind.Lost, problem.Cause);
        else if (!wasReachable)
            Tell(ActivatorEventKind.Reachable);
    }

    private string EndText() => _status.StopWhenUnneeded == "1"
        ? $"{Name} has ended (it has StopWhenUnneeded=yes, and a start over D-Bus needs nothing)"
        : $"{Name} has ended";

    /// <summary>"web.service failed (exit-code, status 203/EXEC); see: journalctl -u web.service".</summary>
    /// <param name="result">The start job's, for what the unit itself does not tell.</param>
    private string FailureText(string result)
    {
        string how = _status.HasFailed || result.Length == 0 ? _status.EndText() : $"its start ended with: {result}";
        return $"{Name} failed ({how}); see: journalctl {(_ofUser ? "--user " : "")}-u {Name}";
    }

    private void Tell(ActivatorEventKind kind, string cause = "") => Report?.Invoke(new(kind) { Cause = cause });
}
