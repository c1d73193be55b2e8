using System.Globalization;

namespace ProxyD.Units;

/// <summary>A shell text that waits.</summary>
/// <inheritdoc cref="Guard"/>
internal sealed record GuardText(GuardKind Kind, string Text, string Probe, double? BudgetMs, bool IsEndless, string? Url)
{
    /// <summary>Programs that tell whether something listens or answers.</summary>
    private static readonly string[] s_probes =
    [
        "ss", "netstat", "lsof", "fuser", "nc", "ncat", "netcat", "nmap", "socat", "telnet", "curl", "wget", "http", "pg_isready", "redis-cli",
        "mysqladmin", "mariadb-admin", "mongosh",
    ];

    /// <summary>Programs made for waiting, and their time-out when none is given, in seconds; 0 for none.</summary>
    private static readonly Dictionary<string, double> s_waiters = new()
    {
        ["wait-for-it"] = 15,
        ["wait-for-it.sh"] = 15,
        ["wait-for"] = 15,
        ["wait-for.sh"] = 15,
        ["dockerize"] = 10,
        ["wait4x"] = 10,
        ["wait-port"] = 0,
    };

    /// <summary>Parts of names that scripts give to what holds an address.</summary>
    private static readonly string[] s_addressNames = ["port", "host", "addr", "sock", "url"];

    private static readonly string[] s_loops = ["for", "while", "until"];

    /// <returns>Null when the text waits for nothing: a single question is a check, not a wait.</returns>
    internal static GuardText? Read(string text)
    {
        ShellCommand[] commands = [.. ShellText.Commands(text).SelectMany(command => Inner(command).Prepend(command))];
        string? probe = ProbeOf(commands, text);
        string? url = commands.SelectMany(command => command.Words).FirstOrDefault(word => word.Contains("://", StringComparison.Ordinal));
        double sleepsMs = commands.Where(command => Is(command, "sleep")).Sum(SleepMs);
        double? cutMs = TimeoutMs(commands);
        if (HasWord(text, s_loops) && (probe is not null || sleepsMs > 0))
        {
            double? rounds = LoopRounds.Of(text);
            bool isEndless = rounds is null && LoopRounds.IsEndless(text) && cutMs is null;
            double? budgetMs = rounds is { } count && sleepsMs > 0 ? Math.Min(count * sleepsMs, cutMs ?? double.MaxValue) : cutMs;
            return probe is null ? null : new(GuardKind.Loop, text, probe, budgetMs, isEndless, url);
        }
        if (WaiterOf(commands) is { } waiter)
            return waiter with { Text = text, Url = url };
        return sleepsMs > 0 && commands.All(command => Is(command, "sleep")) ? new(GuardKind.Sleep, text, "sleep", sleepsMs, IsEndless: false, null) : null;
    }

    /// <summary>Whether it waits for this backend: a fixed sleep always does, any other text names it, or names a variable in its place.</summary>
    internal bool Concerns(IReadOnlyList<string> marks) => Kind == GuardKind.Sleep || marks.Any(IsNamed) || HasVariable(Text);

    /// <summary>A name, number or path as a whole word of the text.</summary>
    private bool IsNamed(string mark)
    {
        for (int at = Text.IndexOf(mark, StringComparison.Ordinal); at >= 0; at = Text.IndexOf(mark, at + 1, StringComparison.Ordinal))
        {
            char before = at > 0 ? Text[at - 1] : ' ';
            char after = at + mark.Length < Text.Length ? Text[at + mark.Length] : ' ';
            if (!char.IsAsciiLetterOrDigit(before) && !char.IsAsciiLetterOrDigit(after))
                return true;
        }
        return false;
    }

