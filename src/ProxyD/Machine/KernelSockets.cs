using System.Globalization;
using System.Net;

namespace ProxyD.Machine;

/// <summary>Connections as the kernel lists them: /proc/net/tcp, tcp6 (proc_net_tcp in the kernel's documentation) and unix (unix(7), proc(5)).</summary>
/// <remarks>Each is the text of such a file; the listener's own end of a connection is looked at, never the client's.</remarks>
internal static class KernelSockets
{
    private const string Established = "01";
    private const string CloseWait = "08";
    private const string Listening = "0A";

    /// <summary>The inode of a connection that nobody has accepted yet, or whose process has closed it.</summary>
    private const string NoInode = "0";

    // A Unix socket that is connected, and one that waits to be accepted (net/unix/af_unix.c: unix_seq_show); a listener is neither.
    private const string UnixConnected = "03";
    private const string UnixConnecting = "02";

    /// <summary>Clients of a TCP listener: established, waiting to be accepted, or half-closed by the client.</summary>
    /// <param name="table">/proc/net/tcp and /proc/net/tcp6, one after the other.</param>
    /// <param name="listener">As it listens: a wildcard means every address.</param>
    /// <param name="except">Clients' ends that don't count.</param>
    internal static int TcpClients(string table, IPEndPoint listener, IReadOnlyCollection<IPEndPoint> except) =>
        // Who closed while it still waited to be accepted (no inode yet) is gone.
        TcpRows(table).Count(row => IsAt(row.Local, listener) && (row.State == Established || (row.State == CloseWait && row.Inode != NoInode))
            && !except.Contains(row.Remote));

    /// <summary>Clients of a service's own listeners that have not come by way of its proxy.</summary>
    /// <param name="table">/proc/net/tcp and /proc/net/tcp6, one after the other.</param>
    /// <param name="own">Inodes of the service's sockets.</param>
    /// <param name="others">Inodes of those sockets whose connections to it are no client's.</param>
    /// <param name="except">Listeners whose clients are counted elsewhere.</param>
    internal static int DirectClients(string table, IReadOnlySet<string> own, IReadOnlySet<string> others, IReadOnlyCollection<IPEndPoint> except)
    {
        (IPEndPoint Local, IPEndPoint Remote, string State, string Inode)[] rows = [.. TcpRows(table)];
        IPEndPoint[] listeners = [.. rows.Where(row => row.State == Listening && own.Contains(row.Inode)).Select(row => row.Local)];
        HashSet<(IPEndPoint, IPEndPoint)> known = [.. rows.Where(row => others.Contains(row.Inode)).Select(row => (row.Remote, row.Local))];
        return rows.Count(row => row.State == Established && (own.Contains(row.Inode) || row.Inode == NoInode)
            && Array.Exists(listeners, listener => IsAt(row.Local, listener)) && !except.Any(listener => IsAt(row.Local, listener))
            && !known.Contains((row.Local, row.Remote)));
    }

    /// <summary>Whether some process has taken the client's connection out of the listen queue: then it has an inode.</summary>
    internal static bool IsTcpAccepted(string table, int listenerPort, int clientPort) =>
        TcpRows(table).Any(row => row.Local.Port == listenerPort && row.Remote.Port == clientPort && row.Inode != NoInode);

    /// <summary>Clients of a Unix listener, accepted or waiting.</summary>
    /// <param name="table">/proc/net/unix.</param>
    /// <param name="name">Its path, or @NAME.</param>
    internal static int UnixClients(string table, string name) => UnixRows(table, name).Count();

    /// <summary>Whether some client of the Unix listener still waits to be accepted: the kernel doesn't tell which.</summary>
    internal static bool HasUnixWaiting(string table, string name) => UnixRows(table, name).Any(state => state == UnixConnecting);

    private static IEnumerable<(IPEndPoint Local, IPEndPoint Remote, string State, string Inode)> TcpRows(string table)
    {
        foreach (string line in table.Split('\n'))
        {
            // sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode, …
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 10 && End(fields[1]) is { } local && End(fields[2]) is { } remote)
                yield return (local, remote, fields[3], fields[9]);
        }
    }

    /// <summary>"0100007F:1F90": words of four bytes as this machine stores them, then the port.</summary>
    private static IPEndPoint? End(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon is not (8 or 32) || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ushort port))
            return null;
        byte[] bytes = new byte[colon / 2];
        for (int i = 0; i < colon; i += 8)
        {
            if (!uint.TryParse(text.AsSpan(i, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint word))
                return null;
            BitConverter.TryWriteBytes(bytes.AsSpan(i / 2), word);
        }
        IPAddress address = new(bytes);
        return new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
    }

    private static bool IsAt(IPEndPoint end, IPEndPoint listener) =>
        end.Port == listener.Port
        && (listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any) || end.Address.Equals(listener.Address));

    /// <summary>The states of a listener's connections; each bears the listener's name.</summary>
    private static IEnumerable<string> UnixRows(string table, string name)
    {
        foreach (string line in table.Split('\n'))
        {
            // Num, RefCount, Protocol, Flags, Type, St, Inode, Path: the path may hold blanks.
            string[] fields = line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 8 && fields[7] == name && fields[5] is UnixConnected or UnixConnecting)
                yield return fields[5];
        }
    }
}
