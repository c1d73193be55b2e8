using Microsoft.Extensions.Logging;
using ProxyD.Interop;
using ProxyD.Observability;

namespace ProxyD.Backend;

/// <summary>One service's backend: whether it is needed, whether it is there, and the one wake that may be going on.</summary>
/// <remarks>
/// Fed with what the data plane saw and what the activator says, one call at a time. However many clients wait, there is one
/// start; a backend that keeps ending before it answers is started again after pauses that double from
/// <see cref="BackOffMinMs"/> to <see cref="BackOffMaxMs"/> and are forgiven when it answers.
/// </remarks>
internal sealed class Backend(Address address, IActivator activator, Action<TimeSpan, Action> after, Action<Action> post, ILogger log)
{
    internal const int BackOffMinMs = 100;
    internal const int BackOffMaxMs = 30_000;

    private int _backOffMs = BackOffMinMs;
    private bool _startIsDue;
    private bool _stopping;
    private bool _servedThisRun;
    private int _run;
    private string? _startProblem;
    private string? _nameProblem;

    internal Address Address { get; } = address;

    internal BackendState State { get; private set; }

    /// <summary>Why it is not there, in words; null when nothing is known against it.</summary>
    internal string? Cause => _startProblem ?? _nameProblem;

    /// <summary>At least one client waits for it.</summary>
    internal bool IsWanted { get; private set; }

    /// <summary>A client began to wait: the first attempt failed.</summary>
    internal void OnWaitBegan()
    {
        IsWanted = true;
        if (activator.IsRunning)
            MoveTo(BackendState.Probing);
        else if (!_startIsDue)
            Start();
    }

    /// <summary>An attempt stood.</summary>
    internal void OnAnswered()
    {
        IsWanted = false;
        _startProblem = null;
        _servedThisRun = true;
        _backOffMs = BackOffMinMs;
        MoveTo(BackendState.Ready);
    }

    /// <summary>Nobody waits any more, and it never answered.</summary>
    internal void OnWaitOver() => IsWanted = false;

    /// <summary>The resolver has answered.</summary>
    /// <param name="problem">Why the name has no address, or null.</param>
    internal void OnResolved(string? problem) => _nameProblem = problem;

    /// <summary>Ends what we started.</summary>
    internal Task StopAsync()
    {
        _stopping = true;
        return activator.StopAsync();
    }

    /// <summary>Ends what we started without waiting. From any thread.</summary>
    internal void Kill() => activator.Kill();

    private void Start()
    {
        if (_stopping)
            return;
        MoveTo(BackendState.Starting);
        _servedThisRun = false;
        int run = ++_run;
        string? problem = activator.Start(end => post(() => OnEnded(run, end)));
        if (problem is null)
            MoveTo(BackendState.Probing);
        else
            Fail(problem);
    }

    private void OnEnded(int run, BackendEnd end)
    {
        if (run != _run || _stopping)
            return;
        if (!_servedThisRun)
        {
            Fail($"{end.Cause} before it answered");
            return;
        }
        // It has served: an idle exit or a crash. Whoever came while it was ending waits already and gets a fresh one at once.
        if (!end.IsOrderly)
            log.BackendCrashed(Address.Text, end.Cause);
        MoveTo(BackendState.Unknown, end.Cause);
        if (IsWanted)
            Start();
    }

    private void Fail(string cause)
    {
        _startProblem = cause;
        MoveTo(BackendState.Failed, cause);
        log.BackendFailed(Address.Text, cause, _backOffMs);
        _startIsDue = true;
        after(TimeSpan.FromMilliseconds(_backOffMs), () =>
        {
            _startIsDue = false;
            if (IsWanted)
                Start();
        });
        _backOffMs = Math.Min(_backOffMs * 2, BackOffMaxMs);
    }

    /// <summary>The one place where the state changes.</summary>
    private void MoveTo(BackendState next, string? cause = null)
    {
        if (next == State)
            return;
        log.BackendMoved(Address.Text, State, next, cause ?? "");
        State = next;
    }
}
