using System.Globalization;
using System.Net;
using System.Text;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>Reads ports and addresses out of words: by the name before them, and by how they look.</summary>
internal static class PortText
{
    /// <summary>Ports that a daemon connects to, by how their variables and options begin.</summary>
    private static readonly string[] s_others =
    [
        "db", "database", "redis", "smtp", "mail", "imap", "postgres", "pg", "mysql", "mariadb", "mongo", "amqp", "rabbit", "mqtt", "ldap", "kafka",
        "elastic", "memcache", "proxy", "upstream", "statsd", "debug", "inspect", "metrics", "remote", "peer", "cluster", "backend", "target", "dns", "syslog",
        "endpoint", "broker", "replica", "master", "rc", "advertise", "announce", "report",
        "virtual", "health", "consul",
    ];

    private static readonly string[] s_addressNames = ["listen", "addr", "address", "bind", "host", "hostname", "ip", "urls", "http"];

    /// <summary>Parts of names of what clients see, which stays where it is, or of what a daemon goes to.</summary>
    private static readonly string[] s_shown =
        ["url", "origin", "origins", "public", "base", "root", "external", "forwarded", "trusted", "allow", "allowed", "deny"];

    /// <summary>Reads a value whose name says what it is.</summary>
    internal static PortSetting? Read(string name, string before, string value, Setting setting, int index)
    {
        string plain = name.TrimStart('-').ToLowerInvariant();
        if (IsOthers(name))
            return null;
        if (plain.EndsWith("port", StringComparison.Ordinal))
            return IsPort(value, out int port) ? new(setting, index, before, null, port, "", plain == "port" ? 0 : 1) { Name = name } : null;
        return IsAddressName(name) ? Parse(before, value, setting, index, plain is "listen" or "bind" ? 0 : 1) : null;
    }

    /// <summary>Whether a name is one of an address that a daemon listens at.</summary>
    internal static bool IsAddressName(string name) => !IsOthers(name) && PartsOf(name.TrimStart('-')).Any(s_addressNames.Contains);

    /// <summary>Whether a name is one of what a daemon goes to, or of what clients are told.</summary>
    internal static bool IsOthers(string name)
    {
        string[] parts = PartsOf(name.TrimStart('-'));
        return s_others.Any(other => parts.Any(part => part.StartsWith(other, StringComparison.Ordinal))) || parts.Any(s_shown.Contains);
    }

    /// <summary><c>HOST:PORT</c>, <c>:PORT</c>, <c>http://HOST:PORT/</c>, a lone port or a lone address.</summary>
    internal static PortSetting? Parse(string before, string value, Setting setting, int index, int rank)
    {
        if (ClientSigns.IsOthersUrl(value))
            return null;
        value = OneOf(value);
        int scheme = value.IndexOf("://", StringComparison.Ordinal);
        string prefix = scheme < 0 ? "" : value[..(scheme + 3)];
        string rest = value[prefix.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string authority = slash < 0 ? rest : rest[..slash];
        string after = slash < 0 ? "" : rest[slash..];
        if (IsPort(authority, out int lone))
            return new(setting, index, before + prefix, null, lone, after, rank) { Name = "" };
        int colon = authority.LastIndexOf(':');
        if (colon >= 0 && IsPort(authority[(colon + 1)..], out int port) && IsHost(authority[..colon]))
            return new(setting, index, before + prefix, authority[..colon], port, after, rank) { Name = "" };
        bool isAddress = IPAddress.TryParse(authority, out _) && authority.Any(c => c is '.' or ':');
        return isAddress || authority is "localhost" or "*" ? new(setting, index, before + prefix, authority, null, after, rank) { Name = "" } : null;
    }

    /// <summary>Of a list of URLs that name one port at several addresses, as Kestrel takes it, one: it is enough for the daemon on loopback.</summary>
    private static string OneOf(string value)
    {
        string[] urls = value.Split(';', StringSplitOptions.RemoveEmptyEntries);
        string[] ends = [.. urls.Select(url => url[(url.LastIndexOf(':') + 1)..].TrimEnd('/')).Distinct()];
        bool isOnePort = urls.Length > 1 && ends is [var port] && IsPort(port, out _) && urls.All(url => url.Contains("://", StringComparison.Ordinal));
        // The widest of them is where clients come.
        return isOnePort ? Array.Find(urls, url => url.Contains("://[::]:", StringComparison.Ordinal)) ?? urls[0] : value;
    }

    /// <summary><c>http-listen-addr</c>, <c>HTTP_LISTEN_ADDR</c> and <c>httpListenAddr</c>: the same three words.</summary>
    private static string[] PartsOf(string name)
    {
        StringBuilder parted = new();
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(name[i]) && char.IsAsciiLetterLower(name[i - 1]))
                parted.Append('-');
            parted.Append(char.ToLowerInvariant(name[i]));
        }
        return parted.ToString().Split('_', '-', '.', ':');
    }

    /// <summary>A URL, or an address as it stands, without its scheme and path.</summary>
    internal static string AuthorityOf(string text) =>
        text[(text.IndexOf("://", StringComparison.Ordinal) is >= 0 and int scheme ? scheme + 3 : 0)..].Split('/')[0];

    /// <summary>The host of <c>HOST:PORT</c>, or of what has no port; an IPv6 address without brackets has none.</summary>
    internal static string HostOf(string authority)
    {
        int colon = authority.LastIndexOf(':');
        bool hasPort = colon > 0 && (authority[colon - 1] == ']' || authority.IndexOf(':', StringComparison.Ordinal) == colon);
        return hasPort ? authority[..colon] : authority;
    }

    /// <summary>All numbers in a text that may be ports.</summary>
    internal static IEnumerable<int> Numbers(string text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            int start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
                at++;
            if (IsPort(text[start..at], out int port))
                yield return port;
        }
    }

    internal static bool IsHost(string text) =>
        PortFinder.IsAnywhere(text) || text == "localhost" || IPAddress.TryParse(text.Trim('[', ']'), out _);

    internal static bool IsPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
}
