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
internal sealed class ChildProcess(string command) : IActivator
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
    private int _pid;
    private bool _killed;
    private volatile bool _stopping;
    private Task _gone = Task.CompletedTask;

    public bool IsRunning => Volatile.Read(ref _pid) != 0;

    public string? Start(Action<BackendEnd> ended)
    {
        SysResult spawned = ProcessSpawner.Spawn("/bin/sh", ["sh", "-c", "exec " + command], ChildEnvironment(), out int pid);
        if (!spawned.Ok)
            return $"/bin/sh could not be started ({spawned.Errno.Text()})";
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_reaping)
        {
            _pid = pid;
            _gone = gone.Task;
            // Kill() came while we were spawning.
            if (_killed)
                Libc.kill(-pid, SIGKILL);
        }
        new Thread(() => Watch(pid, gone, ended)) { Name = "backend-wait", IsBackground = true }.Start();
        return null;
    }

    public async Task StopAsync()
    {
        Task gone = _gone;
        _stopping = true;
        Signal(SIGTERM);
        if (await Task.WhenAny(gone, Task.Delay(s_stopGrace)).ConfigureAwait(false) != gone)
            Signal(SIGKILL);
        await gone.ConfigureAwait(false);
    }

    public void Kill()
    {
        lock (_reaping)
            _killed = true;
        Signal(SIGKILL);
    }

    private void Signal(int signal)
    {
        lock (_reaping)
        {
            if (_pid != 0)
                Libc.kill(-_pid, signal);
        }
    }

    private void Watch(int pid, TaskCompletionSource gone, Action<BackendEnd> ended)
    {
        ProcessSpawner.WaitForEnd(pid);
        // Whoever it left behind in its group would keep the port; but who has been asked to end gets the time for it.
        if (!_stopping)
            Signal(SIGKILL);
        _ = FinishAsync(pid, ProcessSpawner.Reap(pid), gone, ended);
    }

    private async Task FinishAsync(int pid, (int? ExitStatus, int? Signal) end, TaskCompletionSource gone, Action<BackendEnd> ended)
    {
        await GroupGoneAsync(pid).ConfigureAwait(false);
        lock (_reaping)
            _pid = 0;
        gone.SetResult();
        ended(end switch
        {
            (0, _) => new("it exited with status 0", IsOrderly: true),
            (127, _) => new("the command was not found (exit status 127)", IsOrderly: false),
            (126, _) => new("the command can't be executed (exit status 126)", IsOrderly: false),
            ({ } status, _) => new($"it exited with status {status}", IsOrderly: false),
            (_, { } signal) => new($"it was killed by signal {signal}", IsOrderly: false),
            _ => new("it has ended", IsOrderly: true),
        });
    }

    /// <summary>Completes when nobody is left of the group. Its number stays taken for as long as anybody is in it (kill(2), fork(2)).</summary>
    private async Task GroupGoneAsync(int pid)
    {
        long start = Stopwatch.GetTimestamp();
        // As the first process of a container we inherit the orphans, and a dead one counts until it is reaped. Where nobody
        // reaps them the wait must end all the same: by then SIGKILL has been sent.
        while (ProcessSpawner.GroupExists(pid) && Stopwatch.GetElapsedTime(start) < (_stopping ? s_stopGrace : s_killGrace))
            await Task.Delay(s_groupCheck).ConfigureAwait(false);
    }

    private static IEnumerable<string> ChildEnvironment()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (!s_notForChildren.Contains(name))
                yield return $"{name}={variable.Value}";
        }
    }
}
