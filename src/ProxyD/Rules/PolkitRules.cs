using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>What the rules about rights have in common.</summary>
internal static class Rights
{
    /// <summary>The user as whom a proxy starts its backend over the system bus, when polkit will be asked.</summary>
    /// <returns>Null where nobody asks (root, a user manager, no <c>--backend-unit</c>), or where the user is made up at the start.</returns>
    internal static string? AskedUser(Trio trio)
    {
        if (trio.Command.Options.BackendUnit is null || trio.Proxy.IsUser || trio.Command.Options["user"] is not null)
            return null;
        return trio.Proxy.Last("Service", "User")?.Value is { } user && !IsRoot(user) ? user : null;
    }

    /// <summary>The unit that it starts, as systemd names it to polkit: an alias is told to nobody.</summary>
    /// <returns>Null where that can't be known before the start.</returns>
    internal static string? AskedUnit(Trio trio, CheckInput input) =>
        trio.Command.Options.BackendUnit is { } unit && new UnitName(unit).IsKnown ? input.Units.IdOf(unit) : null;

    internal static bool IsRoot(string user) => user is "root" or "0";

    /// <summary>The rules that let that user start that unit, as far as can be told.</summary>
    internal static IEnumerable<PolkitRule> Granting(CheckInput input, string user, string unit) =>
        (input.PolkitRules ?? []).SelectMany(file => PolkitRule.Read(file.Text, file.Path)).Where(rule => rule.Allows(user, unit));
}

/// <summary>An unprivileged proxy that may not start its backend.</summary>
internal sealed class PolkitRuleMissing() : TrioRule("PXD021", Severity.Error, "polkit rule missing", "polkit(8), org.freedesktop.systemd1(5)")
{
    internal override string Why => "polkit refuses to let the proxy start its backend, and every client is reset";

    internal override string Fix => "install deploy/polkit/50-proxyd.rules with this user and this unit in /etc/polkit-1/rules.d";

    internal override string Story => """
        Starting a unit over the system bus needs the right org.freedesktop.systemd1.manage-units. Root has it; anybody else is asked about, and a
        daemon has no terminal on which to answer with a password. So an unprivileged proxyd with --backend-unit needs a rule in /etc/polkit-1/rules.d that
        says yes to its user for its unit. Without one, proxyd says in its log "user U may not start X", and resets who waits.

        A rule names the unit exactly as systemd does: with its suffix, an instance of a template by its own name (web@1.service), and never by an
        alias (redis-server.service, where redis.service is a link to it). A rule that was written for an earlier name helps nobody.

        proxyd init writes the rule. To try it: runuser -u USER -- systemctl --no-ask-password start UNIT.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (input.PolkitRules is null || Rights.AskedUser(trio) is not { } user || Rights.AskedUnit(trio, input) is not { } unit)
            yield break;
        if (!Rights.Granting(input, user, unit).Any())
            yield return At(trio.Proxy, trio.Command.Setting, $"no polkit rule lets {user} start {unit}: every client is reset");
    }
}

/// <summary>A polkit rule that gives the proxy's user more than the proxy needs.</summary>
internal sealed class PolkitRuleTooBroad() : TrioRule("PXD022", Severity.Warning, "polkit rule too broad", "polkit(8), org.freedesktop.systemd1(5)")
{
    internal override string Why => "the rule lets more be done than starting and stopping the backend";

    internal override string Fix => "ask for action.lookup(\"unit\"), action.lookup(\"verb\") and subject.user, as deploy/polkit/50-proxyd.rules does";

    internal override string Story => """
        org.freedesktop.systemd1.manage-units is the right to start, stop, restart and kill every unit of the machine, and to change their
        properties. Whoever may start any unit is as good as root: a transient unit runs any command as any user.

        systemd passes along what is meant: action.lookup("unit") is the unit's name, action.lookup("verb") what is to be done. A rule for
        proxyd needs to say yes to three verbs (start, stop, reset-failed) on one unit for one user, and leave everything else to the rules after it. One
        that doesn't ask for the unit gives the user the machine; one that doesn't ask for the user gives the unit to everybody; one
        that doesn't ask for the verb also allows kill, restart and set-property, on the backend only (a note).

