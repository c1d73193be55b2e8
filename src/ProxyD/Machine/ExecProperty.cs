namespace ProxyD.Machine;

/// <summary>What a service runs: its properties ExecStart= and the like, as <c>systemctl show</c> prints them.</summary>
/// <remarks>
/// A line for each command: <c>{ path=/bin/x ; argv[]=/bin/x a b ; ignore_errors=no ; … }</c>. The words are joined by blanks
/// without quotes, so what is looked for here are words that no value of ours contains.
/// </remarks>
internal static class ExecProperty
{
    private const string ArgumentsStart = "argv[]=";
    private const string ArgumentsEnd = " ; ignore_errors=";

    /// <summary>The words of each command.</summary>
    internal static IEnumerable<string[]> Commands(string property)
    {
        foreach (string line in property.Split('\n'))
        {
            int start = line.IndexOf(ArgumentsStart, StringComparison.Ordinal);
            int end = line.IndexOf(ArgumentsEnd, StringComparison.Ordinal);
            if (start >= 0 && end > start)
                yield return line[(start + ArgumentsStart.Length)..end].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        }
    }

    /// <summary>The value of <c>--option=VALUE</c> or <c>--option VALUE</c>, up to its first blank; the last one counts.</summary>
    /// <returns>Null when the option is not there.</returns>
    internal static string? Option(string property, string option)
    {
        string? value = null;
        foreach (string[] words in Commands(property))
        {
            for (int i = 0; i < words.Length; i++)
            {
                if (words[i].StartsWith(option + "=", StringComparison.Ordinal))
                    value = words[i][(option.Length + 1)..];
                else if (words[i] == option && i + 1 < words.Length)
                    value = words[i + 1];
            }
        }
        return value;
    }

    /// <summary>The units that a hook starts: <c>systemctl start A B</c>, alone or inside a shell's line.</summary>
    internal static IEnumerable<string> UnitsStarted(string property)
    {
        foreach (string[] words in Commands(property))
        {
            for (int i = 0; i < words.Length; i++)
            {
                if (words[i].Trim('\'', '"', '(').Split('/')[^1] != "systemctl")
                    continue;
                int verb = Array.FindIndex(words, i + 1, word => !word.StartsWith('-'));
                if (verb < 0 || words[verb] is not ("start" or "restart"))
                    continue;
                foreach (string unit in UnitsFrom(words.Skip(verb + 1)))
                    yield return unit;
            }
        }
    }

    /// <summary>Words up to what ends a shell's command.</summary>
    private static IEnumerable<string> UnitsFrom(IEnumerable<string> words)
    {
        foreach (string word in words)
        {
            string name = word.TrimEnd(';', '\'', '"', ')').Trim('\'', '"');
            if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && !"-_.:@\\".Contains(c, StringComparison.Ordinal)))
                yield break;
            if (!name.StartsWith('-'))
                yield return WithSuffix(name, ".service");
            if (word.Contains(';', StringComparison.Ordinal))
                yield break;
        }
    }

    /// <summary>systemctl's own rule: a name without a suffix is a service's.</summary>
    internal static string WithSuffix(string unit, string suffix) => s_suffixes.Any(s => unit.EndsWith(s, StringComparison.Ordinal)) ? unit : unit + suffix;

    /// <summary>The unit types of systemd.unit(5).</summary>
    private static readonly string[] s_suffixes =
        [".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice", ".scope", ".device"];
}
