using System.Globalization;
using System.Net;
using ProxyD.Interop;
using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>Where a service says that it listens, in its command line or its environment.</summary>
/// <param name="Host">As written; null when only a port is given, and the daemon's own default decides.</param>
/// <param name="Port">0 when only a host is given.</param>
internal sealed record ListenPoint(string? Host, int Port, Setting Setting)
{
    /// <summary>Whether that is every interface of the machine.</summary>
    internal bool IsAnyAddress => Host is "0.0.0.0" or "::" or "[::]" or "*" or "+";

    /// <summary>Whether both can't be bound in one network namespace.</summary>
    /// <remarks>Tried with systemd 252: a socket on [::] takes 0.0.0.0 and every IPv4 address with it, unless it is IPv6 only.</remarks>
    internal bool Overlaps(ListenPoint other)
    {
        if (Port != other.Port)
            return false;
        string[] hosts = [Bare(this), Bare(other)];
        return hosts[0] == hosts[1] || hosts.Any(host => host is "*" or "+" or "::")
            || (hosts.Contains("0.0.0.0") && hosts.All(host => !host.Contains(':', StringComparison.Ordinal)));
    }

    private static string Bare(ListenPoint point) => point.Host?.Trim('[', ']') switch
    {
        null => "*",
        "localhost" => "127.0.0.1",
        { } host => host,
    };

    internal bool IsLoopback => Host is "localhost" || (IPAddress.TryParse(Host?.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
}

/// <summary>Reads listening addresses out of services. Only words whose meaning is plain count: a URL that a daemon is told of is none.</summary>
internal static class Listening
{
    /// <summary>Options (without dashes) and variables (in lower case) that give a port.</summary>
    private static readonly string[] s_portNames =
        ["port", "http-port", "http.port", "listen-port", "server-port", "server.port", "web-port", "webui-port", "bind-port", "quarkus.http.port", "p"];

    /// <summary>Those that give a host, or a host and a port.</summary>
    private static readonly string[] s_hostNames =
    [
        "host", "bind", "listen", "address", "addr", "bind-address", "bind-addr", "listen-address", "listen-addr", "web.listen-address", "http-address",
        "http.address", "server.address", "listen-host", "bind-host", "hostname", "ip", "b", "urls",
    ];

    /// <summary>Parts of names of variables that say where somebody else is, or what clients are told.</summary>
    private static readonly string[] s_elsewhere = ["frontend", "site", "canonical", "lb", "hmr", "client", "link", "websocket", "vite"];

    /// <summary>All that a service's command line and environment say.</summary>
    internal static IReadOnlyList<ListenPoint> Of(Unit service)
    {
        List<ListenPoint> points = [];
        Dictionary<string, (string Value, Setting Setting)> environment = EnvironmentOf(service);
        // What a file says comes after Environment=, and a container's program hands no variables on.
        bool hasOthers = ContainerRun.IsIn(service) || service.Last("Service", "EnvironmentFile") is not null;
        HashSet<string> launched = [];
        foreach ((ExecCommand command, Setting setting) in service.Commands("ExecStart"))
        {
            LaunchedProgram program = LaunchedProgram.Of(command);
            // What is set nearer to the program counts.
            foreach ((string name, string value) in program.Variables)
                environment[name] = (value, setting);
            launched.UnionWith(program.Variables.Select(variable => variable.Name));
            string[] words = [.. program.Command.Words.Select(word => Filled(word, environment))];
            if (ContainerRun.Is(program.Command) && ContainerRun.Published(words) is { } published)
                return [.. published.Select(port => new ListenPoint(port.Host, port.Port, setting))];
            if (ContainerRun.Is(program.Command))
                points.AddRange(ContainerRun.Variables(words).SelectMany(variable => FromVariable(variable.Name, variable.Value, setting)));
            else if (!ClientSigns.IsClient(program.Command))
                points.AddRange(FromOptions(words[1..], setting));
        }
        foreach ((string name, (string value, Setting setting)) in environment.Where(variable => !hasOthers || launched.Contains(variable.Key)))
            points.AddRange(FromVariable(name, value, setting));
        return Joined(points);
    }

    /// <summary>The stream addresses of a socket unit, systemd.socket(5); a lone port is every interface, of IPv4 and IPv6.</summary>
    /// <remarks>Without those that <c>BindIPv6Only=ipv6-only</c> keeps apart from every IPv4 address.</remarks>
    internal static IReadOnlyList<ListenPoint> OfSocket(Unit socket)
    {
        bool isIPv6Only = socket.Last("Socket", "BindIPv6Only")?.Value == "ipv6-only";
        return
        [
            .. socket.All("Socket", "ListenStream").Where(setting => setting.Value[0] is not ('/' or '@' or '%'))
                .Select(setting => Read("listen", setting.Value, setting)).OfType<ListenPoint>().Where(point => point.Port > 0)
                .Select(point => point with { Host = point.Host ?? "*" })
                .Where(point => !(isIPv6Only && point.Host is "*" or "[::]")),
        ];
    }

    /// <summary>Where a proxy expects its backends, as far as that is a port's number.</summary>
    internal static IEnumerable<ListenPoint> OfDestinations(ProxyCommand proxy) =>
        proxy.Options.Destinations.Select(BackendAddress.OfDestination).Where(address => !address.IsUnix && PortOf(address.Port) > 0)
            .Select(address => new ListenPoint(address.Host, PortOf(address.Port), proxy.Setting));

    /// <summary>Whether a service's command line or environment names an address's port or path at all.</summary>
    internal static bool Names(Unit service, Address address)
    {
        if (address.Port > 0 && ContainerRun.IsIn(service) && Of(service) is { Count: > 0 } published)
            return published.Any(point => point.Port == address.Port);
        string port = address.Port.ToString(CultureInfo.InvariantCulture);
        IEnumerable<string> words = service.Commands("ExecStart").SelectMany(entry => entry.Command.Words)
            .Concat(EnvironmentOf(service).Values.Select(variable => variable.Value));
        return address.Port > 0
            ? words.Any(word => word == port || word.Split([':', '=', '/', ' ', ',']).Contains(port))
            : words.Any(word => word.Contains(address.Path ?? address.Text, StringComparison.Ordinal));
    }

    private static IEnumerable<ListenPoint> FromOptions(string[] arguments, Setting setting)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            string word = arguments[i];
            if (word is not ['-', ..])
            {
                // python3 -m http.server 8000
                bool isServed = i >= 2 && arguments.Contains("http.server") && !arguments[i - 1].StartsWith('-');
                bool isBound = arguments.Any(other => other is "-b" or "--bind" || other.StartsWith("--bind=", StringComparison.Ordinal));
                if (isServed && PortOf(word) is > 0 and int served)
                    yield return new(isBound ? null : "0.0.0.0", served, setting);
                // manage.py runserver 127.0.0.1:8000
                if (i > 0 && arguments[i - 1] == "runserver" && Read("listen", word, setting) is { } run)
                    yield return run;
                continue;
            }
            // java -Dserver.port=8080
            string name = word.StartsWith("-D", StringComparison.Ordinal) ? word[2..] : word.TrimStart('-');
            int equals = name.IndexOf('=', StringComparison.Ordinal);
            string? value = equals > 0 ? name[(equals + 1)..] : arguments.ElementAtOrDefault(i + 1);
            foreach (ListenPoint point in ReadAll(equals > 0 ? name[..equals] : name, value ?? "", setting))
                yield return point;
        }
    }

