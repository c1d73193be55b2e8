using System.Net;
using ProxyD.Interop;

namespace ProxyD.Machine;

/// <summary>Where a socket unit listens: its property Listen=, a line such as <c>[::]:8080 (Stream)</c> for each address.</summary>
internal static class ListenProperty
{
    private const string Stream = " (Stream)";

    /// <summary>The addresses of stream sockets, as systemd writes them and in its order.</summary>
    internal static IReadOnlyList<string> Streams(string property) =>
        [.. property.Split('\n').Where(line => line.EndsWith(Stream, StringComparison.Ordinal)).Select(line => line[..^Stream.Length])];

    /// <summary>Where a client of this machine connects to reach it: the address itself, and loopback for a wildcard.</summary>
    /// <param name="address">One of <see cref="Streams"/>.</param>
    /// <param name="hasLoopback6">Whether this machine has ::1; without it, [::] is reached at 127.0.0.1 (ipv6(7): such a socket takes both).</param>
    /// <returns>Null for what is neither TCP nor a Unix socket.</returns>
    internal static EndPoint? Reach(string address, bool hasLoopback6)
    {
        if (!Address.TryParse(address, null, out Address? parsed, out _) || parsed.Literal is null)
            return null;
        EndPoint listens = parsed.ToEndPoint();
        if (listens is not IPEndPoint at)
            return listens;
        if (at.Address.Equals(IPAddress.Any))
            return new IPEndPoint(IPAddress.Loopback, at.Port);
        return at.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(hasLoopback6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, at.Port) : at;
    }
}