    /// <summary>$PORT, ${HOST}, $port, $1: what stands for an address; not the counter of a loop.</summary>
    private static bool HasVariable(string text)
    {
        for (int at = text.IndexOf('$', StringComparison.Ordinal); at >= 0; at = text.IndexOf('$', at + 1))
        {
            string name = string.Concat(text[(at + 1)..].TrimStart('{').TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c == '_'));
            if (name is [>= 'A' and <= 'Z', ..] or [>= '1' and <= '9'] || s_addressNames.Any(part => name.Contains(part, StringComparison.Ordinal)))
                return true;
        }
        return false;
    }

    /// <summary>What a shell in the middle of a command is given: <c>timeout 20 sh -c '…'</c>.</summary>
    private static IReadOnlyList<ShellCommand> Inner(ShellCommand command)
    {
        int text = command.Words.ToList().FindIndex(ShellText.IsShellWord) + 2;
        return text >= 2 && text < command.Words.Count && command.Words[text - 1].EndsWith('c') ? ShellText.Commands(command.Words[text]) : [];
    }

    private static string? ProbeOf(IReadOnlyList<ShellCommand> commands, string text)
    {
        if (text.Contains("/dev/tcp/", StringComparison.Ordinal))
            return "/dev/tcp";
        string? program = commands.SelectMany(command => command.Words.Take(4)).Select(FileName).FirstOrDefault(s_probes.Contains);
        if (program is not null)
            return program;
        bool asksManager = commands.Any(command => Is(command, "systemctl") && command.Words.Contains("is-active"));
        if (asksManager)
            return "systemctl";
        bool tests = commands.Any(command => (Is(command, "[") || Is(command, "[[") || Is(command, "test")) && command.Words.Any(word => word is "-S" or "-e"));
        return tests ? "test" : null;
    }

    private static GuardText? WaiterOf(IReadOnlyList<ShellCommand> commands)
    {
        foreach (ShellCommand command in commands.Where(command => command.Words.Count > 0))
        {
            string program = FileName(command.Words[0]);
            if (s_waiters.TryGetValue(program, out double seconds))
            {
                double? given = Option(command, "-t", "--timeout", "-timeout");
                double total = given ?? seconds;
                return new(GuardKind.Retry, "", program, total > 0 ? total * 1000 : null, total <= 0, null);
            }
            if (program == "curl" && Option(command, "--retry") is { } retries)
            {
                double? delay = Option(command, "--retry-delay");
                double? limit = Option(command, "--retry-max-time");
                // Without a delay curl doubles its pause from one second up to ten minutes (curl(1)).
                double total = delay > 0 ? retries * delay.Value : Enumerable.Range(0, (int)Math.Min(retries, 20)).Sum(i => Math.Min(Math.Pow(2, i), 600));
                return new(GuardKind.Retry, "", program, Math.Min(total, limit ?? double.MaxValue) * 1000, IsEndless: false, null);
            }
        }
        return null;
    }

    /// <summary>What timeout(1) before the loop allows.</summary>
    private static double? TimeoutMs(IReadOnlyList<ShellCommand> commands)
    {
        ShellCommand? timeout = commands.FirstOrDefault(command => Is(command, "timeout"));
        // A time-out inside the loop is each question's own.
        if (timeout is null || !timeout.Words.Any(word => ShellText.IsShellWord(word) || HasWord(word, s_loops)))
            return null;
        return timeout.Words.Skip(1).Select(word => Span(word)).FirstOrDefault(ms => ms > 0);
    }

    private static double SleepMs(ShellCommand command) => command.Words.Skip(1).Sum(word => Span(word) ?? 0);

    /// <summary>sleep(1)'s and timeout(1)'s numbers: seconds, or with s, m, h.</summary>
    private static double? Span(string word)
    {
        double unitMs = word is [.., char unit] ? unit switch { 'm' => 60_000, 'h' => 3_600_000, _ => 1000 } : 1000;
        return double.TryParse(word.TrimEnd('s', 'm', 'h'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            ? number * unitMs
            : null;
    }

    /// <summary>An option's number, as <c>--name N</c>, <c>--name=N</c> or <c>-tN</c>.</summary>
    private static double? Option(ShellCommand command, params string[] names)
    {
        for (int i = 1; i < command.Words.Count; i++)
        {
            foreach (string name in names)
            {
                string? value = command.Words[i] == name ? command.Words.ElementAtOrDefault(i + 1)
                    : command.Words[i].StartsWith(name + "=", StringComparison.Ordinal) ? command.Words[i][(name.Length + 1)..]
                    : null;
                if (value is not null && Span(value) is { } ms)
                    return ms / 1000;
            }
        }
        return null;
    }

    private static bool Is(ShellCommand command, string program) => command.Words.Count > 0 && FileName(command.Words[0]) == program;

    private static bool HasWord(string text, string[] words) =>
        text.Split([' ', '\t', '\n', ';', '"', '\''], StringSplitOptions.RemoveEmptyEntries).Any(words.Contains);

    private static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];
}
