using System.Net;
using ProxyD.Shell;
using ProxyD.Trios;

namespace ProxyD.Migrations;

/// <summary>Tells whether a guard's question goes to where a proxy goes.</summary>
/// <param name="options">The proxy's command line: whom it serves.</param>
internal sealed class ProbeOwner(ProxyOptions options)
{
    /// <summary>Whether whom it asks can't be told, and isn't what the proxy's own destination calls by the same variable.</summary>
    internal bool IsUnknown(GuardProbe probe) =>
        probe.IsVague && (probe.Variable is null || probe.Kind == ProbeKind.Command || !IsOurs(probe, [])
            || !options.Destinations.Any(destination => AddressOf(destination).Contains($"${probe.Variable}", StringComparison.Ordinal))
            || (probe.Kind == ProbeKind.Http && PathOf(probe.Target).Contains('$', StringComparison.Ordinal)));

    /// <summary>Why a probe is unknown, behind "and".</summary>
    internal static string WhyUnknown(GuardProbe probe) =>
        probe.Variable is { } name ? ShellUnset.Why(name) : "whether that is the backend can't be told";

    /// <summary>Whether it asks one of the proxy's destinations, or a unit behind it.</summary>
    /// <param name="backends">Those units.</param>
    internal bool IsOurs(GuardProbe probe, IReadOnlyList<string> backends) => probe.Kind switch
    {
        ProbeKind.Tcp => options.Destinations.Any(destination => PortOf(destination) == Unbraced(probe.Target) && IsAt(probe.Host, destination)),
        ProbeKind.Unix => options.Destinations.Any(destination => AddressOf(destination) == Unbraced(probe.Target)),
        ProbeKind.Http => options.Destinations.Any(destination => AuthorityOf(Unbraced(probe.Target)) is var asked
            && (AddressOf(destination) == asked || (PortOf(destination) == PortOf(asked) && IsAt(PortText.HostOf(asked), destination)))),
        ProbeKind.Unit => backends.Any(backend => backend == probe.Target || backend == probe.Target + ".service"),
        _ => options.Destinations.Any(destination => AsksAt(probe.Target, destination)),
    };

    /// <summary>In a protocol of its own: one that names a port names the backend's, unless it names another host with it.</summary>
    private static bool AsksAt(string command, string destination)
    {
        string port = PortOf(destination);
        return (command.Contains(port, StringComparison.Ordinal) || !command.Any(char.IsAsciiDigit))
            && HostsIn(command, port).All(host => IsAt(host, destination));
    }

    /// <summary>The hosts that a command line names: by an option, or before the port.</summary>
    private static IEnumerable<string> HostsIn(string command, string port)
    {
        string[] words = command.Split([' ', '\'', '"', '='], StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < words.Length; i++)
        {
            if (i > 0 && words[i - 1] is "-h" or "--host" or "--hostname")
                yield return PortText.HostOf(words[i]);
            string authority = PortText.AuthorityOf(words[i]);
            if (authority.EndsWith($":{port}", StringComparison.Ordinal))
                yield return PortText.HostOf(authority);
        }
    }

    /// <summary>Whether a host may be the one that a destination names. Of this machine's addresses any may be; a name is only its own.</summary>
    private static bool IsAt(string? host, string destination)
    {
        string asked = Unbraced(host ?? "").Trim('[', ']'), own = PortText.HostOf(AddressOf(destination)).Trim('[', ']');
        if (PortFinder.IsLocal(asked) || asked.AsSpan().ContainsAny('$', '%') || asked == own)
            return true;
        return IPAddress.TryParse(asked, out IPAddress? one) && IPAddress.TryParse(own, out IPAddress? other) && one.Equals(other);
    }

    private static string AddressOf(string destination)
    {
        int equals = destination is ['/' or '@' or '[', ..] ? -1 : destination.IndexOf('=', StringComparison.Ordinal);
        return Unbraced(destination[(equals + 1)..]);
    }

    /// <summary>A variable that is set elsewhere, as probes name it.</summary>
    private static string Unbraced(string text) =>
        text.Contains("${", StringComparison.Ordinal) ? text.Replace("${", "$", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal) : text;

    /// <summary>What follows the last colon, a template's <c>%i</c> included; of a path, all of it.</summary>
    private static string PortOf(string address)
    {
        string text = AddressOf(address);
        int colon = text is ['/' or '@', ..] ? -1 : text.LastIndexOf(':');
        return colon < 0 ? text is ['/' or '@', ..] ? text : "80" : text[(colon + 1)..];
    }

    /// <summary><c>HOST:PORT</c> of a URL without its scheme, or the path of a Unix socket before a colon.</summary>
    private static string AuthorityOf(string target) =>
        target is ['/', ..] ? target[..target.IndexOf(':', StringComparison.Ordinal)] : target.Split('/', '?')[0];

    /// <summary>The path that a URL without its scheme asks for.</summary>
    internal static string PathOf(string target)
    {
        string rest = target[AuthorityOf(target).Length..].TrimStart(':');
        return rest.StartsWith('/') ? rest.Split('#')[0] : "/";
    }
}
