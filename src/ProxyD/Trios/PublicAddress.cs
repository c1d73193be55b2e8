using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using ProxyD.Interop;

namespace ProxyD.Trios;

/// <summary>Where a socket unit listens.</summary>
/// <param name="Listen">The value of <c>ListenStream=</c>, without specifiers put in or escaped.</param>
/// <param name="Address">The same as an address; for a lone port, which is every address of the machine, the IPv6 one that stands for all.</param>
internal sealed record PublicAddress(string Listen, Address Address)
{
    internal const string Accepted = "PORT, IP:PORT, [IPV6]:PORT, /path or @abstract";

    /// <summary>A path's folder, or null.</summary>
    internal string? Folder => Path.GetDirectoryName(Address.Path);

    /// <summary>One address of the machine, which it may not have yet when the socket is made.</summary>
    internal bool IsOfOneInterface => EndPoint is { } end && !IsAny(end) && !IPAddress.IsLoopback(end.Address);

    private IPEndPoint? EndPoint => EndPointOf(Address);

    /// <summary>Reads what <c>ListenStream=</c> takes (systemd.socket(5)); a port may also be a name of services(5).</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out PublicAddress? address, [NotNullWhen(false)] out string? problem)
    {
        bool isPort = text.Length > 0 && text.All(char.IsAsciiDigit);
        address = null;
        if (!Address.TryParse(isPort ? $"[::]:{text}" : text, null, out Address? parsed, out problem))
            return false;
        problem = parsed.HostName is null ? null : $"systemd looks up no names, and '{parsed.HostName}' is one";
        string listen = isPort ? parsed.Port.ToString(CultureInfo.InvariantCulture) : parsed.Literal?.Text ?? text;
        address = problem is null ? new(listen, parsed) : null;
        return address is not null;
    }

    /// <summary>Whether one process that listens here leaves no room for another at <paramref name="other"/>.</summary>
    internal bool Takes(Address other)
    {
        if (EndPoint is not { } own)
            return Address.Literal!.Text == other.Literal?.Text;
        if (own.Port != other.Port)
            return false;
        // A name is this machine's, for here the backend runs: its loopback, or any of its addresses.
        if (EndPointOf(other) is not { } end)
            return other.HostName == "localhost" ? IsAny(own) || IPAddress.IsLoopback(own.Address) : IsAny(own);
        // [::] takes IPv4's addresses too, unless BindIPv6Only= says otherwise.
        return own.Address.Equals(end.Address)
            || own.Address.Equals(IPAddress.IPv6Any) || end.Address.Equals(IPAddress.IPv6Any)
            || ((IsAny(own) || IsAny(end)) && own.AddressFamily == end.AddressFamily);
    }

    /// <summary>Whether an address is every address of the machine: one to listen on, not one to connect to.</summary>
    internal static bool IsAny(Address address) => EndPointOf(address) is { } end && IsAny(end);

    private static bool IsAny(IPEndPoint end) => end.Address.Equals(IPAddress.Any) || end.Address.Equals(IPAddress.IPv6Any);

    private static IPEndPoint? EndPointOf(Address address) => address.Port > 0 && address.Literal is { } literal ? IPEndPoint.Parse(literal.Text) : null;
}
