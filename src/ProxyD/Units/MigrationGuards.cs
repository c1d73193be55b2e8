using System.Globalization;

namespace ProxyD.Units;

/// <summary>What the guards of a trio become: how long proxyd holds a client, and what it asks.</summary>
internal sealed class MigrationGuards
{
    /// <summary>DefaultTimeoutStartSec= of systemd, which ends a guard that has no end of its own (systemd-system.conf(5)).</summary>
    private const long StandardStartTimeoutMs = 90_000;

    /// <summary>What proxyd holds a client for by itself; one that only slept waited no longer than it had to.</summary>
    private const long StandardHoldMs = 5000;

    private readonly ProxyOptions _options;

    /// <param name="guards">All that were found.</param>
    /// <param name="options">The proxy's command line: whom it serves.</param>
    /// <param name="backends">The units behind it.</param>
    internal MigrationGuards(IReadOnlyList<GuardSite> guards, ProxyOptions options, IReadOnlyList<string> backends)
    {
        _options = options;
        foreach (GuardSite site in guards)
        {
            GuardProbe? unknown = site.Reading.Guard!.Probes.FirstOrDefault(probe => IsUnknown(probe));
            if (unknown is not null)
                throw new NotUnderstoodException($"{MigrationTrio.Where(site.Setting)}: {site.Key}= of {site.Unit.Name} {WhyUnknown(unknown)}");
            GuardProbe? other = site.Reading.Guard!.Probes.FirstOrDefault(probe => !IsOurs(probe, backends));
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
        foreach (GuardProbe probe in site.Reading.Guard.Probes)
        {
            if (Ready is null && probe.Kind == ProbeKind.Command)
                Ready = $"exec:{probe.Target}";
            else if (Ready is null && probe.Kind == ProbeKind.Http)
                NoteWeb(probe);
        }
    }

    private void NoteWeb(GuardProbe probe)
    {
        string path = PathOf(probe.Target);
        if (probe.TakesAnyStatus && path == "/")
        {
            Notes.Add("any answer to / was good enough for it, so that connecting is; --ready=http:/PATH asks for more");
            return;
        }
        Ready = $"http:{path}{(probe.Status is { } status and (< 200 or > 299) ? string.Create(CultureInfo.InvariantCulture, $",{status}") : "")}";
        if (probe.TakesAnyStatus)
            Notes.Add($"the guard took any status of {path}; proxyd wants 2xx, or the one in --ready=http:{path},STATUS");
    }

    /// <summary>A guard without an end goes on until systemd ends it.</summary>
    private static long? BudgetMs(GuardSite site)
    {
        if (site.Reading.Guard!.BudgetMs is { } budget)
            return budget;
        Setting? limit = site.Unit.Last("Service", "TimeoutStartSec") ?? site.Unit.Last("Service", "TimeoutSec");
        if (limit is not null && TimeSpanParser.TryParse(limit.Value, out TimeSpan? span))
            return span is { TotalMilliseconds: > 0 } known ? (long)known.TotalMilliseconds : null;
        // systemd.service(5): a oneshot may take as long as it wants.
        return site.Unit.Last("Service", "Type")?.Value == "oneshot" ? null : StandardStartTimeoutMs;
    }

    /// <summary>Whether whom it asks can't be told, and isn't what the proxy's own destination calls by the same variable.</summary>
    private bool IsUnknown(GuardProbe probe) =>
        probe.IsVague && (probe.Variable is null || probe.Kind == ProbeKind.Command || !IsOurs(probe, [])
            || !_options.Destinations.Any(destination => AddressOf(destination).Contains($"${probe.Variable}", StringComparison.Ordinal))
            || (probe.Kind == ProbeKind.Http && PathOf(probe.Target).Contains('$', StringComparison.Ordinal)));

    private static string WhyUnknown(GuardProbe probe) => probe.Variable is { } name
        ? $"waits for {Text(probe)}, and {ShellUnset.Why(name)}"
        : $"waits for {Text(probe)}, and whether that is the backend can't be told";

    private bool IsOurs(GuardProbe probe, IReadOnlyList<string> backends) => probe.Kind switch
    {
        ProbeKind.Tcp => _options.Destinations.Any(destination => PortOf(destination) == Unbraced(probe.Target)),
        ProbeKind.Unix => _options.Destinations.Any(destination => AddressOf(destination) == Unbraced(probe.Target)),
        ProbeKind.Http => _options.Destinations.Any(destination => AuthorityOf(Unbraced(probe.Target)) is var asked
            && (AddressOf(destination) == asked || PortOf(destination) == PortOf(asked))),
        ProbeKind.Unit => backends.Any(backend => backend == probe.Target || backend == probe.Target + ".service"),
        // In a protocol of its own: one that names a port names the backend's.
        _ => _options.Destinations.Any(destination => probe.Target.Contains(PortOf(destination), StringComparison.Ordinal))
            || !probe.Target.Any(char.IsAsciiDigit),
    };

    private static string AddressOf(string destination)
    {
        int equals = destination is ['/' or '@' or '[', ..] ? -1 : destination.IndexOf('=', StringComparison.Ordinal);
        return Unbraced(destination[(equals + 1)..]);
    }

    /// <summary>A variable that is set elsewhere, as probes name it.</summary>
    private static string Unbraced(string text) =>
        text.Contains("${", StringComparison.Ordinal) ? text.Replace("${", "$", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal) : text;

    /// <summary>What follows the last colon, a template's <c>%i</c> included; of a path, all of it.</summary>
    private static string PortOf(string address)
    {
        string text = AddressOf(address);
        int colon = text is ['/' or '@', ..] ? -1 : text.LastIndexOf(':');
        return colon < 0 ? text is ['/' or '@', ..] ? text : "80" : text[(colon + 1)..];
    }

    /// <summary><c>HOST:PORT</c> of a URL without its scheme, or the path of a Unix socket before a colon.</summary>
    private static string AuthorityOf(string target) =>
        target is ['/', ..] ? target[..target.IndexOf(':', StringComparison.Ordinal)] : target.Split('/', '?')[0];

    private static string PathOf(string target)
    {
        string rest = target[AuthorityOf(target).Length..].TrimStart(':');
        return rest.StartsWith('/') ? rest.Split('#')[0] : "/";
    }

    private static string Text(GuardProbe probe) => probe.Kind switch
    {
        ProbeKind.Tcp => probe.Target.Length > 0 ? $"port {probe.Target}" : "a port that can't be told",
        ProbeKind.Unix => probe.Target,
        ProbeKind.Http => probe.Target.StartsWith('/') ? probe.Target : $"http://{probe.Target}",
        ProbeKind.Unit => $"whether {probe.Target} is active",
        _ => $"'{GuardRun.Shorten(probe.Target)}'",
    };
}
