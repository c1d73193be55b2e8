using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ProxyD.Testing;

/// <summary>Ports on which nobody listens, for backends that are to come later. Each is given once, however many tests run in parallel.</summary>
/// <remarks>
/// Outside ip_local_port_range: there no client's own port takes it before the backend comes, and no connect meets itself.
/// </remarks>
internal static class Ports
{
    private const int Span = 10_000;

    /// <summary>The last port below which many services have their places.</summary>
    private const int Conventional = 10_000;

    private static readonly (int First, int Count) s_range = OutsideEphemeral();

    // Test processes that run side by side start at different places.
    private static int s_next = Environment.ProcessId * 97;

    /// <summary>A port on which nobody listens, on neither loopback address.</summary>
    public static int Free()
    {
        while (true)
        {
            int port = s_range.First + (int)((uint)Interlocked.Increment(ref s_next) % (uint)s_range.Count);
            if (CanBind(IPAddress.Loopback, port) && CanBind(IPAddress.IPv6Loopback, port))
                return port;
        }
    }

    /// <summary>The larger of the two stretches of ports beside the ephemeral range.</summary>
    private static (int First, int Count) OutsideEphemeral()
    {
        string[] range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        int low = int.Parse(range[0], CultureInfo.InvariantCulture), high = int.Parse(range[1], CultureInfo.InvariantCulture);
        int below = Math.Clamp(low - Conventional, 0, Span), above = Math.Clamp(ushort.MaxValue - high, 0, Span);
        return Math.Max(below, above) > 0
            ? below >= above ? (low - below, below) : (high + 1, above)
            : throw new InvalidOperationException($"ip_local_port_range is {low} to {high}: no port from {Conventional} on is outside");
    }

    private static bool CanBind(IPAddress address, int port)
    {
        try
        {
            using Socket probe = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(address, port));
            return true;
        }
        catch (SocketException e)
        {
            // Without IPv6 nobody can be there.
            return e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported;
        }
    }
}
