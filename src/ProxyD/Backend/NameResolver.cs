using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;

namespace ProxyD.Backend;

/// <summary>Resolves a backend's name with the system's resolver, off the data plane.</summary>
internal static class NameResolver
{
    /// <summary>All addresses in the resolver's order (RFC 6724), or why there are none.</summary>
    internal static async Task<(Interop.SocketAddress[] Addresses, string? Problem)> ResolveAsync(Address address)
    {
        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(address.HostName!).ConfigureAwait(false);
            return found.Length == 0
                ? ([], $"the name '{address.HostName}' has no address")
                : ([.. found.Select(ip => Interop.SocketAddress.Internet(ip, address.Port))], null);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            string why = (e as SocketException)?.SocketErrorCode.ToString() ?? "it is no host name";
            return ([], $"the name '{address.HostName}' can't be resolved ({why})");
        }
    }
}
