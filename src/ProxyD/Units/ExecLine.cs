namespace ProxyD.Units;

/// <summary>One command of an <c>Exec…=</c> line.</summary>
/// <param name="Prefixes">The special characters before the program: <c>@ - : + ! !!</c>.</param>
/// <param name="Executable">As written; a path or a name that is looked for.</param>
/// <param name="Arguments">Without the program, and without the name that <c>@</c> gives it.</param>
internal sealed record ExecCommand(string Prefixes, string Executable, IReadOnlyList<string> Arguments)
{
    /// <summary>The program's file name.</summary>
    internal string FileName => Executable[(Executable.LastIndexOf('/') + 1)..];

    /// <summary>Executable and arguments.</summary>
    internal IEnumerable<string> Words => [Executable, .. Arguments];
}

/// <summary>Command lines of systemd.service(5): quotes, prefixes, several commands between lone semicolons. Variables stay as they are.</summary>
internal static class ExecLine
{
    private const string PrefixCharacters = "@-:+!|";

    /// <returns>Nothing for an empty line, and for one that systemd ignores because a quote is never closed.</returns>
    internal static IReadOnlyList<ExecCommand> Parse(string value)
    {
        List<ExecCommand> commands = [];
        List<string> words = [];
        foreach ((string word, string written) in Words.Read(value, keepsEscapes: false, out bool isWhole))
        {
            if (!isWhole)
                return [];
            // A bare one separates; quoted or escaped it is an argument.
            if (written == ";")
                Add(commands, words);
            else
                words.Add(written == "\\;" ? ";" : word);
        }
        Add(commands, words);
        return commands;
    }

    /// <summary>Words as one line that <see cref="Parse"/> reads back; what a shell or systemd would split or unescape is quoted.</summary>
    internal static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    private static string Quoted(string word)
    {
        bool isPlain = word.Length > 0 && word != ";" && !word.Any(c => char.IsWhiteSpace(c) || c is '"' or '\'' or '\\');
        return isPlain ? word : "\"" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }

    private static void Add(List<ExecCommand> commands, List<string> words)
    {
        if (words.Count > 0)
        {
            string executable = words[0].TrimStart(PrefixCharacters.ToCharArray());
            string prefixes = words[0][..^executable.Length];
            int skip = prefixes.Contains('@', StringComparison.Ordinal) ? 2 : 1;
            commands.Add(new(prefixes, executable, [.. words.Skip(skip)]));
        }
        words.Clear();
    }
}
