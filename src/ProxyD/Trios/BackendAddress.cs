using System.Globalization;
using System.Net;

namespace ProxyD.Trios;

/// <summary>What kind of address a destination or a public address is.</summary>
internal enum AddressKind
{
    /// <summary>A Unix socket in the file system.</summary>
    Path,

    /// <summary>A Unix socket in the abstract namespace, which belongs to a network namespace.</summary>
    Abstract,

    /// <summary>IPv4, as a literal.</summary>
    Ipv4,

    /// <summary>IPv6, as a literal.</summary>
    Ipv6,

    /// <summary>A host name, of whatever family.</summary>
    Name,

    /// <summary>All addresses of this machine, IPv4 as well as IPv6.</summary>
    Any,
}

/// <summary>An address in a unit, taken apart without any look at the machine; of a template, specifiers stay in it.</summary>
/// <param name="Host">A path, an abstract name, a literal without brackets, or a name; "" for <see cref="AddressKind.Any"/>.</param>
/// <param name="Port">As written; "" for Unix sockets.</param>
internal sealed record BackendAddress(AddressKind Kind, string Host, string Port)
{
    private const string DefaultPort = "80";

    internal bool IsUnix => Kind is AddressKind.Path or AddressKind.Abstract;

    internal bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out IPAddress? ip) && IPAddress.IsLoopback(ip));

    private bool IsWildcard => Kind == AddressKind.Any || Host is "0.0.0.0" or "::";

    /// <summary>A destination of a proxy: <c>HOST:PORT</c>, <c>HOST</c> (port 80), <c>[V6]:PORT</c>, <c>V6:PORT</c>, <c>/path</c>, <c>@abstract</c>;
    /// with or without <c>NAME=</c> before it.</summary>
    internal static BackendAddress OfDestination(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string address = equals > 0 && text[0] is not ('/' or '@') ? text[(equals + 1)..] : text;
        return Unix(address) ?? Internet(address, DefaultPort);
    }

    /// <summary>What a <c>ListenStream=</c> takes; systemd.socket(5).</summary>
    internal static BackendAddress OfListener(string text)
    {
        bool isPort = text.Length > 0 && text.All(c => char.IsAsciiDigit(c) || c is '%' or 'i' or 'I');
        return isPort ? new(AddressKind.Any, "", text) : Unix(text) ?? Internet(text, "");
    }

    /// <summary>Whether a client of the other address would come to a socket on this one.</summary>
    /// <param name="isIpv6Only">This socket's <c>BindIPv6Only=ipv6-only</c>.</param>
    internal bool Takes(BackendAddress other, bool isIpv6Only)
    {
        if (IsUnix || other.IsUnix)
            return Kind == other.Kind && Host == other.Host;
        if (Port != other.Port)
            return false;
        bool isSixth = other.Kind == AddressKind.Ipv6;
        if (IsWildcard && other.IsLoopback)
            return Kind == AddressKind.Any || Host == "::" ? isSixth || !isIpv6Only : !isSixth;
        return Host == other.Host || (other.Host == "localhost" && IsLoopback);
    }

    public override string ToString() => Port.Length == 0 ? Host : Kind == AddressKind.Ipv6 ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static BackendAddress? Unix(string text) => text switch
    {
        ['/', ..] => new(AddressKind.Path, text, ""),
        ['@', ..] => new(AddressKind.Abstract, text, ""),
        _ => null,
    };

    private static BackendAddress Internet(string text, string defaultPort)
    {
        int bracket = text.LastIndexOf(']');
        int colon = text.LastIndexOf(':');
        bool hasPort = colon > bracket;
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        string port = hasPort ? text[(colon + 1)..] : defaultPort;
        bool isLiteral = IPAddress.TryParse(host, out IPAddress? ip);
        AddressKind kind = !isLiteral ? AddressKind.Name : host.Contains(':', StringComparison.Ordinal) ? AddressKind.Ipv6 : AddressKind.Ipv4;
        return new(kind, isLiteral ? ip!.ToString() : host, port.ToString(CultureInfo.InvariantCulture));
    }
}
