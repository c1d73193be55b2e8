using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Activation;

/// <summary>RLIMIT_NOFILE: raised only when the connection limit needs it and nothing forbids it.</summary>
internal static unsafe class DescriptorLimit
{
    /// <summary>Makes room for so many descriptors if that is possible.</summary>
    /// <param name="needed">Descriptors that may be open at once.</param>
    /// <param name="mayRaise">False where a system call filter could kill us for asking (<see cref="HasSyscallFilter"/>).</param>
    /// <returns>How many there may be.</returns>
    internal static long Provide(long needed, Func<bool> mayRaise)
    {
        rlimit limit = default;
        if (Libc.getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return needed;
        if (limit.rlim_cur >= (ulong)needed || limit.rlim_cur >= limit.rlim_max || !mayRaise())
            return (long)Math.Min(limit.rlim_cur, long.MaxValue);
        limit.rlim_cur = Math.Min((ulong)needed, limit.rlim_max);
        Libc.setrlimit(RLIMIT_NOFILE, &limit);
        Libc.getrlimit(RLIMIT_NOFILE, &limit);
        return (long)Math.Min(limit.rlim_cur, long.MaxValue);
    }

    /// <summary>Whether this process runs under a seccomp filter. <c>SystemCallFilter=~@resources</c> kills who calls setrlimit(2).</summary>
    internal static bool HasSyscallFilter()
    {
        try
        {
            return File.ReadLines("/proc/self/status").Any(line => line.StartsWith("Seccomp:\t2", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }
}
