using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ProxyD.BlackBox.Harness;

/// <summary>Addresses for the test's sockets, and how they are written on a proxy's command line.</summary>
internal static class Addresses
{
    private const int FirstPort = 20_000;
    private const int LastPort = 29_999;

    // Test processes that run side by side start at different places.
    private static int s_next = FirstPort + (Environment.ProcessId * 97 % (LastPort - FirstPort));

    /// <summary>A port on which nobody listens, on neither loopback address.</summary>
    /// <remarks>Outside ip_local_port_range, so that no client's own port takes it before the backend comes.</remarks>
    public static int FreePort()
    {
        while (true)
        {
            int port = Interlocked.Increment(ref s_next);
            if (port > LastPort)
                Interlocked.Exchange(ref s_next, FirstPort);
            else if (CanBind(new(IPAddress.Loopback, port)) && (!HasIPv6 || CanBind(new(IPAddress.IPv6Loopback, port))))
                return port;
        }
    }

    public static IPEndPoint FreeEndPoint() => new(IPAddress.Loopback, FreePort());

    public static bool HasIPv6 { get; } =
        NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Any(a => a.Address.Equals(IPAddress.IPv6Loopback));

    /// <summary>HOST:PORT, [V6]:PORT, /path or @abstract.</summary>
    public static string Text(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint ip => ip.ToString(),
        _ => endPoint.ToString()!,
    };

    /// <summary>An abstract Unix address with a name nobody else uses.</summary>
    public static UnixDomainSocketEndPoint Abstract() =>
        new("\0proxyd-test-" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));

    public static Socket NewSocket(EndPoint of) =>
        new(of.AddressFamily, SocketType.Stream, of.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);

    /// <summary>A listening socket as systemd passes one: bound, listening, non-blocking.</summary>
    public static Socket Listen(EndPoint? at = null, int backlog = 1024)
    {
        at ??= new IPEndPoint(IPAddress.Loopback, 0);
        Socket listener = NewSocket(at);
        listener.Bind(at);
        listener.Listen(backlog);
        listener.Blocking = false;
        return listener;
    }

    private static bool CanBind(IPEndPoint at)
    {
        using Socket probe = NewSocket(at);
        try
        {
            probe.Bind(at);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
