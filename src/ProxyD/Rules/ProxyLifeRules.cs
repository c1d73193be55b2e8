using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A proxy that is started again when it has gone to sleep.</summary>
internal sealed class ProxyRestarts()
    : TrioRule("PXD029", Severity.Warning, "proxy restarted after its idle exit", "systemd.service(5), systemd-socket-proxyd(8)")
{
    internal override string Why => "systemd starts the proxy again each time it has gone to sleep, and with it what it needs";

    internal override string Fix => "Restart=on-failure in the proxy: the next client starts it again by itself";

    internal override string Story => """
        --exit-idle-time makes the proxy exit with 0 when nobody has been there for that long. Restart=always, and Restart=on-success too, start it again
        at once, and then it exits again after the same time. It never sleeps; each round starts the backend that it requires or upholds as well, or
        keeps it from being unneeded, and the journal fills up.

        A proxy behind a socket needs no Restart= at all: the next client starts it. Restart=on-failure does no harm.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        bool goes = trio.Command.Options["exit-idle-time"] is not null && trio.Command.Options.Time("exit-idle-time", null) is not null;
        if (goes && trio.Proxy.Last("Service", "Restart") is { Value: "always" or "on-success" } restart)
            yield return At(trio.Proxy, restart, $"Restart={restart.Value} against --exit-idle-time: {Why}");
    }
}

/// <summary>A proxy that goes to sleep more often than it may be started.</summary>
internal sealed class IdleExitMeetsStartLimit()
    : TrioRule("PXD035", Severity.Warning, "idle exits that reach the start limit", "systemd.unit(5), systemd.socket(5)")
{
    internal override string Why => "the socket fails with the start that is refused, and the public port stays dead until somebody starts it by hand";

    internal override string Fix => "StartLimitIntervalSec=0 in [Unit], or a longer --exit-idle-time=";

    internal override string Story => """
        A proxy with --exit-idle-time ends when nobody has been there for that long, and the next client starts it again. systemd admits five starts within
        ten seconds (StartLimitBurst=, StartLimitIntervalSec=). With an idle time below two seconds six single visitors are enough, a little more than
        that time apart: the sixth start is refused, and a socket whose service is refused fails (service-start-limit-hit), which closes the port.

        Seen with systemd 252 and --exit-idle-time=1s: a request each 1.4 s, five of them answered, then connection refused.

        What stops with the proxy starts with it as often: a backend with StopWhenUnneeded= needs the same line.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Sockets.Count == 0 || trio.Command.Options.Time("exit-idle-time", null) is not { Ticks: > 0 } idle)
            yield break;
        foreach (Unit unit in trio.Backends.Where(unit => unit.IsTrue("Unit", "StopWhenUnneeded")).Prepend(trio.Proxy))
        {
            StartLimit limit = StartLimit.Of(unit);
            if (!limit.IsReachedEvery(idle))
                continue;
            string why = $"--exit-idle-time={trio.Command.Options["exit-idle-time"]} lets {unit.Name} start more often than {limit.Burst} times in"
                + $" {limit.Interval.TotalSeconds:0.###} s: {Why}";
            yield return At(unit, unit == trio.Proxy ? trio.Command.Setting : null, why);
        }
    }
}

/// <summary>A child that is ended before its connections are.</summary>
internal sealed class ChildKilledFirst() : TrioRule("PXD032", Severity.Warning, "--exec without KillMode=mixed", "systemd.kill(5)")
{
    internal override string Why => "a stop sends SIGTERM to the backend too, and cuts the connections that the proxy would drain";

    internal override string Fix => "KillMode=mixed: systemd tells the proxy, and the proxy ends its backend when the connections are through";

