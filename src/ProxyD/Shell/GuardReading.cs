namespace ProxyD.Shell;

/// <summary>What a guard asks.</summary>
internal enum ProbeKind
{
    /// <summary>Whether a TCP port listens; the target is its number, or empty when it can't be told.</summary>
    Tcp,

    /// <summary>Whether the path of a Unix socket is there.</summary>
    Unix,

    /// <summary>What a URL answers.</summary>
    Http,

    /// <summary>Whether a unit is active.</summary>
    Unit,

    /// <summary>Whether a command succeeds that no other kind can stand for; the target is a command line for sh(1).</summary>
    Command,
}

/// <summary>One question of a guard.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Target">Of whom; see <see cref="ProbeKind"/>.</param>
internal sealed record GuardProbe(ProbeKind Kind, string Target)
{
    /// <summary>At which host a port is asked; null for this machine, and where it can't be told.</summary>
    internal string? Host { get; init; }

    /// <summary>The HTTP status it wants, where it names one.</summary>
    internal int? Status { get; init; }

    /// <summary>A URL is asked, but an error status is as good as any other (curl(1) without <c>--fail</c>).</summary>
    internal bool TakesAnyStatus { get; init; }

    /// <summary>A variable in the target, there as <c>$NAME</c>, that is set elsewhere; null for none.</summary>
    internal string? Variable { get; init; }

    /// <summary>Whom it asks can't be told.</summary>
    internal bool IsVague => Target.Length == 0 || Variable is not null || Kind switch
    {
        // The host alone is left of "nc -z 127.0.0.1 $PORT".
        ProbeKind.Tcp => Target == "localhost" || Target.Contains('.', StringComparison.Ordinal) || Target.Contains(':', StringComparison.Ordinal),
        ProbeKind.Http => Target[0] == ':' || (Target[0] != '/' && Target.Contains(":/", StringComparison.Ordinal)) || Target[^1] == ':',
        _ => false,
    };

    /// <summary>With what comes from elsewhere shown by its name.</summary>
    internal GuardProbe Named() =>
        ShellUnset.NameIn(Target) is { } name ? this with { Target = ShellUnset.Shown(Target), Variable = name } : this;

    /// <summary>Whether the target has this name, number or path in it as a whole word.</summary>
    internal bool Names(string mark)
    {
        string text = Kind == ProbeKind.Http ? "http://" + Target : Target;
        for (int at = text.IndexOf(mark, StringComparison.Ordinal); at >= 0; at = text.IndexOf(mark, at + 1, StringComparison.Ordinal))
        {
            bool isBegin = at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]);
            int end = at + mark.Length;
            if (isBegin && (end == text.Length || !char.IsAsciiLetterOrDigit(text[end])))
                return true;
        }
        return false;
    }
}

/// <summary>A hand-written wait for the backend.</summary>
/// <param name="BudgetMs">How long it waits at most for a backend that never comes; null when only a time-out of the unit ends it.</param>
/// <param name="Probes">What it asks, each once; empty for one that only sleeps.</param>
internal sealed record GuardBudget(long? BudgetMs, IReadOnlyList<GuardProbe> Probes)
{
    /// <summary>The HTTP statuses with which it is content, each range from its first to its last; null where it asks no URL, or that can't be told.</summary>
    internal IReadOnlyList<(int From, int To)>? Statuses { get; init; }

    /// <summary>When its time is up, it goes on as if the backend had answered.</summary>
    internal bool GoesOn { get; init; }
}

/// <summary>What a command is, as far as waiting goes.</summary>
internal enum ReadingKind
{
    /// <summary>It doesn't wait for anything.</summary>
    None,

    /// <summary>It waits, starts units, runs the proxy, and does nothing else.</summary>
    Guard,

    /// <summary>It waits, but does something that can't be taken over.</summary>
    Unclear,
}

/// <summary>What <see cref="GuardReader"/> found.</summary>
/// <param name="Kind">Whether it waits.</param>
/// <param name="Wait">How; null when it does not wait, or is not understood.</param>
/// <param name="Other">What else it does, in a few words; null for nothing.</param>
internal sealed record GuardReading(ReadingKind Kind, GuardBudget? Wait, string? Other)
{
    internal static readonly GuardReading Nothing = new(ReadingKind.None, null, null);

    /// <summary>How it waits; null unless it does nothing else.</summary>
    internal GuardBudget? Guard => Kind == ReadingKind.Guard ? Wait : null;

    /// <summary>The words of the proxy's own command, with which a wrapper ends; null when it runs none.</summary>
    internal IReadOnlyList<string>? Proxy { get; init; }

    /// <summary>The proxy takes the script's place (<c>exec</c>), as it must to be passed sockets.</summary>
    internal bool IsExec { get; init; }

    /// <summary>Its commands by their names or paths; of what can't be read, the program alone.</summary>
    internal IReadOnlyList<string> Commands { get; init; } = [];

    /// <summary>It asks somebody something, if only once.</summary>
    internal bool Asks { get; init; }

    /// <summary>The units that it has systemctl start.</summary>
    internal IReadOnlyList<string> Starts { get; init; } = [];
}
