using System.Net;
using System.Net.Sockets;

namespace ProxyD.Machine;

/// <summary>Reads what <see cref="KernelSockets"/> understands, of this process's network.</summary>
internal static class KernelTables
{
    internal static string Tcp() => Read("/proc/net/tcp") + Read("/proc/net/tcp6");

    internal static string Unix() => Read("/proc/net/unix");

    /// <summary>A Unix address as the kernel prints it: its path, or @NAME.</summary>
    internal static string NameOf(EndPoint address) => address is UnixDomainSocketEndPoint unix ? unix.ToString() : "";

    /// <summary>Whether ::1 is there: a container may have IPv6 without it.</summary>
    internal static bool HasLoopback6()
    {
        try
        {
            using Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Whether a process has children now, whichever of its threads started them (proc(5), children).</summary>
    internal static bool HasChildren(int pid)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{pid}/task").Any(task => Read($"{task}/children").Length > 0);
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Empty for what is not there: a kernel without IPv6, a thread that has ended.</summary>
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