        Rules are programs. One that goes by groups, patterns, sessions or variables from outside its function is not judged here.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (Rights.AskedUser(trio) is not { } user || Rights.AskedUnit(trio, input) is not { } unit)
            yield break;
        foreach (PolkitRule rule in Rights.Granting(input, user, unit).Where(rule => rule.IsCertain(user)))
        {
            if (!rule.AsksUnit)
                yield return On(rule, trio, Severity.Warning, $"the rule lets {user} start and stop every unit of the machine, which is as good as root");
            else if (!rule.AsksUser)
                yield return On(rule, trio, Severity.Warning, $"the rule lets every user start and stop {unit}");
            else if (!rule.AsksVerb)
                yield return On(rule, trio, Severity.Note, $"the rule lets {user} do anything to {unit}; start, stop and reset-failed are enough");
        }
    }

    private Finding On(PolkitRule rule, Trio trio, Severity severity, string why) => new(Id, severity, trio.Proxy.Name, rule.Path, rule.Line, why, Fix);
}

/// <summary>A user that the bus doesn't let in.</summary>
internal sealed class DynamicUserOnBus() : TrioRule("PXD027", Severity.Error, "DynamicUser= on the bus", "systemd.exec(5), dbus-daemon(1)")
{
    internal override string Why => "the bus turns away users that DynamicUser= makes up, so --backend-unit can't start anything";

    internal override string Fix => "User= with a real system user (sysusers.d(5)), and a polkit rule for it";

    internal override string Story => """
        DynamicUser=yes makes a user up for as long as the service runs. dbus-daemon looks the user of each new connection up while it
        authenticates, does not find this one (systemd#22737), and closes the connection. proxyd says in its log that the bus can't be reached
        (Transport endpoint is not connected), tries again and again, and serves only a backend that another hand has started.

        A proxy that starts its backend over the bus needs a real user: one line in sysusers.d(5) makes it. Without the bus (Upholds= or Wants= in
        the proxy's unit, or --exec) DynamicUser= is fine.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        // With User= it may be a real user's name, which systemd then takes.
        bool isMadeUp = trio.Proxy.IsTrue("Service", "DynamicUser") && trio.Proxy.Last("Service", "User") is null;
        if (isMadeUp && !trio.Proxy.IsUser && trio.Command.Options.BackendUnit is { } unit)
            yield return At(trio.Proxy, trio.Proxy.Last("Service", "DynamicUser"), $"the bus turns away made-up users, so {unit} is never started");
    }
}

/// <summary>A proxy with rights that it has no use for.</summary>
internal sealed class ProxyAsRoot() : TrioRule("PXD024", Severity.Note, "proxy runs as root", "systemd.exec(5)")
{
    internal override string Why => "the proxy takes bytes from the network and runs as root, which it has no need of";

    internal override string Fix => "DynamicUser=yes; with --backend-unit User= and a polkit rule (proxyd init writes both)";

    internal override string Story => """
        The public socket is opened by systemd, so not even a port below 1024 asks for rights of the proxy's own. It connects to the backend,
        and moves bytes that anybody may have sent. A service without User= or DynamicUser= does that as root.

        DynamicUser=yes is one line and needs no user to be made. With --backend-unit the proxy needs a real user and a polkit rule (PXD021, PXD027).
        systemd-analyze security shows what else can be taken away; the units in deploy/ have all of it.

        Where there may be a reason, this is not reported: a destination that is a Unix socket in the file system (whose owner decides who may
        connect), --exec (the backend runs as the proxy's user), --listen on a port below 1024, a command that enters another network namespace, and
        --backend-idle-freeze (which the bus allows to root only, unless told otherwise).
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        Unit proxy = trio.Proxy;
        Setting? user = proxy.Last("Service", "User");
        // ExecStart=+ is root whatever else the unit says.
        bool isMadeRoot = trio.Command.Command.Prefixes.Contains('+', StringComparison.Ordinal);
        bool isRoot = !proxy.IsUser && (isMadeRoot || (!proxy.IsTrue("Service", "DynamicUser") && (user is null || Rights.IsRoot(user.Value))));
        // ip netns exec, nsenter: only root may enter another's network.
        bool entersNetwork = UnitNetwork.Of(proxy, input.Script)?.Kind == NetworkKind.Launched;
        if (isRoot && !entersNetwork && !HasReason(trio.Command.Options))
            yield return At(proxy, isMadeRoot ? trio.Command.Setting : user ?? trio.Command.Setting, fix: isMadeRoot ? "ExecStart= without +" : null);
    }

    private static bool HasReason(ProxyOptions options) =>
        options["exec"] is not null || options["listen"] is not null || options["backend-idle-freeze"] is not null
        || options.Destinations.Any(text => BackendAddress.OfDestination(text).Kind == AddressKind.Path);
}
