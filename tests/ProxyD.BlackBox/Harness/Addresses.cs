using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ProxyD.Testing;

namespace ProxyD.BlackBox.Harness;

/// <summary>Addresses for the test's sockets, and how they are written on a proxy's command line.</summary>
internal static class Addresses
{
    public static IPEndPoint FreeEndPoint() => new(IPAddress.Loopback, Ports.Free());

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
}
