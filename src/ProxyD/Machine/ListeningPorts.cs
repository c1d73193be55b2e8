using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ProxyD.Machine;

/// <summary>Where the processes of a service listen, from proc(5).</summary>
internal static class ListeningPorts
{
    /// <summary>TCP_LISTEN of the kernel, as its tables print it.</summary>
    private const string Listening = "0A";

    /// <summary>TCP_CLOSE, which stands for a UDP socket that is not connected.</summary>
    private const string Unconnected = "07";

    private const string SocketLink = "socket:[";

    /// <summary>Addresses as <c>ListenStream=</c> takes them; a lone port for every address. None for what is not ours to see.</summary>
    /// <param name="controlGroup">Of the service, below the root of cgroup v2; empty when it doesn't run.</param>
    /// <param name="mainPid">0 when it doesn't run.</param>
    /// <param name="datagramPorts">The UDP ports that it has and nobody is connected to.</param>
    /// <param name="isWhole">It runs, and all its processes were ours to see.</param>
    internal static IReadOnlyList<string> Of(string controlGroup, int mainPid, out IReadOnlyCollection<int> datagramPorts, out bool isWhole)
    {
        HashSet<int> datagrams = [];
        HashSet<string> inodes = [];
        HashSet<string> addresses = [];
        string[] own = [.. ProcessesOf(controlGroup)];
        string[] pids = [.. own.Append(mainPid.ToString(CultureInfo.InvariantCulture)).Where(pid => pid != "0").Distinct()];
        isWhole = own.Length > 0;
        foreach (string pid in pids)
        {
            if (SocketsOf(pid) is { } sockets)
                inodes.UnionWith(sockets);
            else
                isWhole = false;
        }
        foreach (string pid in pids.Take(1))
        {
            foreach (string line in Lines($"/proc/{pid}/net/tcp").Concat(Lines($"/proc/{pid}/net/tcp6")))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == Listening && inodes.Contains(fields[9]))
                    addresses.Add(Text(fields[1]));
            }
            foreach (string line in Lines($"/proc/{pid}/net/udp").Concat(Lines($"/proc/{pid}/net/udp6")))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == Unconnected && inodes.Contains(fields[9]))
                    datagrams.Add(int.Parse(fields[1].Split(':')[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            }
        }
        datagramPorts = datagrams;
        // The same port on every address, of IPv4 and of IPv6, is one.
        return [.. addresses];
    }

    /// <summary>Whether anybody listens on a port, at whatever address.</summary>
    internal static bool IsTaken(int port)
    {
        string suffix = $":{port:X4}";
        return Lines("/proc/net/tcp").Concat(Lines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(fields => fields.Length > 3 && fields[3] == Listening && fields[1].EndsWith(suffix, StringComparison.Ordinal));
    }

    /// <summary>Whether an address is one of the machine's, which alone can be bound (bind(2)).</summary>
    internal static bool IsOwn(IPAddress address)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The inodes of all sockets that the processes of a service hold. None for what is not ours to see.</summary>
    /// <param name="controlGroup">As <see cref="Of"/> takes it.</param>
    internal static HashSet<string> Sockets(string controlGroup) => [.. ProcessesOf(controlGroup).SelectMany(pid => SocketsOf(pid) ?? [])];

    /// <summary>Also those that a service has put into groups of its own below (<c>Delegate=</c>).</summary>
    private static IEnumerable<string> ProcessesOf(string controlGroup)
    {
        string folder = $"/sys/fs/cgroup{controlGroup}";
        if (controlGroup.Length == 0 || !Directory.Exists(folder))
            return [];
        try
        {
            return [.. Directory.GetFiles(folder, "cgroup.procs", SearchOption.AllDirectories).SelectMany(Lines)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <returns>Null when they can't be seen; none of a process that has ended meanwhile.</returns>
    private static IEnumerable<string>? SocketsOf(string pid)
    {
        string[] links;
        try
        {
            links = Directory.GetFiles($"/proc/{pid}/fd");
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        catch (IOException)
        {
            return [];
        }
        return links.Select(link => new FileInfo(link).LinkTarget ?? "")
            .Where(target => target.Contains(SocketLink, StringComparison.Ordinal))
            .Select(target => target[(target.IndexOf(SocketLink, StringComparison.Ordinal) + SocketLink.Length)..].TrimEnd(']'));
    }

    /// <summary>An address as the kernel prints it: words of the machine's byte order in hexadecimal, a colon, the port.</summary>
    private static string Text(string field)
    {
        string[] parts = field.Split(':');
        byte[] bytes = Convert.FromHexString(parts[0]);
        for (int i = 0; i < bytes.Length && BitConverter.IsLittleEndian; i += 4)
            Array.Reverse(bytes, i, 4);
        IPAddress address = new(bytes);
        int port = int.Parse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        bool isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return isAny ? port.ToString(CultureInfo.InvariantCulture) : new IPEndPoint(plain, port).ToString();
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
