using System.Globalization;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A proxy that goes to its backend before anybody knows that it listens.</summary>
internal sealed class NothingWaits()
    : TrioRule("PXD002", Severity.Error, "nothing waits for the backend", "systemd-socket-proxyd(8), systemd.service(5)")
{
    /// <summary>Types whose start is over only when the daemon itself says so, which is commonly after it listens.</summary>
    private static readonly string[] s_readyTypes = ["notify", "notify-reload", "forking", "dbus", "oneshot"];

    internal override string Why => "the first client of each cold start is cut off, because the backend does not listen yet";

    internal override string Fix => "put proxyd in place of systemd-socket-proxyd: it holds clients until the backend answers";

    internal override string Story => """
        After= orders the proxy behind the backend's start. For Type=simple and Type=exec that start is over as soon as the program
        has been called, long before it listens. systemd-socket-proxyd accepts the waiting client at once, connects to the backend,
        is refused, and closes the client's connection: an empty answer, at every cold start.

        proxyd takes a client out of the queue only when the backend's connection stands, and tries until --wait-bind has passed
        (5s when not given); --wait-bind=0 tries once, which is what systemd-socket-proxyd does. A backend with Type=notify that says
        READY=1 when it listens needs no such wait, as long as the proxy is ordered After= it.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        ProxyCommand command = trio.Command;
        if (command.Kind == ProxyKind.Proxyd)
        {
            bool isZero = command.Options["wait-bind"] is not null && command.Options.Time("wait-bind", null) == TimeSpan.Zero;
            bool isStarted = trio.Ties.Count > 0 || command.Options["exec"] is not null;
            if (isZero && isStarted && !trio.Backends.Any(backend => IsAwaited(trio, backend, input)))
                yield return At(trio.Proxy, command.Setting, $"--wait-bind=0: {Why}", "leave --wait-bind out, or give it the time that the backend takes");
            yield break;
        }
        if (trio.Waits || MayWait(trio))
            yield break;
        // What nobody here starts may well be always up.
        if (trio.Backends.FirstOrDefault() is { } started && !trio.Backends.Any(backend => IsAwaited(trio, backend, input)))
            yield return At(trio.Proxy, command.Setting, $"nothing waits until {started.Name} listens: {Why}");
    }

    /// <summary>A program that isn't understood and is told the backend's port, or its unit, may well wait for it.</summary>
    private static bool MayWait(Trio trio)
    {
        string[] marks =
        [
            .. trio.Command.Options.Addresses
                .Select(address => address.Port > 0 ? address.Port.ToString(CultureInfo.InvariantCulture) : address.Path ?? address.Text),
            .. trio.Ties.Select(tie => new UnitName(tie.Name).Stem),
        ];
        return trio.Hooks.Prepend(trio.Proxy).SelectMany(unit => unit.Commands("ExecStartPre"))
            .Concat(trio.Hooks.SelectMany(hook => hook.Commands("ExecStart")))
            .Concat(trio.Backends.SelectMany(backend => backend.Commands("ExecStartPost")))
            .SelectMany(entry => entry.Command.Arguments)
            .Any(word => marks.Any(mark => word.Contains(mark, StringComparison.Ordinal)));
    }

    /// <summary>Its readiness is systemd's business, or its port is open before it runs.</summary>
    private static bool IsAwaited(Trio trio, Unit backend, CheckInput input)
    {
        bool isReadyTyped = s_readyTypes.Contains(backend.Last("Service", "Type")?.Value) || backend.Last("Service", "BusName") is not null;
        bool hasOwnSocket = input.Units.SocketsOf(backend).Any() || backend.List("Service", "Sockets").Any();
        bool isOrdered = trio.Hooks.Prepend(backend).Any(unit => trio.Proxy.Names(unit.Name, "After") is not null);
        return hasOwnSocket || (isReadyTyped && isOrdered);
    }
}

/// <summary>A loop in a unit that waits for the backend's port.</summary>
internal sealed class HandWrittenGuard()
    : TrioRule("PXD003", Severity.Warning, "hand-written guard", "systemd.service(5), systemd-socket-proxyd(8)")
{
    internal override string Why => "a polling loop delays every cold start, and protects only the client that caused it";

    internal override string Fix =>
        "put proxyd in place of systemd-socket-proxyd and the loop: --wait-bind holds every client, --ready=http:/PATH asks for more";

    internal override string Story => """
        Because systemd-socket-proxyd does not wait for its backend, people make something else wait: a loop over ss, nc, curl or
        /dev/tcp in ExecStartPre= of the proxy, in ExecStartPost= of the backend, in a oneshot unit between them, or in a wrapper script.

        It works once, at the proxy's start. A backend that goes away while the proxy runs is not guarded; each round of the loop starts
        processes; its step (a tenth of a second or a whole one) is added to every cold start; its budget is cut by TimeoutStartSec=; a
        failed wait fails the unit, and failed starts count towards the limits that take the socket down (PXD009). A port that listens is also
        not yet a daemon that answers.

        proxyd waits inside, without a loop of processes, for every client and at every wake: --wait-bind=TIME is the guard's budget, and
        --ready= stands for guards that ask for more than a listening port. proxyd migrate writes the change.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (GuardSite guard in trio.Guards.Where(guard => !(guard.Reading.Wait?.Probes.Count == 0 && trio.IsPreparation(guard.Unit))))
        {
            string length = guard.BudgetMs is { } ms ? $" of up to {ms / 1000.0:0.###} s" : guard.IsEndless ? " without an end of its own" : "";
            string why = trio.Command.Kind == ProxyKind.Proxyd
                ? $"{guard.Text}{length} in {guard.Key}= although proxyd waits by itself: it only adds to each cold start"
                : $"{guard.Text}{length} in {guard.Key}=: {Why}";
            string fix = trio.Command.Kind == ProxyKind.Proxyd ? "remove it; --wait-bind= is the time that proxyd waits" : Fix;
            yield return At(guard.Unit, guard.Setting, why, fix);
        }
    }
}

