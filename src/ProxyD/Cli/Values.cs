using System.CommandLine.Parsing;
using System.Globalization;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Observability;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Cli;

/// <summary>The values of options and arguments. A bad one is a single line: option, value, why, what is accepted.</summary>
internal static class Values
{
    /// <summary>The port of a destination that names none, as systemd-socket-proxyd has it.</summary>
    internal const int DefaultPort = 80;

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for infinity: the library takes null for "no value".</summary>
    internal static TimeSpan ParseTime(ArgumentResult result)
    {
        if (!TimeSpanParser.TryParse(Text(result), out TimeSpan? span))
            Refuse(result, TimeSpanParser.Accepted);
        return span ?? Timeout.InfiniteTimeSpan;
    }

    internal static PublicAddress? ParsePublic(ArgumentResult result)
    {
        if (!PublicAddress.TryParse(Text(result), out PublicAddress? address, out string? problem))
            result.AddError($"--public: '{Text(result)}' is not accepted: {problem}; expected {PublicAddress.Accepted}");
        return address;
    }

    internal static Func<ArgumentResult, int> CountUpTo(int limit) => result =>
    {
        if (!int.TryParse(Text(result), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1 || count > limit)
            Refuse(result, $"a whole number from 1 to {limit}");
        return count;
    };

    internal static string? ParseLogLevel(ArgumentResult result)
    {
        if (!LogSetup.LevelNames.Contains(Text(result)))
            Refuse(result, string.Join(", ", LogSetup.LevelNames));
        return Text(result);
    }

    internal static string? ParseCommand(ArgumentResult result)
    {
        if (string.IsNullOrWhiteSpace(Text(result)))
            Refuse(result, "a command line for /bin/sh");
        return Text(result);
    }

    internal static List<Address> ParseListen(ArgumentResult result)
    {
        List<Address> addresses = [];
        string any = Socket.OSSupportsIPv6 ? "[::]" : "0.0.0.0";
        foreach (Token token in result.Tokens)
        {
            // Like ListenStream=, a lone port means every address of this machine, and IPv4's where that is all there is.
            bool isPort = token.Value.Length > 0 && token.Value.All(char.IsAsciiDigit);
            if (Address.TryParse(isPort ? $"{any}:{token.Value}" : token.Value, null, out Address? address, out string? problem))
                addresses.Add(address);
            else
                result.AddError($"--listen: '{token.Value}' is not accepted: {problem}; expected PORT, IP:PORT, [IPV6]:PORT, /path or @abstract");
        }
        return addresses;
    }

    internal static List<Destination> ParseDestinations(ArgumentResult result)
    {
        List<Destination> destinations = [];
        foreach (Token token in result.Tokens)
        {
            if (ParseDestination(token.Value, out string? problem) is { } destination)
                destinations.Add(destination);
            else
                result.AddError(problem!);
        }
        if (destinations.GroupBy(d => d.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            string two = $"'{twice.First().Address.Text}' and '{twice.Last().Address.Text}'";
            result.AddError(twice.Key is { } name
                ? $"two destinations for '{name}=': {two}; expected one"
                : $"two destinations without a name: {two}; expected NAME=DESTINATION for all but one");
        }
        return destinations;
    }

    private static Destination? ParseDestination(string text, out string? problem)
    {
        if (text.StartsWith('-'))
        {
            problem = $"'{text}' is no option; see proxyd --help";
            return null;
        }
        // A path or an abstract name may contain '='; a host can't.
        int equals = text.Length > 0 && text[0] is '/' or '@' or '[' ? -1 : text.IndexOf('=', StringComparison.Ordinal);
        string? name = equals < 0 ? null : text[..equals];
        if (name is "")
            problem = $"destination '{text}' has no name before '='; expected NAME=DESTINATION";
        else if (Address.TryParse(text[(equals + 1)..], DefaultPort, out Address? address, out problem))
            return new(name, address);
        else
            problem = $"destination '{text}' is not accepted: {problem}; expected {Address.Accepted}";
        return null;
    }

    /// <summary>Notes that an option's value is not accepted, and what would be.</summary>
    internal static void Refuse(ArgumentResult result, string accepted) =>
        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{Text(result)}' is not accepted; expected {accepted}");

    /// <summary>The value as given; given twice, the last one.</summary>
    internal static string Text(ArgumentResult result) => result.Tokens[^1].Value;
}