    private static IEnumerable<ListenPoint> FromVariable(string name, string value, Setting setting)
    {
        // OLLAMA_HOST, HTTP_PORT, ASPNETCORE_URLS: what counts is how it ends.
        string[] parts = name.ToLowerInvariant().Split('_');
        string last = parts[^1];
        // HTTP_HOST_PORT is a container's port on its host; an address with https:// is what clients are told.
        bool isShown = parts is [.., "host", "port"] || (last != "urls" && value.StartsWith("https://", StringComparison.Ordinal));
        return last is "p" or "b" || isShown || parts.Any(s_elsewhere.Contains) || PortText.IsOthers(name) ? [] : ReadAll(last, value, setting);
    }

    /// <summary>The variables of <c>Environment=</c>; of one that is set twice the last counts.</summary>
    private static Dictionary<string, (string Value, Setting Setting)> EnvironmentOf(Unit service)
    {
        Dictionary<string, (string Value, Setting Setting)> environment = [];
        foreach (EnvironmentWord word in UnitEnvironment.Written(service))
            environment[word.Name] = (Specifiers.Expand(word.Value, service.Parts, service.IsUser), word.Setting);
        return environment;
    }

    /// <summary>A word with the values of its variables, where these are known: <c>$NAME</c> alone and <c>${NAME}</c> anywhere;
    /// systemd.service(5).</summary>
    private static string Filled(string word, Dictionary<string, (string Value, Setting Setting)> environment) =>
        UnitEnvironment.Filled(word, environment.ToDictionary(variable => variable.Key, variable => variable.Value.Value));

    /// <summary>Several URLs may stand in one value, as Kestrel takes them.</summary>
    private static IEnumerable<ListenPoint> ReadAll(string name, string value, Setting setting) =>
        (value.Contains("://", StringComparison.Ordinal) ? value.Split(';') : [value]).Select(one => Read(name, one, setting)).OfType<ListenPoint>();

    private static ListenPoint? Read(string name, string value, Setting setting)
    {
        if (s_portNames.Contains(name))
            return PortOf(value) is > 0 and int port ? new(null, port, setting) : null;
        if (!s_hostNames.Contains(name))
            return null;
        if (ClientSigns.IsOthersUrl(value))
            return null;
        string address = value[(value.IndexOf("://", StringComparison.Ordinal) is >= 0 and int scheme ? scheme + 3 : 0)..].TrimEnd('/');
        int colon = address.LastIndexOf(':');
        if (PortOf(address) is > 0 and int alone)
            return new(null, alone, setting);
        // Of an IPv6 address without brackets the last part is no port.
        bool isSplit = colon >= 0 && (address[..colon].EndsWith(']') || address.IndexOf(':', StringComparison.Ordinal) == colon);
        if (isSplit && PortOf(address[(colon + 1)..]) is > 0 and int behind)
            return new(colon == 0 ? "*" : address[..colon], behind, setting);
        bool isHost = address is "localhost" or "*" or "+" || IPAddress.TryParse(address.Trim('[', ']'), out _);
        return isHost ? new(address, 0, setting) : null;
    }

    /// <summary>A host that stands alone belongs to the ports that stand alone.</summary>
    private static List<ListenPoint> Joined(List<ListenPoint> points)
    {
        ListenPoint? host = points.Find(point => point.Port == 0);
        if (host is null)
            return points;
        bool hasLonePort = points.Exists(point => point.Host is null);
        return [.. points.Where(point => point.Port > 0 || !hasLonePort).Select(point => point.Host is null ? point with { Host = host.Host } : point)];
    }

    private static int PortOf(string text) =>
        text.Length is > 0 and <= 5 && text.All(char.IsAsciiDigit) && int.Parse(text, CultureInfo.InvariantCulture) is <= 65535 and int port ? port : 0;
}
