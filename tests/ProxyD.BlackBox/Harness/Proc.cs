using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ProxyD.BlackBox.Harness;

/// <summary>What /proc says of a process or of this machine's TCP connections.</summary>
internal static class Proc
{
    /// <summary>USER_HZ: the unit of the times in /proc/PID/stat, the same on every Linux that matters.</summary>
    public const int TicksPerSecond = 100;

    /// <summary>The field of /proc/PID/stat that holds the process group, counted from 1 as proc(5) does.</summary>
    public const int ProcessGroupField = 5;

    /// <summary>User and system time of all threads of a process, in ticks.</summary>
    public static long CpuTicks(int pid) =>
        long.Parse(StatField(pid, 14), CultureInfo.InvariantCulture) + long.Parse(StatField(pid, 15), CultureInfo.InvariantCulture);

    /// <summary>One field of /proc/PID/stat.</summary>
    /// <param name="number">3 or more, as proc(5) counts.</param>
    public static string StatField(int pid, int number)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        // Field 2, the command's name in parentheses, may hold spaces.
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[number - 3];
    }

    /// <summary>One of the signal sets in /proc/PID/status, the standard signals only: bit 0 is signal 1.</summary>
    public static int Signals(int pid, string name)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return (int)(long.Parse(line.AsSpan(name.Length + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 0x7fffffff);
    }

    /// <summary>The memory of a process that is in RAM, shared pages included.</summary>
    public static int ResidentKb(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return int.Parse(line.AsSpan("VmRSS:".Length).Trim(" \tkB"), CultureInfo.InvariantCulture);
    }

    /// <summary>The share of one core that a process used in the given time, in percent.</summary>
    public static double CpuPercent(int pid, int durationMs = 1000)
    {
        long before = CpuTicks(pid);
        Thread.Sleep(durationMs);
        return (CpuTicks(pid) - before) * 100.0 * 1000 / TicksPerSecond / durationMs;
    }

    public static int ThreadCount(int pid) => Directory.GetDirectories($"/proc/{pid}/task").Length;

    public static int FdCount(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    /// <summary>Whether a process has a descriptor of the very socket that this is a descriptor of; one that has ended has none.</summary>
    public static bool Holds(int pid, Socket socket)
    {
        string? target = new FileInfo($"/proc/self/fd/{socket.Handle}").LinkTarget;
        try
        {
            return Directory.GetFileSystemEntries($"/proc/{pid}/fd").Any(path => new FileInfo(path).LinkTarget == target);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A figure once it has stood still for a while: a process that serves already may still be starting up.</summary>
    public static int Settled(Func<int> figure)
    {
        const int StillMs = 150;
        int last = figure();
        long since = Stopwatch.GetTimestamp();
        Wait.Until(
            () =>
            {
                if (figure() is var now && now != last)
                    (last, since) = (now, Stopwatch.GetTimestamp());
                return Stopwatch.GetElapsedTime(since).TotalMilliseconds > StillMs;
            },
            "a figure that stands still");
        return last;
    }

    /// <summary>The capacity of each pipe that a process made (its standard streams left out), by opening it once more.</summary>
    /// <remarks>Needs the right to look into the process: the same uid, or root.</remarks>
    public static IReadOnlyList<int> PipeCapacities(int pid)
    {
        Dictionary<string, int> capacities = [];
        foreach (string path in Directory.GetFileSystemEntries($"/proc/{pid}/fd"))
        {
            int number = int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture);
            string? target = number <= 2 ? null : new FileInfo(path).LinkTarget;
            if (target is null || !target.StartsWith("pipe:", StringComparison.Ordinal) || capacities.ContainsKey(target))
                continue;
            int fd = Native.open(path, Native.O_RDONLY | Native.O_NONBLOCK | Native.O_CLOEXEC);
            if (fd < 0)
                continue;
            capacities[target] = Native.fcntl(fd, Native.F_GETPIPE_SZ, 0);
            _ = Native.close(fd);
        }
        return [.. capacities.Values];
    }

    /// <summary>A second descriptor of a process's TCP socket whose other end is at a local port: for asking about its options.</summary>
    /// <remarks>Needs the right to trace the process: our own child, or root.</remarks>
    public static Socket SocketTo(int pid, int remotePort)
    {
        int pidfd = Native.syscall(Native.SYS_pidfd_open, pid, 0, 0);
        try
        {
            foreach (string path in Directory.GetFileSystemEntries($"/proc/{pid}/fd"))
            {
                if (new FileInfo(path).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) != true)
                    continue;
                int number = int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture);
                Socket socket = new(new SafeSocketHandle(Native.syscall(Native.SYS_pidfd_getfd, pidfd, number, 0), ownsHandle: true));
                if (socket.Connected && socket.RemoteEndPoint is IPEndPoint remote && remote.Port == remotePort)
                    return socket;
                socket.Dispose();
            }
        }
        finally
        {
            _ = Native.close(pidfd);
        }
        throw new InvalidOperationException($"process {pid} has no connection to port {remotePort}");
    }
}
