using System.Globalization;
using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>A word of a unit file by which a daemon is told where to listen.</summary>
/// <param name="Setting">The line.</param>
/// <param name="Index">Which word of its value, counted from 0.</param>
/// <param name="Before">What stands before the address or port in that word: <c>PORT=</c>, <c>--listen=</c>, <c>http://</c>.</param>
/// <param name="Host">The host in the same word; null when only a port is there.</param>
/// <param name="Port">The port; null for a word that holds only the host.</param>
/// <param name="After">What stands behind.</param>
/// <param name="Rank">How sure it is: 0 for the plainest names.</param>
internal sealed record PortSetting(Setting Setting, int Index, string Before, string? Host, int? Port, string After, int Rank)
{
    /// <summary>What it is called, for messages: <c>Environment=PORT</c>, <c>--port</c>.</summary>
    internal required string Name { get; init; }

    /// <summary>Its name and its port, for messages.</summary>
    internal string Said => Name.EndsWith($"{Port}", StringComparison.Ordinal) ? Name : $"{Name} {Port}";

    /// <summary>The word for another address.</summary>
    internal string For(string host, int port)
    {
        string number = Port is null ? "" : port.ToString(CultureInfo.InvariantCulture);
        string address = Host is null ? number : Port is null ? host : $"{host}:{number}";
        return Before + address + After;
    }
}

/// <summary>Finds in a service where its daemon is told to listen.</summary>
internal static class PortFinder
{
    /// <summary>How the name of a variable begins, for messages.</summary>
    internal const string VariableName = "Environment=";

    /// <summary>The rank of a number that no name says to be a port.</summary>
    private const int LoneRank = 3;

    /// <summary>Smaller numbers can be anything, unless a name says what they are.</summary>
    private const int PlainPortMin = 1024;

    /// <summary>Below, what people run as services of their own.</summary>
    private static readonly int[] s_lowPorts = [21, 22, 25, 53, 80, 110, 143, 389, 443, 445, 465, 587, 631, 636, 853, 873, 993, 995];

    /// <summary>What a container's port on the machine is called, whichever way it is written.</summary>
    private const string Publish = "--publish";

    /// <summary>Names by which a host alone is the daemon's own.</summary>
    private static readonly string[] s_hostNames =
    [
        "host", "bind", "listen", "addr", "address", "bind_host", "bind_addr", "bind_address", "bind_ip", "listen_host", "listen_addr", "listen_address",
        "listen_ip", "listen_on", "ip",
    ];

    /// <summary>How the script ends that an interpreter runs.</summary>
    private static readonly string[] s_scripts = [".js", ".mjs", ".cjs", ".ts", ".py", ".pyz", ".rb", ".pl", ".php", ".jar", ".sh", ".lua", ".dll", ".ru"];

    /// <summary>As /etc/hosts has them.</summary>
    private static readonly string[] s_loopbackNames = ["localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"];

    private static readonly string[] s_anywhere = ["0.0.0.0", "::", "[::]", "*", "+", ""];

    /// <summary>Every word that may say it, the surest first.</summary>
    internal static IReadOnlyList<PortSetting> Find(Unit service)
    {
        if (OfContainer(service) is { } published)
            return published;
        PortSetting[] arguments = [.. InArguments(service)];
        // Where an option says it, a number that stands alone is something else.
        bool isNamed = Array.Exists(arguments, setting => setting is { Port: not null, Rank: < LoneRank });
        IEnumerable<PortSetting> variables = ContainerRun.IsIn(service) ? [] : InEnvironment(service);
        return
        [
            .. variables.Concat(arguments.Where(setting => !isNamed || setting.Rank < LoneRank)).OrderBy(setting => setting.Rank),
        ];
    }

    /// <summary>The words with a host alone that the daemon takes for its own: plainly named, or as its port is (<c>APP_HOST</c> beside
    /// <c>APP_PORT</c>), or, without one of these, every address, to which nobody goes. Any other may be whom it goes to.</summary>
    /// <param name="ports">What its port is called.</param>
    internal static IReadOnlyList<PortSetting> HostsOf(IEnumerable<PortSetting> settings, IEnumerable<string> ports)
    {
        IEnumerable<string> beginnings = ports.Select(Plain).Where(name => name.EndsWith("port", StringComparison.Ordinal))
            .Select(name => name[..^"port".Length]);
        HashSet<string> names = [.. beginnings.Append("").SelectMany(beginning => s_hostNames.Select(name => beginning + name))];
        PortSetting[] hosts = [.. settings.Where(setting => setting is { Port: null, Host: not null })];
        PortSetting[] own = Array.FindAll(hosts, setting => setting.Name is ['-', not '-'] || names.Contains(Plain(setting.Name)));
        return own.Length > 0 ? own : Array.FindAll(hosts, setting => IsAnywhere(setting.Host!));
    }

    /// <summary>Whether a host is this machine's alone, or all of its addresses.</summary>
    internal static bool IsLocal(string host) =>
        IsAnywhere(host) || s_loopbackNames.Contains(host) || (System.Net.IPAddress.TryParse(host.Trim('[', ']'), out System.Net.IPAddress? address)
            && System.Net.IPAddress.IsLoopback(address));

    /// <summary>Whether a host means every address of the machine.</summary>
    internal static bool IsAnywhere(string host) => s_anywhere.Contains(host);

