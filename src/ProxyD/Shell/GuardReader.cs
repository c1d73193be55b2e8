using ProxyD.Units;

namespace ProxyD.Shell;

/// <summary>Recognises hand-written waits for a backend in commands, inline scripts and wrapper scripts.</summary>
internal static class GuardReader
{
    private static readonly string[] s_shells = ["sh", "bash", "dash", "ash"];
    private static readonly Dictionary<string, string> s_nothing = [];

    /// <summary>Reads a script: what follows <c>sh -c</c>, or a whole file's text.</summary>
    /// <param name="environment">The unit's variables; null for none.</param>
    internal static GuardReading Read(string script, IReadOnlyDictionary<string, string>? environment = null)
    {
        if (ShellParser.Parse(script) is not { } node)
        {
            return new(LooksLikeWaiting(script) ? ReadingKind.Unclear : ReadingKind.None, null, "its script is not understood") { Commands = ["sh"] };
        }
        HashSet<string> functions = [];
        List<string> names = [];
        Collect(node, names, functions);
        names.RemoveAll(functions.Contains);
        string? stranger = names.Find(name => !GuardCommands.Knows(name) && IsPlain(name));
        return Play(script, run => run.Run(node), environment, stranger is null ? null : $"it runs {GuardCommands.NameOf(stranger)}") with { Commands = names };
    }

    /// <summary>Reads the value of an <c>ExecStartPre=</c> or its like.</summary>
    /// <param name="scriptOf">The text of a script by its path; null when it is none or can't be read.</param>
    /// <returns>What its commands are together.</returns>
    internal static GuardReading ReadExec(string value, Func<string, string?> scriptOf, IReadOnlyDictionary<string, string>? environment = null)
    {
        GuardReading[] readings = [.. ExecLine.Parse(value).Select(command => ReadCommand(command, scriptOf, environment))];
        return readings switch
        {
            [] => GuardReading.Nothing,
            [var only] => only,
            _ when readings.All(reading => reading.Kind == ReadingKind.None) => GuardReading.Nothing with
            {
                Commands = [.. readings.SelectMany(reading => reading.Commands)],
                Asks = readings.Any(reading => reading.Asks),
            },
            _ => new(ReadingKind.Unclear, null, "it is one of several commands in one line"),
        };
    }

    /// <summary>Reads one command.</summary>
    /// <inheritdoc cref="ReadExec"/>
    internal static GuardReading ReadCommand(ExecCommand command, Func<string, string?> scriptOf, IReadOnlyDictionary<string, string>? environment = null)
    {
        // systemd.service(5): "$$" is a dollar sign for whoever reads the word next.
        string[] words = [.. command.Words.Select(word => word.Replace("$$", "$", StringComparison.Ordinal))];
        string? path = s_shells.Contains(command.FileName) && words is [_, ['/', ..] file, ..] ? file : command.Executable;
        if (s_shells.Contains(command.FileName) && Array.FindIndex(words, IsCommandOption) is > 0 and int at && at + 1 < words.Length)
            return Read(words[at + 1], WithArguments(environment, words[(at + 2)..]));
        if (GuardCommands.Knows(command.Executable) && path == command.Executable)
        {
            GuardReading played = Play(
                string.Join(' ', words), run => run.RunWords([.. words.Select(word => ShellExpansion.ExpandQuoted(Escaped(word), run))]), environment, null);
            return played with { Commands = [command.Executable] };
        }
        string[] arguments = words[Array.IndexOf(words, path)..];
        return scriptOf(path) is { } script && IsShellScript(script)
            ? Read(script, WithArguments(environment, [.. arguments.Select(word => UnitEnvironment.Filled(word, environment ?? s_nothing))]))
            : GuardReading.Nothing with { Commands = [command.Executable] };
    }

    private static bool IsCommandOption(string word) =>
        word.Length > 1 && word[0] == '-' && word[1] != '-' && word.Contains('c', StringComparison.Ordinal);

