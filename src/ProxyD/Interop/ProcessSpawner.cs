using System.Runtime.InteropServices;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Interop;

/// <summary>Starts a child in a process group of its own, as posix_spawn(3) does it.</summary>
/// <remarks>
/// Not System.Diagnostics.Process: it knows no process groups. Signals are as every program expects to find them: none
/// blocked, none ignored (the runtime ignores SIGPIPE and has handlers of its own).
/// </remarks>
internal static unsafe class ProcessSpawner
{
    /// <param name="path">The program's file.</param>
    /// <param name="arguments">From argv[0] on.</param>
    /// <param name="environment">As NAME=VALUE.</param>
    /// <param name="pid">The child, which leads the group of the same number.</param>
    internal static SysResult Spawn(string path, IEnumerable<string> arguments, IEnumerable<string> environment, out int pid)
    {
        using NativeStrings program = new([path]);
        using NativeStrings argv = new(arguments);
        using NativeStrings envp = new(environment);
        posix_spawnattr_t attributes;
        sigset_t none, all;
        int child = 0;
        int error = Libc.posix_spawnattr_init(&attributes)
            | Libc.sigemptyset(&none)
            | Libc.sigfillset(&all)
            | Libc.posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
            | Libc.posix_spawnattr_setpgroup(&attributes, 0)
            | Libc.posix_spawnattr_setsigdefault(&attributes, &all)
            | Libc.posix_spawnattr_setsigmask(&attributes, &none);
        if (error == 0)
            error = Libc.posix_spawn(&child, program.Pointers[0], null, &attributes, argv.Pointers, envp.Pointers);
        error |= Libc.posix_spawnattr_destroy(&attributes);
        pid = child;
        return error == 0 ? SysResult.From(child) : SysResult.Failed((Errno)error);
    }

    /// <summary>Becomes another program, in the environment of this one; comes back only with an error.</summary>
    /// <param name="path">The program's file.</param>
    /// <param name="arguments">From argv[0] on.</param>
    internal static SysResult Become(string path, IEnumerable<string> arguments)
    {
        using NativeStrings program = new([path]);
        using NativeStrings argv = new(arguments);
        return SysResult.From(Libc.execv(program.Pointers[0], argv.Pointers));
    }

    /// <summary>Waits until a child has ended, and leaves it to <see cref="Reap"/>: until then nobody else can get its pid. Blocks.</summary>
    internal static void WaitForEnd(int pid)
    {
        siginfo_t info;
        while (Libc.waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0 && (Errno)Marshal.GetLastPInvokeError() == Errno.EINTR)
        {
            // Again: a signal of the runtime's.
        }
    }

    /// <summary>Takes the end of a child that has ended.</summary>
    /// <returns>Its exit status, or its signal; both null if somebody else reaped it.</returns>
    internal static (int? ExitStatus, int? Signal) Reap(int pid)
    {
        int status;
        if (Libc.waitpid(pid, &status, 0) < 0)
            return (null, null);
        // wait(2): the low 7 bits are the signal, the next byte the exit status.
        int signal = status & 0x7f;
        return signal == 0 ? ((status >> 8) & 0xff, null) : (null, signal);
    }

    /// <summary>Whether anybody is left in a process group; reaps those of its members that have become our children.</summary>
    internal static bool GroupExists(int group)
    {
        int status;
        while (Libc.waitpid(-group, &status, WNOHANG) > 0)
        {
            // The next one.
        }
        return SysResult.From(Libc.kill(-group, 0)).Errno != Errno.ESRCH;
    }

    /// <summary>A null-terminated array of C strings.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly int _count;

        internal NativeStrings(IEnumerable<string> strings)
        {
            string[] all = [.. strings];
            _count = all.Length;
            Pointers = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (int i = 0; i < _count; i++)
                Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(all[i]);
        }

        internal byte** Pointers { get; }

        public void Dispose()
        {
            for (int i = 0; i < _count; i++)
                Marshal.FreeCoTaskMem((nint)Pointers[i]);
            NativeMemory.Free(Pointers);
        }
    }
}
