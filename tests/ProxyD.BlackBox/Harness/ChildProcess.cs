using System.ComponentModel;
using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace ProxyD.BlackBox.Harness;

/// <summary>What a child process is started with, beside its command line.</summary>
/// <param name="Command">The program, looked up in our PATH, and its arguments.</param>
/// <param name="Environment">The whole environment: nothing of ours is inherited.</param>
/// <param name="InheritedFds">File descriptors of ours that the child finds at 3, 4, …</param>
/// <param name="IgnoresSigpipe">systemd starts services with SIGPIPE ignored; a shell doesn't.</param>
internal sealed record ChildSetup(
    IReadOnlyList<string> Command,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<int> InheritedFds,
    bool IgnoresSigpipe);

/// <summary>
/// A child process with exactly the file descriptors we name. posix_spawn and not System.Diagnostics.Process: a listener
/// that is inheritable for a moment would leak into the children that tests running beside us start, and then never close.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private const int FirstInheritedFd = 3;

    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AnonymousPipeServerStream _stdout = new(PipeDirection.In, HandleInheritability.None);
    private readonly AnonymousPipeServerStream _stderr = new(PipeDirection.In, HandleInheritability.None);
    private readonly List<string> _outputLines = [];
    private readonly List<string> _errorLines = [];
    private readonly Background[] _readers;

    private ChildProcess(ChildSetup setup)
    {
        Id = Spawn(setup, _stdout, _stderr);
        _stdout.DisposeLocalCopyOfClientHandle();
        _stderr.DisposeLocalCopyOfClientHandle();
        _readers = [Background.Start(() => Collect(_stdout, _outputLines)), Background.Start(() => Collect(_stderr, _errorLines))];
        Background.Start(Reap);
    }

    public int Id { get; }

    public bool HasExited => _exit.Task.IsCompleted;

    public string[] OutputLines => Snapshot(_outputLines);

    public string[] ErrorLines => Snapshot(_errorLines);

    public static ChildProcess Start(ChildSetup setup) => new(setup);

    /// <summary>Sends a signal; nothing happens when the process has ended already.</summary>
    public void Signal(int signal)
    {
        if (!HasExited)
            _ = Native.kill(Id, signal);
    }

    /// <summary>The exit code, or 128 plus the signal's number, once the process has ended and its output is read.</summary>
    public int WaitForExit(int timeoutMs = Wait.DefaultTimeoutMs)
    {
        if (!_exit.Task.Wait(timeoutMs))
            throw new TimeoutException($"process {Id} still runs after {timeoutMs} ms; stderr:\n{string.Join('\n', ErrorLines)}");
        // A grandchild may hold the pipes open: then what came so far has to do.
        foreach (Background reader in _readers)
            reader.HasEndedWithin(500);
        return _exit.Task.Result;
    }

    public void Dispose()
    {
        // The group holds also what a wrapper script started; it can't name strangers while its leader isn't reaped.
        if (!HasExited)
            _ = Native.kill(-Id, Native.SIGKILL);
        _exit.Task.Wait(Wait.DefaultTimeoutMs);
        foreach (Background reader in _readers)
            reader.HasEndedWithin(500);
    }

    private static string[] Snapshot(List<string> lines)
    {
        lock (lines)
            return [.. lines];
    }

    private static void Collect(AnonymousPipeServerStream pipe, List<string> lines)
    {
        using StreamReader reader = new(pipe);
        while (reader.ReadLine() is { } line)
        {
            lock (lines)
                lines.Add(line);
        }
    }

    private void Reap()
    {
        int status;
        while (Native.waitpid(Id, out status, 0) < 0 && Marshal.GetLastPInvokeError() == 4 /* EINTR */)
        {
        }
        int signal = status & 0x7f;
        _exit.SetResult(signal == 0 ? (status >> 8) & 0xff : 128 + signal);
    }

    private static unsafe int Spawn(ChildSetup setup, AnonymousPipeServerStream stdout, AnonymousPipeServerStream stderr)
    {
        // Moved out of the way first: adddup2 onto 3 must not overwrite a source that happens to be 3.
        int[] sources = [.. setup.InheritedFds.Select(fd => Check(Native.fcntl(fd, Native.F_DUPFD_CLOEXEC, 200)))];
        byte* actionBytes = stackalloc byte[Native.OpaqueBytes];
        byte* attributeBytes = stackalloc byte[Native.OpaqueBytes];
        byte* signalBytes = stackalloc byte[Native.OpaqueBytes];
        nint actions = (nint)actionBytes, attributes = (nint)attributeBytes, signals = (nint)signalBytes;

        _ = Native.posix_spawn_file_actions_init(actions);
        _ = Native.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", 0, 0);
        _ = Native.posix_spawn_file_actions_adddup2(actions, (int)stdout.ClientSafePipeHandle.DangerousGetHandle(), 1);
        _ = Native.posix_spawn_file_actions_adddup2(actions, (int)stderr.ClientSafePipeHandle.DangerousGetHandle(), 2);
        for (int i = 0; i < sources.Length; i++)
            _ = Native.posix_spawn_file_actions_adddup2(actions, sources[i], FirstInheritedFd + i);
        // What whoever started the tests left open for us is not the subject's either.
        _ = Native.posix_spawn_file_actions_addclosefrom_np(actions, FirstInheritedFd + sources.Length);

        _ = Native.posix_spawnattr_init(attributes);
        _ = Native.posix_spawnattr_setflags(
            attributes, Native.POSIX_SPAWN_SETPGROUP | Native.POSIX_SPAWN_SETSIGDEF | Native.POSIX_SPAWN_SETSIGMASK);
        _ = Native.posix_spawnattr_setpgroup(attributes, 0);
        _ = Native.sigemptyset(signals);
        _ = Native.posix_spawnattr_setsigmask(attributes, signals);
        // The .NET runtime ignores SIGPIPE, and an ignored signal stays so through exec unless it is reset here.
        _ = Native.sigfillset(signals);
        if (setup.IgnoresSigpipe)
            _ = Native.sigdelset(signals, 13);
        _ = Native.posix_spawnattr_setsigdefault(attributes, signals);

        string?[] argv = [.. setup.Command, null];
        string?[] envp = [.. setup.Environment.Select(pair => $"{pair.Key}={pair.Value}"), null];
        int error = Native.posix_spawnp(out int pid, argv[0]!, actions, attributes, argv, envp);
        _ = Native.posix_spawnattr_destroy(attributes);
        _ = Native.posix_spawn_file_actions_destroy(actions);
        foreach (int fd in sources)
            _ = Native.close(fd);
        return error == 0 ? pid : throw new Win32Exception(error, $"can't start {argv[0]}: errno {error}");
    }

    private static int Check(int result) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());
}
