using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Backend;

/// <summary><c>--ready=exec:COMMAND</c>: <c>/bin/sh -c COMMAND</c> exits with status 0.</summary>
internal sealed class CommandProbe(string command) : IReadinessProbe
{
    /// <summary>How long the command may take; then its whole process group is killed and it counts as failed.</summary>
    private static readonly TimeSpan s_commandTime = TimeSpan.FromSeconds(5);

    public TimeSpan PauseMax { get; } = TimeSpan.FromMilliseconds(100);

    public async Task<ProbeResult> TryAsync(CancellationToken stop)
    {
        SysResult spawned = ProcessSpawner.Spawn("/bin/sh", ["sh", "-c", command], ChildProcess.ChildEnvironment(), out int pid);
        if (!spawned.Ok)
            return new(false, false, $"/bin/sh could not be started ({spawned.Errno.Text()})");
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(s_commandTime);
        Lock reaping = new();
        bool isReaped = false;
        using CancellationTokenRegistration killing = time.Token.Register(Kill);
        // A thread of its own: it blocks.
        return Judge(await Task.Factory.StartNew(Wait, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false));

        void Kill()
        {
            lock (reaping)
            {
                if (!isReaped)
                    Libc.kill(-pid, SIGKILL);
            }
        }

        (int? ExitStatus, int? Signal) Wait()
        {
            ProcessSpawner.WaitForEnd(pid);
            lock (reaping)
            {
                isReaped = true;
                return ProcessSpawner.Reap(pid);
            }
        }
    }

    private ProbeResult Judge((int? ExitStatus, int? Signal) end) => end switch
    {
        (0, _) => ProbeResult.Ready,
        ({ } status, _) => new(false, false, $"'{command}' exited with status {status}"),
        _ => new(false, false, $"'{command}' was killed by signal {end.Signal}"),
    };
}