    /// <summary>The word that sets a variable, whatever its name says.</summary>
    /// <param name="isSet">Whether it is set at all.</param>
    /// <returns>Null when it is set to no port or address.</returns>
    internal static PortSetting? Variable(Unit service, string name, out bool isSet)
    {
        EnvironmentWord? word = UnitEnvironment.Written(service).LastOrDefault(word => word.Name == name);
        isSet = word is not null;
        return word is null ? null : Named(VariableName + name, PortText.Parse(name + "=", word.Value, word.Setting, word.Index, 0));
    }

    /// <summary>Of a variable that is set twice the last word counts (systemd.exec(5)).</summary>
    private static IEnumerable<PortSetting> InEnvironment(Unit service)
    {
        Dictionary<string, PortSetting?> last = [];
        foreach (EnvironmentWord word in UnitEnvironment.Written(service))
        {
            PortSetting? found = PortText.Read(word.Name, word.Name + "=", word.Value, word.Setting, word.Index);
            last[word.Name] = Named(VariableName + word.Name, found);
        }
        return last.Values.OfType<PortSetting>();
    }

    /// <summary>Where a container is reached; null for what is none, or has the machine's network.</summary>
    private static IReadOnlyList<PortSetting>? OfContainer(Unit service)
    {
        foreach ((ExecCommand command, Setting setting) in service.Commands("ExecStart"))
        {
            if (ContainerRun.Is(command) && ContainerRun.Published(Words.Split(setting.Item.Value)) is { } ports)
                return [.. ports.Select(port => new PortSetting(setting, port.Index, port.Before, port.Host, port.Port, port.After, 0) { Name = Publish })];
        }
        return null;
    }

    private static IEnumerable<PortSetting> InArguments(Unit service)
    {
        foreach (Setting setting in service.All("Service", "ExecStart"))
        {
            List<string> words = Words.Split(setting.Item.Value);
            for (int i = 1; i < words.Count; i++)
            {
                if (InArgument(words, i, setting) is { } found)
                    yield return found;
            }
        }
    }

    private static PortSetting? InArgument(List<string> words, int i, Setting setting)
    {
        string word = words[i], previous = words[i - 1];
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        if (word.StartsWith('-'))
            return equals > 0 ? Named(word[..equals], PortText.Read(word[..equals], word[..(equals + 1)], word[(equals + 1)..], setting, i)) : null;
        bool isOption = previous.StartsWith('-') && !previous.Contains('=', StringComparison.Ordinal) && i > 1;
        if (isOption && IsLetter(previous, word, words[0]))
            return Named(previous, PortText.Parse("", word, setting, i, 1));
        if (isOption && PortText.Read(previous, "", word, setting, i) is { } found)
            return Named(previous, found);
        if (!isOption && IsLoneAddress(word, previous))
            return Named($"the argument {word}", PortText.Parse("", word, setting, i, LoneRank));
        // python3 -m http.server 8080, node server.js 8080: a lone number that can be a port, and has no other machine's address before it.
        bool isLone = PortText.IsPort(word, out int port) && port >= PlainPortMin && (!isOption || words.Contains("http.server")) && !IsBehindHost(words, i);
        return isLone ? new(setting, i, "", null, port, "", LoneRank) { Name = $"the argument {word}" } : null;
    }

    private static PortSetting? Named(string name, PortSetting? found) => found is null ? null : found with { Name = name };

    /// <summary>Options of one letter by which many programs are told; <c>-S</c> is php's.</summary>
    private static bool IsLetter(string option, string value, string program) => option switch
    {
        // uwsgi -p 4 has four processes.
        "-p" or "-P" => PortText.IsPort(value, out int port) && (port >= PlainPortMin || s_lowPorts.Contains(port)),
        "-S" => program[(program.LastIndexOf('/') + 1)..].StartsWith("php", StringComparison.Ordinal),
        _ => option.Length == 2 && "alHhbB".Contains(option[1], StringComparison.Ordinal),
    };

    /// <summary><c>0.0.0.0:8080</c>, <c>:8080</c>, to which nobody connects; and what <c>manage.py runserver</c> is told.</summary>
    private static bool IsLoneAddress(string word, string previous)
    {
        int colon = word.LastIndexOf(':');
        return colon >= 0 && PortText.IsPort(word[(colon + 1)..], out int port) && port >= PlainPortMin
            && (IsAnywhere(word[..colon]) || (previous == "runserver" && PortText.IsHost(word[..colon])));
    }

    /// <summary><c>--replicaof 10.0.0.1 6379</c>, <c>--connect db.lan 5432</c></summary>
    private static bool IsBehindHost(List<string> words, int i)
    {
        string previous = words[i - 1];
        bool isValue = i > 2 && words[i - 2] is ['-', ..] && !words.Contains("http.server");
        if (PortText.IsHost(previous))
            return isValue || !IsLocal(previous);
        return isValue && previous.Contains('.', StringComparison.Ordinal) && !previous.Contains('/', StringComparison.Ordinal)
            && !s_scripts.Any(end => previous.EndsWith(end, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A name without what is different between options and variables.</summary>
    private static string Plain(string name)
    {
        string own = name.StartsWith(VariableName, StringComparison.Ordinal) ? name[VariableName.Length..] : name.TrimStart('-');
        return own.ToLowerInvariant().Replace('-', '_').Replace('.', '_');
    }
}
