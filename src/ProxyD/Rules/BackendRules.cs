using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A backend that systemd brings back each time it goes to sleep.</summary>
internal sealed class RestartFightsSleep() : Rule("PXD005", Severity.Error, "Restart= fights the idle exit", "systemd.service(5)")
{
    internal override string Why => "systemd starts the backend again each time it exits because nobody needs it, so it never sleeps";

    internal override string Fix => "Restart=no: the next client starts it; Restart=on-failure if it must come back after a crash by itself";

    internal override string Story => """
        A backend that sleeps exits with success when it has been idle. Restart=always and Restart=on-success start it again after
        RestartSec= (100 ms), every time: it starts, waits for nobody, exits, and starts again, day and night, until the start limit
        makes it fail. A stop that systemd itself carries out (StopWhenUnneeded=, --backend-idle-stop=) is not undone by Restart=; then the
        line only matters for exits of the backend's own, and this is a note.

        On demand nothing needs restarting: the next client is what starts the backend, after a crash as well.

        For a plain service that listens on a port, Restart=always is right as long as the service is to run all the time. It is a note
        there, because such a service could sleep: proxyd migrate UNIT proposes a trio.
        """;

    internal override IEnumerable<Finding> Find(CheckInput input)
    {
        foreach (Unit service in input.Units.Units.Where(unit => unit.Type == UnitType.Service))
        {
            if (service.Last("Service", "Restart") is not { Value: "always" or "on-success" } restart)
                continue;
            if (input.TrioOfBackend(service) is { } trio)
            {
                if (trio.IsOnDemand(service))
                    yield return OfBackend(trio, service, restart);
            }
            else if (CouldMigrate(service, input) && Listening.Of(service).FirstOrDefault(point => point.Port > 0) is { } point)
            {
                yield return At(
                    service, restart, $"{service.Name} runs all the time for port {point.Port}; on demand it would run only while somebody uses it",
                    $"nothing, if it is to run all the time; otherwise see what proxyd migrate {service.Name} proposes", Severity.Note);
            }
        }
    }

    private Finding OfBackend(Trio trio, Unit backend, Setting restart)
    {
        bool isStopped = backend.IsTrue("Unit", "StopWhenUnneeded") || trio.Command.Options["backend-idle-stop"] is not null
            || trio.Command.Options["backend-idle-freeze"] is not null;
        return isStopped
            ? At(backend, restart, $"Restart={restart.Value} brings the backend back whenever it exits by itself; only systemd's own stop is final",
                severity: Severity.Note)
            : At(backend, restart, $"Restart={restart.Value}: {Why}");
    }

    /// <summary>A service of one's own that nothing activates: what a package ships is its maintainers' choice.</summary>
    private static bool CouldMigrate(Unit service, CheckInput input) =>
        !service.IsShipped && ClientSigns.Of(service, null) is null && !input.Units.SocketsOf(service).Any()
        && input.Trios.All(trio => trio.Proxy.Name != service.Name);
}

/// <summary>A backend that is started without a client.</summary>
internal sealed class BackendStartsAtBoot() : TrioRule("PXD010", Severity.Warning, "[Install] on the backend", "systemd.unit(5)")
{
    private static readonly string[] s_keys = ["WantedBy", "RequiredBy", "UpheldBy"];

    internal override string Why => "once enabled, the backend starts at boot and runs although nobody needs it";

    internal override string Fix => "remove [Install] from the backend, after systemctl disable; only the .socket is enabled";

