using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>A command of a trio that may wait until the backend listens, because its proxy does not.</summary>
/// <param name="Unit">In whose start it stands: the proxy's, a hook's or the backend's.</param>
/// <param name="Setting">The line.</param>
/// <param name="Key">Its key: <c>ExecStartPre</c>, <c>ExecStartPost</c> or <c>ExecStart</c> (a hook's command, or a wrapper before the proxy).</param>
/// <param name="Reading">What it is.</param>
internal sealed record GuardSite(Unit Unit, Setting Setting, string Key, GuardReading Reading)
{
    /// <summary>How long it waits at most by its own count; null when it has no end or can't be told.</summary>
    internal long? BudgetMs => Reading.Wait?.BudgetMs;

    /// <summary>It only ends when the backend listens.</summary>
    internal bool IsEndless => Reading.Wait is { BudgetMs: null };

    /// <summary>What it does, in a few words.</summary>
    internal string Text => Reading.Wait?.Probes switch
    {
        null => "a wait",
        [] => "a fixed sleep",
        [{ IsVague: true }, ..] => "a wait for a port",
        [{ Kind: ProbeKind.Tcp, Target: var port }, ..] => $"a wait for port {port}",
        [{ Kind: ProbeKind.Http, Target: var url }, ..] => $"a wait for {(url.StartsWith('/') ? url : "http://" + url)}",
        [{ Kind: ProbeKind.Command, Target: var command }, ..] => $"a wait with {command.Split(' ')[0]}",
        [{ Target: var target }, ..] => $"a wait for {target}",
    };

    /// <summary>The commands of a unit's lines of these keys that wait, for whatever it be.</summary>
    /// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
    internal static IEnumerable<GuardSite> In(Unit unit, string[] keys, Func<string, string?> script)
    {
        Dictionary<string, string> variables = UnitEnvironment.Of(unit, script);
        return
            from key in keys
            from entry in unit.Commands(key)
            let reading = GuardReader.ReadCommand(entry.Command, script, variables)
            where reading.Kind != ReadingKind.None
            select new GuardSite(unit, entry.Setting, key, reading);
    }

    /// <summary>Whether it waits for this backend: one that only sleeps always does, any other asks for it, or for what can't be told.</summary>
    /// <param name="marks">What tells that it is this backend: its port, its path, its unit.</param>
    internal bool Concerns(IReadOnlyList<string> marks) =>
        Reading.Wait is { } wait
        && (wait.Probes.Count == 0 ? Reading.Guard is not null : wait.Probes.Any(probe => probe.IsVague || marks.Any(probe.Names)));
}