/// <summary>A guard that systemd ends before it has finished.</summary>
internal sealed class GuardOutlivesTimeout()
    : TrioRule("PXD004", Severity.Error, "guard longer than its unit may start", "systemd.service(5), systemd-system.conf(5)")
{
    internal override string Why => "systemd kills the guard before its time is up, and the start fails although the backend was on its way";

    internal override string Fix => "raise TimeoutStartSec= above the guard's budget, or let proxyd wait: its hold is no part of the start";

    internal override string Story => """
        TimeoutStartSec= limits each command of a unit's start, ExecStartPre= and ExecStartPost= among them. It is 90 seconds by
        default (DefaultTimeoutStartSec=), and none for Type=oneshot. A loop that counts further than that is killed in the middle, the
        unit fails, and who waited is lost, while the loop's own text promises more. A loop that counts nothing (until …; do sleep 1; done) is ended
        by that limit alone; where there is none, it waits for ever.

        With proxyd the wait belongs to each client and not to the start of a unit, so no start time-out applies to it.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (GuardSite guard in trio.Guards)
        {
            double? limitMs = StartTimeout.Of(guard.Unit, out Setting? limit);
            if (guard.IsEndless && limitMs is null)
            {
                string why = $"nothing ends the wait in {guard.Key}=: if the backend does not come up, the start hangs for ever, and every client with it";
                string fix = "let proxyd wait: each client has its own --wait-bind=; or give the unit a TimeoutStartSec=";
                yield return At(guard.Unit, limit ?? guard.Setting, why, fix);
            }
            else if (guard.BudgetMs > limitMs)
            {
                yield return At(
                    guard.Unit, limit ?? guard.Setting,
                    $"the wait in {guard.Key}= takes up to {guard.BudgetMs / 1000.0:0.###} s, the start {limitMs / 1000:0.###} s: {Why}");
            }
        }
    }
}
