using System.Collections;
using System.Diagnostics;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Backend;

/// <summary>The backend as a child of ours (<c>--exec</c>): <c>/bin/sh -c 'exec COMMAND'</c> in a process group of its own.</summary>
/// <remarks>
/// The command must stay in the foreground. Its stdout and stderr are ours; what was meant for us (LISTEN_*, NOTIFY_SOCKET,
/// WATCHDOG_*) is not passed on.
/// </remarks>
/// <param name="command">A command line for /bin/sh.</param>
/// <param name="post">Runs something on the control queue.</param>
internal sealed class ChildProcess(string command, Action<Action> post) : IActivator
{
    /// <summary>Between SIGTERM and SIGKILL.</summary>
    private static readonly TimeSpan s_stopGrace = TimeSpan.FromSeconds(5);

    /// <summary>For the kernel to carry SIGKILL out.</summary>
    private static readonly TimeSpan s_killGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>How often to look whether the last of a group is gone: only its leader is our child, whose end we are told of.</summary>
    private static readonly TimeSpan s_groupCheck = TimeSpan.FromMilliseconds(10);

    private static readonly string[] s_notForChildren =
        ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

    /// <summary>Held while the group is signalled or its number given up: nobody is signalled who is not ours.</summary>
    private readonly Lock _reaping = new();
    private Run? _run;
    private bool _killed;

    public string Name => "the backend";

    public bool IsRunning => Volatile.Read(ref _run) is { IsGone: false };

    public bool IsActive => IsRunning;

    public Action<ActivatorEvent>? Report { get; set; }

    public void Start()
    {
        SysResult spawned = ProcessSpawner.Spawn("/bin/sh", ["sh", "-c", "exec " + command], ChildEnvironment(), out int pid);
        if (!spawned.Ok)
        {
            Report?.Invoke(new(ActivatorEventKind.Unreachable) { Cause = $"/bin/sh could not be started ({spawned.Errno.Text()})" });
            return;
        }
        Run run = new(pid);
        lock (_reaping)
        {
            _run = run;
            // Kill() came while we were spawning.
            if (_killed)
                Libc.kill(-pid, SIGKILL);
        }
        new Thread(() => Watch(run)) { Name = "backend-wait", IsBackground = true }.Start();
        Report?.Invoke(new(ActivatorEventKind.Ordered));
        Report?.Invoke(new(ActivatorEventKind.Started));
    }

    public void Stop(Action<UnitProblem?> done) => _ = StopThenAsync(done);

    public void Freeze(Action<UnitProblem?> done) => done(new("a child process can't be frozen; --backend-unit can", IsPassing: false));

    public void Thaw(Action<string?> done) => done(null);

    public async Task EndAsync()
    {
        if (_run is not { } run)
            return;
        run.IsToStop = true;
        Signal(run, SIGTERM);
        if (await Task.WhenAny(run.Gone.Task, Task.Delay(s_stopGrace)).ConfigureAwait(false) != run.Gone.Task)
            Signal(run, SIGKILL);
        await run.Gone.Task.ConfigureAwait(false);
    }

    public void Kill()
    {
        lock (_reaping)
            _killed = true;
        if (_run is { } run)
            Signal(run, SIGKILL);
    }

    private async Task StopThenAsync(Action<UnitProblem?> done)
    {
        await EndAsync().ConfigureAwait(false);
        post(() => done(null));
    }

    private void Signal(Run run, int signal)
    {
        lock (_reaping)
        {
            if (!run.IsGone)
                Libc.kill(-run.Pid, signal);
        }
    }

    private void Watch(Run run)
    {
        ProcessSpawner.WaitForEnd(run.Pid);
        // Whoever it left behind in its group would keep the port; but who has been asked to end gets the time for it.
        if (!run.IsToStop)
            Signal(run, SIGKILL);
        _ = FinishAsync(run, ProcessSpawner.Reap(run.Pid));
    }

    private async Task FinishAsync(Run run, (int? ExitStatus, int? Signal) end)
    {
        await GroupGoneAsync(run).ConfigureAwait(false);
        lock (_reaping)
            run.IsGone = true;
        ActivatorEvent ended = run.IsToStop ? ActivatorEvent.Ended("it was stopped", isOrderly: true) : Ended(end);
        // An end that is heard of only after the next start is of no interest any more.
        post(() =>
        {
            if (_run == run)
                Report?.Invoke(ended);
        });
        run.Gone.SetResult();
    }

    private static ActivatorEvent Ended((int? ExitStatus, int? Signal) end) => end switch
    {
        (0, _) => ActivatorEvent.Ended("it exited with status 0", isOrderly: true),
        (127, _) => ActivatorEvent.Ended("the command was not found (exit status 127)", isOrderly: false),
        (126, _) => ActivatorEvent.Ended("the command can't be executed (exit status 126)", isOrderly: false),
        ({ } status, _) => ActivatorEvent.Ended($"it exited with status {status}", isOrderly: false),
        (_, { } signal) => ActivatorEvent.Ended($"it was killed by signal {signal}", isOrderly: false),
        _ => ActivatorEvent.Ended("it has ended", isOrderly: true),
    };

    /// <summary>Completes when nobody is left of the group. Its number stays taken for as long as anybody is in it (kill(2), fork(2)).</summary>
    private static async Task GroupGoneAsync(Run run)
    {
        long start = Stopwatch.GetTimestamp();
        // As the first process of a container we inherit the orphans, and a dead one counts until it is reaped. Where nobody
        // reaps them the wait must end all the same: by then SIGKILL has been sent.
        while (ProcessSpawner.GroupExists(run.Pid) && Stopwatch.GetElapsedTime(start) < (run.IsToStop ? s_stopGrace : s_killGrace))
            await Task.Delay(s_groupCheck).ConfigureAwait(false);
    }

    /// <summary>One life of the child.</summary>
    private sealed class Run(int pid)
    {
        internal volatile bool IsToStop;
        internal volatile bool IsGone;

        /// <summary>The group that it leads.</summary>
        internal int Pid { get; } = pid;

        internal TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Our environment without what was meant for us alone.</summary>
    internal static IEnumerable<string> ChildEnvironment()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (!s_notForChildren.Contains(name))
                yield return $"{name}={variable.Value}";
        }
    }
}
