namespace ProxyD.Units;

/// <summary>How a hand-written guard waits.</summary>
internal enum GuardKind
{
    /// <summary>A loop asks again and again.</summary>
    Loop,

    /// <summary>One program that asks again by itself: curl --retry, wait-for-it.</summary>
    Retry,

    /// <summary>It sleeps for a fixed time and asks nobody.</summary>
    Sleep,
}

/// <summary>Something in a trio that waits until the backend listens, because its proxy does not.</summary>
/// <param name="Unit">In whose start it waits: the proxy's, a hook's or the backend's.</param>
/// <param name="Key">Where: <c>ExecStartPre</c>, <c>ExecStartPost</c> or <c>ExecStart</c> (a hook's command, or a wrapper before the proxy).</param>
/// <param name="Text">The command or the shell text.</param>
/// <param name="Probe">The program that asks, as <c>ss</c> or <c>curl</c>; <c>/dev/tcp</c>, <c>test</c> and <c>sleep</c> as well.</param>
/// <param name="BudgetMs">How long it waits at most by its own count; null when it has no end or can't be told.</param>
/// <param name="IsEndless">It only ends when the backend listens.</param>
/// <param name="Url">What curl or wget asks for, when they do.</param>
internal sealed record Guard(
    Unit Unit, string Key, Setting Setting, GuardKind Kind, string Text, string Probe, double? BudgetMs, bool IsEndless, string? Url)
{
    /// <summary>All guards of a unit's start that ask for the trio's backend.</summary>
    /// <param name="keys">The commands to look at.</param>
    /// <param name="marks">What tells that it is this backend: its port with a colon or blank before it, its path, its unit.</param>
    /// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
    internal static IEnumerable<Guard> In(Unit unit, string[] keys, IReadOnlyList<string> marks, Func<string, string?> script)
    {
        foreach (string key in keys)
        {
            foreach ((ExecCommand command, Setting setting) in unit.Commands(key))
            {
                string text = ShellText.Of(command, script, out _) ?? ExecLine.Join(command.Words);
                if (Read(text, marks) is { } wait)
                    yield return new(unit, key, setting, wait.Kind, text, wait.Probe, wait.BudgetMs, wait.IsEndless, wait.Url);
            }
        }
    }

    /// <summary>Whether any of a unit's commands waits, for whatever it be.</summary>
    internal static bool IsIn(Unit unit, string[] keys, Func<string, string?> script) => keys.SelectMany(unit.Commands)
        .Any(entry => GuardText.Read(ShellText.Of(entry.Command, script, out _) ?? ExecLine.Join(entry.Command.Words)) is not null);

    /// <summary>What a shell text waits for, if it waits for this backend.</summary>
    internal static GuardText? Read(string text, IReadOnlyList<string> marks) => GuardText.Read(text) is { } wait && wait.Concerns(marks) ? wait : null;
}
