using System.Globalization;
using ProxyD.Interop;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>The command line of a proxy in a unit: that of proxyd, of which systemd-socket-proxyd's is a part.</summary>
internal sealed class ProxyOptions
{
    /// <summary>What both programs admit when nothing is said.</summary>
    internal const int DefaultConnectionsMax = 256;

    private const int DefaultPort = 80;

    private static readonly string[] s_withoutValue = ["user", "retry-unanswered", "help", "version", "h"];

    private readonly List<(string Name, string Value)> _options = [];

    /// <param name="arguments">Without the program; variables of the environment stay as written.</param>
    internal ProxyOptions(IReadOnlyList<string> arguments)
    {
        List<string> destinations = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            string word = arguments[i];
            if (word is not ['-', _, ..])
            {
                destinations.Add(word);
                continue;
            }
            (string name, string? value) = Split(word);
            if (value is null && !s_withoutValue.Contains(name) && i + 1 < arguments.Count)
                value = arguments[++i];
            _options.Add((name == "c" ? "connections-max" : name, value ?? ""));
        }
        Destinations = destinations;
    }

    /// <summary>As written, with the socket's name before an equals sign if there is one.</summary>
    internal IReadOnlyList<string> Destinations { get; }

    /// <summary>Those that can be read.</summary>
    internal IEnumerable<Address> Addresses =>
        Destinations.Select(text => ParseDestination(text)).OfType<Address>();

    /// <summary>The unit of <c>--backend-unit=</c> with its suffix, or null.</summary>
    internal string? BackendUnit =>
        this["backend-unit"] is { Length: > 0 } unit ? UnitName.TypeOf(unit) == UnitType.Unknown ? unit + ".service" : unit : null;

    internal int ConnectionsMax =>
        int.TryParse(this["connections-max"], NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : DefaultConnectionsMax;

    /// <summary>The last value of a long option, without its dashes; null when it is not given, "" for one that takes none.</summary>
    internal string? this[string name] => _options.LastOrDefault(option => option.Name == name).Value;

    /// <summary>An option's time span.</summary>
    /// <param name="unset">What holds when it is missing or no time span; null for infinity.</param>
    internal TimeSpan? Time(string name, TimeSpan? unset) => TimeSpanParser.TryParse(this[name] ?? "", out TimeSpan? value) ? value : unset;

    private static (string Name, string? Value) Split(string word)
    {
        if (word[1] != '-')
            return (word[1..2], word.Length > 2 ? word[2..].TrimStart('=') : null);
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (word[2..], null) : (word[2..equals], word[(equals + 1)..]);
    }

    private static Address? ParseDestination(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string address = equals > 0 && text[0] is not ('/' or '@') ? text[(equals + 1)..] : text;
        return Address.TryParse(address, DefaultPort, out Address? parsed, out _) ? parsed : null;
    }
}
