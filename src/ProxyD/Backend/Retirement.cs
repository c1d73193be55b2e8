using Microsoft.Extensions.Logging;
using ProxyD.Observability;

namespace ProxyD.Backend;

/// <summary>Puts a backend to sleep that nobody has needed for a while, without losing the client that comes in that very moment.</summary>
/// <remarks>
/// The gate is shut first; only then is looked whether it is idle, and only when it is down the gate opens again (a frozen one's stays
/// shut, because its kernel would go on accepting). Whoever comes meanwhile waits in the listen queue.
/// </remarks>
internal sealed class Retirement
{
    private readonly Backend _backend;
    private readonly IActivator _activator;
    private readonly IGate _gate;
    private readonly ILogger _log;
    private readonly IdleWatch _idle;
    private bool _isImpossible;
    private bool _hasMoved;

    internal Retirement(SleepRule rule, Backend backend, IActivator activator, IGate gate, ISchedule schedule, ILogger log)
    {
        (_backend, _activator, _gate, _log) = (backend, activator, gate, log);
        _idle = new(rule, gate, schedule, Begin);
    }

    /// <summary>Clients came or went.</summary>
    internal void OnActivity() => _idle.OnActivity();

    /// <summary>The backend has begun to run or to serve.</summary>
    internal void OnUp() => _idle.OnUp();

    private bool Freezes => _idle.Rule.Kind == SleepKind.Freeze;

    private void Begin()
    {
        if (_isImpossible || !_backend.BeginRetirement())
            return;
        // Before anything is looked at, so that no byte is missed.
        if (Freezes && _idle.Rule.ByBytes)
        {
            _hasMoved = false;
            _gate.TellNextMove(OnMove);
        }
        _gate.Shut(Decide);
    }

    private void Decide(GateView seen)
    {
        if (!_idle.HoldsFor(seen))
            _backend.CancelRetirement();
        else if (Freezes)
            _activator.Freeze(problem => End(problem, BackendState.Frozen));
        else
            _activator.Stop(problem => End(problem, BackendState.Unknown));
    }

    /// <summary>A byte is told of only once; if it moves while the freeze is on its way, the backend may be frozen before it has answered.</summary>
    private void OnMove()
    {
        _hasMoved = true;
        _backend.Thaw();
    }

    private void End(UnitProblem? problem, BackendState asleep)
    {
        if (problem is null)
        {
            _log.Asleep(_backend.Address.Text, Freezes ? "frozen" : "stopped", (long)_idle.Rule.AfterIdle.TotalMilliseconds);
            _backend.EndRetirement(asleep);
            if (_hasMoved)
                _backend.Thaw();
        }
        // It has ended by itself in this very moment.
        else if (!_activator.IsRunning)
            _backend.EndRetirement(BackendState.Unknown);
        else
        {
            if (problem.IsPassing)
                // It counts as a use: the idle time starts anew.
                _idle.OnActivity();
            else
            {
                // It will be no other next time: told once, and it stays awake.
                _isImpossible = true;
                _log.CannotSleep(_backend.Address.Text, problem.Cause);
            }
            _backend.CancelRetirement();
        }
    }
}
