using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ProxyD.EndToEnd;

/// <summary>The two system calls of the harness that .NET does not offer.</summary>
internal static partial class Native
{
    private const int CLONE_NEWNET = 0x40000000;
    private const int SIGKILL = 9;

    /// <summary>Moves the calling thread, and no other, into the network namespace of a process; see setns(2).</summary>
    public static void EnterNetworkOf(int pid)
    {
        using SafeFileHandle space = File.OpenHandle($"/proc/{pid}/ns/net");
        if (setns(space, CLONE_NEWNET) != 0)
            throw new InvalidOperationException($"setns into the lab's network: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Kills one process; that it is gone already, or was never found (0), is fine.</summary>
    public static void Kill(int pid)
    {
        // kill(2) takes 0 and negative numbers for whole groups of processes.
        if (pid > 1)
            _ = kill(pid, SIGKILL);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle fd, int nstype);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
