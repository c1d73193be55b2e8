using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyD.Interop;

/// <summary>An address as written on a command line: a host and port, or a Unix socket.</summary>
/// <remarks>
/// Accepted are <c>HOST:PORT</c>, <c>HOST</c> (with a default port), <c>[V6]:PORT</c>, <c>V6:PORT</c> (split at the last colon, as
/// systemd-socket-proxyd does), <c>/path</c> and <c>@abstract</c>. PORT is a number or a name of services(5).
/// </remarks>
internal sealed record Address
{
    internal const string Accepted = "HOST:PORT, [IPV6]:PORT, /path or @abstract";

    /// <summary>Of a name in the DNS (RFC 1035).</summary>
    private const int HostNameMaxLength = 253;

    /// <summary>The whole address as written; what log lines show.</summary>
    internal required string Text { get; init; }

    /// <summary>The host name that needs a resolver, or null when <see cref="Literal"/> is known at once.</summary>
    internal string? HostName { get; private init; }

    /// <summary>1 to 65535; 0 for Unix sockets.</summary>
    internal int Port { get; private init; }

    /// <summary>The encoded address, unless a name must be resolved first.</summary>
    internal SocketAddress? Literal { get; private init; }

    /// <summary>The path of a Unix socket in the file system, or null.</summary>
    internal string? Path { get; private init; }

    /// <summary>The same for .NET's own sockets.</summary>
    internal EndPoint ToEndPoint()
    {
        if (HostName is not null)
            return new DnsEndPoint(HostName, Port);
        if (Literal!.Family != LibcConstants.AF_UNIX)
            return IPEndPoint.Parse(Literal.Text);
        return new UnixDomainSocketEndPoint(Path ?? "\0" + Text[1..]);
    }

    internal static bool TryParse(
        string text, int? defaultPort, [NotNullWhen(true)] out Address? address, [NotNullWhen(false)] out string? problem)
    {
        address = null;
        problem = null;
        if (text.Length == 0)
            problem = "it is empty";
        else if (text[0] is '/' or '@')
            address = ParseUnix(text, ref problem);
        else
            address = ParseInternet(text, defaultPort, ref problem);
        return address is not null;
    }

    private static Address? ParseUnix(string text, ref string? problem)
    {
        if (text.Length == 1)
            problem = text[0] == '@' ? "an abstract socket needs a name" : "'/' is a folder";
        else if (Encoding.UTF8.GetByteCount(text) > SocketAddress.MaxUnixPathBytes)
            problem = $"a Unix socket's path has at most {SocketAddress.MaxUnixPathBytes} bytes";
        else if (text.Contains('\0', StringComparison.Ordinal))
            problem = "it holds a zero byte";
        else if (text[0] == '@')
            return new() { Text = text, Literal = SocketAddress.UnixAbstract(text[1..]) };
        else
            return new() { Text = text, Literal = SocketAddress.UnixPath(text), Path = text };
        return null;
    }

    private static Address? ParseInternet(string text, int? defaultPort, ref string? problem)
    {
        if (!SplitHostAndPort(text, defaultPort, out string host, out string portText, ref problem))
            return null;
        if (!TryParsePort(portText, out int port))
        {
            problem = $"'{portText}' is no port (1 to 65535, or a name from /etc/services)";
            return null;
        }
        if (host.Length == 0)
        {
            problem = "the host is missing";
            return null;
        }
        // IPAddress would read "[::1]:80" as a host too.
        if (host.AsSpan().IndexOfAny('[', ']') >= 0)
        {
            problem = $"'{host}' is neither a host name nor an IP address";
            return null;
        }
        // IPAddress reads "12346" as 0.0.48.58, after inet_aton(3); nobody who writes a lone number means that.
        if (host.All(char.IsAsciiDigit))
        {
            problem = $"'{host}' is a number, not a host";
            return null;
        }
        if (IPAddress.TryParse(host, out IPAddress? ip))
            return new() { Text = text, Port = port, Literal = SocketAddress.Internet(ip, port) };
        if (host.Length > HostNameMaxLength || Uri.CheckHostName(host) != UriHostNameType.Dns)
        {
            problem = $"'{host}' is neither a host name nor an IP address";
            return null;
        }
        return new() { Text = text, Port = port, HostName = host };
    }

    private static bool SplitHostAndPort(string text, int? defaultPort, out string host, out string port, ref string? problem)
    {
        int colon = text.LastIndexOf(':');
        int bracket = text.LastIndexOf(']');
        if (text[0] == '[' && bracket > 0 && (bracket == text.Length - 1 || bracket == colon - 1))
        {
            (host, port) = (text[1..bracket], bracket == text.Length - 1 ? "" : text[(colon + 1)..]);
            if (!host.Contains(':', StringComparison.Ordinal))
                problem = $"'{host}' in brackets is no IPv6 address";
            colon = bracket == text.Length - 1 ? -1 : colon;
        }
        else
        {
            (host, port) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        }
        if (colon < 0)
        {
            port = defaultPort?.ToString(CultureInfo.InvariantCulture) ?? "";
            if (defaultPort is null)
                problem ??= "the port is missing";
        }
        return problem is null;
    }

    private static unsafe bool TryParsePort(string text, out int port)
    {
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
        servent* service = text.Length == 0 ? null : Libc.getservbyname(text, "tcp");
        port = service is null ? 0 : BinaryPrimitives.ReverseEndianness((ushort)service->s_port);
        return port != 0;
    }
}