    internal override string Story => """
        With --exec the backend is a child of proxyd, in the same unit. When the unit is stopped, KillMode=control-group (the default) sends SIGTERM to
        all processes at once: while proxyd lets live connections go on for --drain-time, the backend at their other end is already going.
        A download that was under way here ended at 27 of 40 MB; with KillMode=mixed the same one came through.

        KillMode=mixed sends SIGTERM to the main process only, and SIGKILL to whatever is left when the time is up. proxyd ends its child itself when the
        last connection has closed.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Command.Kind == ProxyKind.Proxyd && trio.Command.Options["exec"] is not null
            && trio.Proxy.Last("Service", "KillMode")?.Value is not ("mixed" or "process" or "none"))
            yield return At(trio.Proxy, trio.Proxy.Last("Service", "KillMode") ?? trio.Command.Setting);
    }
}

/// <summary>A proxy that does not say when it is ready, where systemd waits for that.</summary>
internal sealed class ReadinessUnsaid()
    : TrioRule("PXD033", Severity.Error, "Type=notify with systemd-socket-proxyd", "systemd.service(5), sd_notify(3)")
{
    /// <summary>The first systemd whose socket-proxyd says READY=1 (systemd#26291).</summary>
    private const int ReadySince = 254;

    internal override string Why => "it never says READY=1, and is ended with all its connections after TimeoutStartSec=";

    internal override string Fix => "leave Type= out, or use proxyd, which says READY=1";

    internal override string Story => """
        With Type=notify a unit is "activating" until its main process says READY=1. systemd-socket-proxyd says so since systemd 254 (pull request 26291; its
        manual page has had Type=notify in its examples since then). Before, as in Debian 12 and Ubuntu 22.04, it serves its clients and says nothing: after
        TimeoutStartSec= (90 s) systemd ends it as one that didn't start (systemd#35251). Connections that live that long are cut, and
        the next client starts the same again.

        It goes unnoticed when requests are short. systemctl status shows it: "activating (start)" while requests are answered.

        proxyd says READY=1 as soon as it accepts, with any systemd.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        Setting? type = trio.Proxy.Last("Service", "Type");
        bool isAwaited = trio.Command is { Kind: ProxyKind.SocketProxyd, IsMain: true } && type?.Value is "notify" or "notify-reload";
        if (!isAwaited || input.SystemdVersion >= ReadySince)
            yield break;
        yield return input.SystemdVersion is { } version
            ? At(trio.Proxy, type, $"systemd-socket-proxyd {version}: {Why}")
            : At(trio.Proxy, type, $"systemd-socket-proxyd before systemd {ReadySince}: {Why}", severity: Severity.Note);
    }
}

/// <summary>A backend of two proxies, of which one puts it to sleep while the other's clients are on it.</summary>
internal sealed class SleepsUnderOthers()
    : Rule("PXD039", Severity.Warning, "backend put to sleep under another proxy's clients", "systemctl(1), systemd.service(5)")
{
    private static readonly string[] s_sleeps = ["backend-idle-stop", "backend-idle-freeze"];

    internal override string Why => "a proxy counts its own connections only, and stops the backend when it has none";

    internal override string Fix =>
        "one proxy for both addresses: several ListenStream= in one socket; or --backend-idle-stop= in none, and a backend that ends by itself";

    internal override string Story => """
        --backend-idle-stop= and --backend-idle-freeze= go by the connections of the proxy that has them. When another proxy has the same backend, its
        clients are not among them: they are cut (or stand still) when the first one has been idle for its time.

        One proxy can serve several public addresses: a socket may have several ListenStream= lines, and a service several sockets (Sockets=). Where
        there must be two, let systemd count: Upholds= in both proxies with --exit-idle-time=, and StopWhenUnneeded=yes in the backend, which stops when the
        last of them has gone.
        """;

    internal override IEnumerable<Finding> Find(CheckInput input)
    {
        (Trio Trio, string Backend)[] owners =
        [
            .. input.Trios.Select(trio => (Trio: trio, Backend: trio.Command.Options.BackendUnit ?? ""))
                .Where(owner => owner.Backend.Length > 0 && new UnitName(owner.Backend).IsKnown)
                .Select(owner => (owner.Trio, input.Units.IdOf(owner.Backend))),
        ];
        return from owner in owners
               from other in owners
               where owner.Trio != other.Trio && owner.Backend == other.Backend
               let sleep = s_sleeps.FirstOrDefault(option => owner.Trio.Command.Options[option] is { } time && time != "infinity")
               where sleep is not null
               let time = owner.Trio.Command.Options[sleep]
               select At(
                   owner.Trio.Proxy, owner.Trio.Command.Setting,
                   $"--{sleep}={time}: {owner.Backend} is the backend of {other.Trio.Proxy.Name} as well, whose clients are cut then");
    }
}
