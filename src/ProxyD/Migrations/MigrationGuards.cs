using System.Globalization;
using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>What the guards of a trio become: how long proxyd holds a client, and what it asks.</summary>
internal sealed class MigrationGuards
{
    /// <summary>DefaultTimeoutStartSec= of systemd, which ends a guard that has no end of its own (systemd-system.conf(5)).</summary>
    private const long StandardStartTimeoutMs = 90_000;

    /// <summary>What proxyd holds a client for by itself; one that only slept waited no longer than it had to.</summary>
    private const long StandardHoldMs = 5000;

    /// <summary>An answer with one of these is an answer, too.</summary>
    private static readonly (int From, int To) s_serverErrors = (500, 599);

    private static readonly (int From, int To)[] s_anyStatus = [(200, 599)], s_noError = [(200, 399)];

    /// <param name="guards">All that were found.</param>
    /// <param name="options">The proxy's command line: whom it serves.</param>
    /// <param name="backends">The units behind it.</param>
    internal MigrationGuards(IReadOnlyList<GuardSite> guards, ProxyOptions options, IReadOnlyList<string> backends)
    {
        ProbeOwner owner = new(options);
        foreach (GuardSite site in guards)
        {
            GuardProbe? unknown = site.Reading.Guard!.Probes.FirstOrDefault(owner.IsUnknown);
            if (unknown is not null)
            {
                throw new NotUnderstoodException($"{MigrationTrio.Where(site.Setting)}: {site.Key}= of {site.Unit.Name} waits for {Text(unknown)},"
                    + $" and {ProbeOwner.WhyUnknown(unknown)}");
            }
            GuardProbe? other = site.Reading.Guard!.Probes.FirstOrDefault(probe => !owner.IsOurs(probe, backends));
            if (other is not null && site.Key == "ExecStart" && site.Reading.Proxy is not null)
                throw new NotUnderstoodException($"{MigrationTrio.Where(site.Setting)}: the wrapper waits for {Text(other)}, which is not the backend");
            if (other is not null)
                Notes.Add($"{site.Key}= of {site.Unit.Name} stays: it waits for {Text(other)}, which is not where the proxy goes");
            else
                Take(site);
        }
    }

    /// <summary>The guards that proxyd stands in for.</summary>
    internal List<GuardSite> Taken { get; } = [];

    /// <summary>What was left, a line each.</summary>
    internal List<string> Notes { get; } = [];

    /// <summary>The value of <c>--wait-bind=</c>; null without a guard.</summary>
    internal string? WaitBind => Taken.Count == 0 ? null : TotalMs is { } ms ? TimeText(ms) : "infinity";

    /// <summary>All guards wait one after the other. Null for ever.</summary>
    internal long? TotalMs
    {
        get
        {
            long?[] budgets = [.. Taken.Select(BudgetMs)];
            bool sleepsOnly = Taken.All(site => site.Reading.Guard!.Probes.Count == 0);
            return budgets.Contains(null) ? null : Math.Max(budgets.Sum() ?? 0, sleepsOnly ? StandardHoldMs : 1);
        }
    }

    /// <summary>The value of <c>--ready=</c>; null when nothing but a connection was asked for.</summary>
    internal string? Ready { get; private set; }

    internal static string TimeText(long ms) =>
        ms % 1000 == 0 ? string.Create(CultureInfo.InvariantCulture, $"{ms / 1000}s") : string.Create(CultureInfo.InvariantCulture, $"{ms}ms");

    private void Take(GuardSite site)
    {
        Taken.Add(site);
        string budget = BudgetMs(site) is { } ms ? $"for up to {TimeText(ms)}" : "without an end";
        string asked = site.Reading.Guard!.Probes.Count == 0 ? "sleeps" : "asks " + string.Join(" and ", site.Reading.Guard.Probes.Select(Text));
        string bound = site.Reading.Guard.BudgetMs is null && BudgetMs(site) is not null ? ", by the unit's start time-out" : "";
        Notes.Add($"{site.Key}= of {site.Unit.Name} was a guard: it {asked} {budget}{bound}");
        if (site.Reading.Commands.Any(command => GuardCommands.NameOf(command) == "logger"))
            Notes.Add("its line in the log goes with it; proxyd says there how long each cold start took");
        foreach (GuardProbe probe in site.Reading.Guard.Probes)
        {
            if (Ready is null && probe.Kind == ProbeKind.Command)
                Ready = $"exec:{probe.Target}";
            else if (Ready is null && probe.Kind == ProbeKind.Http)
                NoteWeb(probe, site.Reading.Guard);
        }
    }

    private void NoteWeb(GuardProbe probe, GuardBudget guard)
    {
        string path = ProbeOwner.PathOf(probe.Target);
        // Where playing it doesn't tell, the status that it names does; without one it is taken for what curl --fail does.
        IReadOnlyList<(int From, int To)> statuses = guard.Statuses
            ?? (probe.Status is { } named ? [(named, named)] : probe.TakesAnyStatus ? s_anyStatus : s_noError);
        if (statuses.Any(range => range.From <= s_serverErrors.From && range.To >= s_serverErrors.To))
        {
            Notes.Add($"any answer to {path} was good enough for it, so that connecting is; --ready=http:{path} asks for more");
            return;
        }
        if (statuses.Count == 0)
            throw new NotUnderstoodException($"which answer of {path} a guard waits for can't be told");
        bool isUsual = statuses is [(200, 299)];
        Ready = $"http:{path}{(isUsual ? "" : string.Concat(statuses.Select(range => "," + Text(range))))}";
        if (guard.GoesOn)
            Notes.Add($"the guard let the proxy start after its time whatever {path} had answered; proxyd resets who has waited that long");
    }

    private static string Text((int From, int To) range) => range.From == range.To
        ? range.From.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{range.From}-{range.To}");

    /// <summary>A guard without an end goes on until systemd ends it.</summary>
    private static long? BudgetMs(GuardSite site)
    {
        if (site.Reading.Guard!.BudgetMs is { } budget)
            return budget;
        // systemd.service(5): of Type=simple the command itself is started, and no longer starting, as soon as it runs.
        if (site.Key == "ExecStart" && site.Unit.Last("Service", "Type")?.Value is null or "simple" or "exec" or "idle")
            return null;
        Setting? limit = site.Unit.Last("Service", "TimeoutStartSec") ?? site.Unit.Last("Service", "TimeoutSec");
        if (limit is not null && TimeSpanParser.TryParse(limit.Value, out TimeSpan? span))
            return span is { TotalMilliseconds: > 0 } known ? (long)known.TotalMilliseconds : null;
        // systemd.service(5): a oneshot may take as long as it wants.
        return site.Unit.Last("Service", "Type")?.Value == "oneshot" ? null : StandardStartTimeoutMs;
    }

    private static string Text(GuardProbe probe) => probe.Kind switch
    {
        ProbeKind.Tcp when probe.Target.Length == 0 => "a port that can't be told",
        ProbeKind.Tcp => probe.Host is { } host && !PortFinder.IsLocal(host) ? $"{host}:{probe.Target}" : $"port {probe.Target}",
        ProbeKind.Unix => probe.Target,
        ProbeKind.Http => probe.Target.StartsWith('/') ? probe.Target : $"http://{probe.Target}",
        ProbeKind.Unit => $"whether {probe.Target} is active",
        _ => $"'{GuardRun.Shorten(probe.Target)}'",
    };
}