    internal override string Story => """
        [Install] is what systemctl enable acts on: WantedBy=multi-user.target starts the unit with the machine. A backend on demand is
        started by its proxy, so it needs no [Install] section; with one, sooner or later somebody enables it (systemctl preset and
        installers do too), and then it runs from boot on. With StopWhenUnneeded= it is kept by the target as well.

        A package's unit keeps its [Install], which an edit could not take from it for long: systemctl disable is enough. Units that are checked by
        their names are asked for whether they are enabled, and one that isn't is no finding. In files that can't be seen; there a package's unit is a note.

        Only the .socket has [Install] WantedBy=sockets.target; the proxy needs none either.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Sockets.Count == 0)
            yield break;
        foreach (Unit backend in trio.Backends.Where(backend => trio.IsOnDemand(backend) && backend.IsEnabled != false))
        {
            (string target, Setting? setting) = s_keys.SelectMany(key => backend.List("Install", key))
                .FirstOrDefault(entry => UnitName.TypeOf(entry.Word) == UnitType.Target);
            if (setting is null)
                continue;
            string why = backend.IsEnabled == true ? "it is enabled, so the backend starts at boot and runs although nobody needs it" : Why;
            // Of its file nothing is to be removed, and it is no fault as long as nobody has enabled it.
            string? fix = backend.IsShipped ? $"systemctl {(backend.IsUser ? "--user " : "")}disable {backend.Name}; only the .socket is enabled" : null;
            Severity severity = backend.IsShipped && backend.IsEnabled is null ? Severity.Note : Severity;
            yield return At(backend, setting, $"{setting.Item.Name}={target}: {why}", fix, severity);
        }
    }
}

/// <summary>A backend that systemd stops right after its start.</summary>
internal sealed class StoppedAsUnneeded() : TrioRule("PXD011", Severity.Error, "StopWhenUnneeded= on a unit that no unit needs", "systemd.unit(5)")
{
    private static readonly string[] s_needs = ["Requires", "Requisite", "Wants", "BindsTo", "Upholds"];
    private static readonly string[] s_installs = ["WantedBy", "RequiredBy", "UpheldBy"];

    internal override string Why => "no unit depends on the backend, so systemd stops it at once after each start";

    internal override string Fix => "remove StopWhenUnneeded= and let proxyd stop it: --backend-idle-stop=TIME";

    internal override string Story => """
        StopWhenUnneeded=yes stops a unit as soon as no running unit requires, wants, binds to or upholds it. A start over D-Bus, as
        proxyd's --backend-unit= or systemctl start orders it, makes no such need: the unit is started, found unneeded, and stopped in the
        same moment. Who waits sees a backend that never comes up.

        Either a unit holds it (Upholds= in the proxy's unit, systemd 249, and no --backend-unit=), or it is started and stopped on demand
        by proxyd, with --backend-unit= and --backend-idle-stop=.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (BackendTie tie in trio.Ties.Where(tie => tie.Unit is not null))
        {
            Unit backend = tie.Unit!;
            bool isNeeded = input.Units.Units.Any(unit => unit.Names(tie.Name, s_needs) is not null || unit.Names(backend.Name, s_needs) is not null)
                || s_installs.Any(key => backend.List("Install", key).Any());
            if (backend.IsTrue("Unit", "StopWhenUnneeded") && !isNeeded)
            {
                string who = tie.Kind == TieKind.BackendUnit ? "proxyd starts it over D-Bus" : "systemctl starts it";
                yield return At(backend, backend.Last("Unit", "StopWhenUnneeded"), $"{who}: {Why}");
            }
        }
    }
}

/// <summary>A proxy whose start waits for a backend whose start waits for the proxy.</summary>
internal sealed class BackendWaitsForProxy() : TrioRule("PXD012", Severity.Error, "proxy and backend wait for each other", "systemd.unit(5)")
{
    internal override string Why => "the backend's start waits for the proxy's, which waits for the backend: neither ever comes up";

    internal override string Fix => "remove the ordering between backend and proxy; proxyd needs none";

    internal override string Story => """
        After=PROXY in the backend (or Before=BACKEND in the proxy) holds the backend's start back until the proxy's start is over. A
        guard in the proxy's ExecStartPre= is part of that start, and it waits for the backend's port, which cannot open: a deadlock
        that ends with TimeoutStartSec=. The same comes about through a hook unit between them, and with Type=notify when a wrapper
        waits before it calls the proxy. With After= on both sides it is a cycle, which systemd breaks by dropping one of the jobs.

        proxyd says READY=1 as soon as it can accept, not when the backend answers, so nothing deadlocks on it; but no ordering is needed
        in either direction.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (Unit backend in trio.Backends)
        {
            Setting? after = backend.Names(trio.Proxy.Name, "After");
            if ((after ?? trio.Proxy.Names(backend.Name, "Before")) is not { } order)
                continue;
            Unit unit = after is null ? trio.Proxy : backend;
            if (trio.Proxy.Names(backend.Name, "After") is not null)
                yield return At(unit, order, $"{backend.Name} and {trio.Proxy.Name} are each ordered after the other; systemd drops one of the starts");
            else if (trio.Guards.Any(guard => IsPartOfStart(trio, guard)))
                yield return At(unit, order);
        }
    }

    /// <summary>Whether the proxy is not started before the guard has seen the backend.</summary>
    private static bool IsPartOfStart(Trio trio, GuardSite guard) =>
        guard.Unit.Name == trio.Proxy.Name
            ? guard.Key != "ExecStart" || trio.Proxy.Last("Service", "Type")?.Value == "notify"
            : trio.Hooks.Any(hook => hook.Name == guard.Unit.Name) && trio.Proxy.Names(guard.Unit.Name, "After") is not null;
}
