using System.Globalization;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Activation;

/// <summary>The sockets that a service manager passes: the LISTEN_FDS protocol of sd_listen_fds(3).</summary>
/// <remarks>
/// Descriptors are 3, 4, … Names are colon-separated in LISTEN_FDNAMES, one each, "unknown" without that variable.
/// LISTEN_PID must be our pid; LISTEN_PIDFDID, of newer systemd, the inode of our pidfd: pids are reused, those inodes are not.
/// </remarks>
internal static class ListenFds
{
    internal const int FirstFd = 3;

    /// <summary>More than any unit passes; a larger number is a mistake.</summary>
    private const int CountMax = 65_536;

    private static readonly string[] s_variables = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    /// <summary>What the environment says, before any descriptor is looked at.</summary>
    /// <param name="Names">One for each descriptor from <see cref="FirstFd"/> on.</param>
    /// <param name="Problem">Why there are none, if there is more to say than that nothing was passed.</param>
    internal readonly record struct Announcement(string[] Names, string? Problem);

    /// <summary>Takes the passed sockets, marks them close-on-exec and removes the variables, so that no child sees them.</summary>
    /// <exception cref="StartupException">Something was passed that can't be served.</exception>
    /// <param name="foreignIsFine">Sockets meant for another process are none of ours, without a word: we bind some ourselves.</param>
    internal static List<PassedSocket> Take(bool foreignIsFine)
    {
        Announcement announced = Read(Environment.GetEnvironmentVariable, Environment.ProcessId, OwnPidfdInode);
        foreach (string variable in s_variables)
            Environment.SetEnvironmentVariable(variable, null);
        if (announced.Problem is not null && !foreignIsFine)
            throw new StartupException(announced.Problem);
        List<PassedSocket> sockets = [];
        for (int i = 0; i < announced.Names.Length; i++)
        {
            if (!PassedSocket.TryExamine(FirstFd + i, announced.Names[i], out PassedSocket? socket, out string? problem))
            {
                throw new StartupException(
                    $"passed socket '{announced.Names[i]}' (descriptor {FirstFd + i}) can't be served: {problem}; "
                    + "expected a stream socket (ListenStream=) over IPv4, IPv6 or Unix, listening or connected");
            }
            sockets.Add(socket);
        }
        if (sockets.Count > 1 && sockets.Exists(s => s.Kind == PassedSocketKind.Connected))
        {
            throw new StartupException(
                $"{sockets.Count} sockets were passed, one of them connected; expected listening sockets, or one connected socket (Accept=yes)");
        }
        return sockets;
    }

    /// <summary>Reads the four variables. Pure: for tests.</summary>
    /// <param name="variable">Looks up an environment variable.</param>
    /// <param name="pid">Our own process id.</param>
    /// <param name="pidfdInode">Our own pidfd's inode, or null where the kernel doesn't tell.</param>
    internal static Announcement Read(Func<string, string?> variable, int pid, Func<ulong?> pidfdInode)
    {
        string? fds = variable("LISTEN_FDS");
        if (fds is null)
            return new([], null);
        if (!int.TryParse(fds, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > CountMax)
            return new([], $"LISTEN_FDS is '{fds}'; expected a number of sockets, at most {CountMax}");
        if (variable("LISTEN_PID") is { } meant && meant != pid.ToString(CultureInfo.InvariantCulture))
            return new([], $"the sockets were passed to process {meant}, and this is {pid}; a wrapper script must start proxyd with 'exec'");
        if (variable("LISTEN_PIDFDID") is { } id && pidfdInode() is { } inode && id != inode.ToString(CultureInfo.InvariantCulture))
            return new([], $"the sockets were passed to another process (LISTEN_PIDFDID {id}, not {inode}); a wrapper script must start proxyd with 'exec'");
        if (variable("LISTEN_PID") is null)
            return new([], null);
        if (count == 0)
            return new([], null);
        string[] names = variable("LISTEN_FDNAMES")?.Split(':') ?? [.. Enumerable.Repeat("unknown", count)];
        return names.Length == count
            ? new(names, null)
            : new([], $"LISTEN_FDNAMES names {names.Length} sockets, LISTEN_FDS says {count}; expected one name each");
    }

    private static unsafe ulong? OwnPidfdInode()
    {
        SysResult pidfd = SysResult.From(Libc.syscall(SYS_pidfd_open, Environment.ProcessId, 0));
        if (!pidfd.Ok)
            return null;
        statx status = default;
        byte empty = 0;
        bool known = Libc.statx(pidfd.Value, &empty, AT_EMPTY_PATH, STATX_INO, &status) == 0;
        Libc.close(pidfd.Value);
        return known ? status.stx_ino : null;
    }
}