    /// <summary>Only <c>$NAME</c> means something in a word of a unit file; it has been unquoted already.</summary>
    private static string Escaped(string word) =>
        string.Concat(word.Select(c => c is '\\' or '\'' or '"' or '`' ? $"\\{c}" : c.ToString()));

    private static bool IsShellScript(string text)
    {
        string first = text.Split('\n', 2)[0];
        return first.StartsWith("#!", StringComparison.Ordinal) && s_shells.Any(shell => first.Split('/', ' ').Contains(shell));
    }

    private static Dictionary<string, string> WithArguments(IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        Dictionary<string, string> variables = new(environment ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        for (int i = 0; i < arguments.Length; i++)
            variables[$"{i}"] = arguments[i];
        return variables;
    }

    /// <summary>Once with a backend that never answers, which gives the budget, and once with one that does at once, which shows what comes then.</summary>
    /// <param name="text">What is played, for the numbers in it.</param>
    private static GuardReading Play(string text, Action<GuardRun> script, IReadOnlyDictionary<string, string>? environment, string? other)
    {
        environment ??= new Dictionary<string, string>();
        GuardRun down = new(isUp: false, environment);
        script(down);
        GuardRun up = new(isUp: true, environment);
        script(up);
        bool waits = down.IsEndless || down.ClockMs > 0;
        other ??= up.Other ?? down.Other ?? (up.IsEndless ? "it waits even for a backend that is up" : null);
        ReadingKind kind = !waits ? ReadingKind.None : other is null ? ReadingKind.Guard : ReadingKind.Unclear;
        GuardProbe[] probes = [.. up.Probes.Union(down.Probes)];
        bool asksUrl = kind == ReadingKind.Guard && probes.Any(probe => probe.Kind == ProbeKind.Http);
        GuardBudget? wait = !waits ? null : new(down.IsEndless ? null : (long)Math.Round(down.ClockMs), probes)
        {
            Statuses = asksUrl ? GuardStatuses.Find(script, environment, GuardStatuses.NamedIn(text)) : null,
            GoesOn = !down.IsEndless && down.Status == 0,
        };
        return new(kind, wait, other)
        {
            Proxy = up.Proxy,
            Asks = up.Probes.Count > 0 || down.Probes.Count > 0,
            IsExec = up.IsExec,
            Starts = [.. up.Starts.Distinct()],
        };
    }

    private static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || "-_./+:[".Contains(c, StringComparison.Ordinal));

    private static bool LooksLikeWaiting(string script) =>
        script.Contains("sleep", StringComparison.Ordinal) || script.Contains("/dev/tcp", StringComparison.Ordinal)
        || script.Contains("while", StringComparison.Ordinal) || script.Contains("until", StringComparison.Ordinal);

    /// <summary>The names of all commands, also of those that neither run meets.</summary>
    private static void Collect(ShellNode node, List<string> names, HashSet<string> functions)
    {
        ShellNode[] inner = node switch
        {
            ShellPipeline pipeline => [.. pipeline.Stages],
            ShellAndOr both => [both.Left, both.Right],
            ShellList list => [.. list.Commands],
            ShellFor loop => [loop.Body],
            ShellCountingFor loop => [loop.Body],
            ShellWhile loop => [loop.Condition, loop.Body],
            ShellIf { Otherwise: { } last } choice => [.. choice.Branches.SelectMany(b => (ShellNode[])[b.Condition, b.Body]), last],
            ShellIf choice => [.. choice.Branches.SelectMany(b => (ShellNode[])[b.Condition, b.Body])],
            ShellFunction function => [function.Body],
            _ => [],
        };
        foreach (ShellNode child in inner)
            Collect(child, names, functions);
        if (node is ShellFunction { Name: var name })
            functions.Add(name);
        if (node is ShellSimple simple && simple.Words.FirstOrDefault(word => !ShellExpansion.IsAssignment(word, out _, out _)) is { } first
            && !first.StartsWith("((", StringComparison.Ordinal))
            names.Add(first);
    }
}
