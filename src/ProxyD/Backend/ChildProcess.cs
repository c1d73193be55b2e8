using System.Collections;
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

    private static readonly string[] s_notForChildren =
        ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

    /// <summary>Held while the group is signalled or reaped: a pid that was reaped may be another process's.</summary>
    private readonly Lock _reaping = new();
    private int _pid;
    private bool _killed;
    private Task _gone = Task.CompletedTask;

    public bool IsRunning => Volatile.Read(ref _pid) != 0;

    public string? Start(Action<string> ended)
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

    private void Watch(int pid, TaskCompletionSource gone, Action<string> ended)
    {
        ProcessSpawner.WaitForEnd(pid);
        (int? ExitStatus, int? Signal) end;
        lock (_reaping)
        {
            // Whoever it left behind in its group would keep the port.
            Libc.kill(-pid, SIGKILL);
            end = ProcessSpawner.Reap(pid);
            _pid = 0;
        }
        gone.SetResult();
        ended(end switch
        {
            (127, _) => "the command was not found (exit status 127)",
            (126, _) => "the command can't be executed (exit status 126)",
            ({ } status, _) => $"it exited with status {status}",
            (_, { } signal) => $"it was killed by signal {signal}",
            _ => "it has ended",
        });
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
