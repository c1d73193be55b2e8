using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>How a proxy comes by its backend.</summary>
internal enum TieKind
{
    /// <summary>A dependency of the proxy's unit: <c>Requires=</c>, <c>BindsTo=</c>, <c>Wants=</c>, <c>Upholds=</c>, <c>Requisite=</c>.</summary>
    Dependency,

    /// <summary>A dependency or a command of a hook, a oneshot unit that the proxy depends on.</summary>
    Hook,

    /// <summary>proxyd starts it over D-Bus.</summary>
    BackendUnit,

    /// <summary>A command of the proxy's own unit, <c>systemctl start</c>.</summary>
    Systemctl,
}

/// <summary>That a proxy has a unit as its backend.</summary>
/// <param name="Name">As the setting names it.</param>
/// <param name="Unit">Null when it is not among the units.</param>
/// <param name="Hook">The unit between them, if there is one.</param>
internal sealed record BackendTie(string Name, Unit? Unit, TieKind Kind, Setting Setting, Unit? Hook = null);

/// <summary>A proxy with the sockets it serves and the backends it stands before.</summary>
/// <param name="Sockets">The public ports; none when another hand starts the proxy, or it listens by itself.</param>
/// <param name="Hooks">Oneshot units between proxy and backend.</param>
/// <param name="Ties">One for each backend; none when it is nobody's business here who runs the destination.</param>
/// <param name="Guards">Hand-written waits for the backend.</param>
/// <param name="Waits">Whether anything in its start waits at all, if only for something that can't be told to be the backend.</param>
internal sealed record Trio(
    Unit Proxy, ProxyCommand Command, IReadOnlyList<Unit> Sockets, IReadOnlyList<Unit> Hooks, IReadOnlyList<BackendTie> Ties, IReadOnlyList<GuardSite> Guards,
    bool Waits)
{
    /// <summary>The backends that were read.</summary>
    internal IEnumerable<Unit> Backends => Ties.Select(tie => tie.Unit).OfType<Unit>().DistinctBy(unit => unit.Name);

    /// <summary>Whether a backend is to sleep when nobody needs it. One that runs all the time, and has a proxy as a bridge into its network
    /// namespace or to its own socket, is not.</summary>
    internal bool IsOnDemand(Unit backend)
    {
        bool isPutToSleep = backend.IsTrue("Unit", "StopWhenUnneeded") || Ties.Any(tie => tie.Unit == backend && tie.Kind == TieKind.BackendUnit);
        return isPutToSleep || !(backend.IsShipped || UnitNetwork.Of(backend) is not null);
    }

    /// <summary>Whether a hook does work of its own before the proxy's start, as making a network namespace, and neither starts a backend nor only waits
    /// for one.</summary>
    internal bool IsPreparation(Unit hook) =>
        Hooks.Contains(hook) && Ties.All(tie => tie.Hook != hook)
        && ((string[])["ExecStartPre", "ExecStart", "ExecStartPost"]).SelectMany(hook.Commands).Count() > Guards.Count(guard => guard.Unit == hook);

    /// <summary>All units of it that were read.</summary>
    internal IEnumerable<Unit> Units => [.. Sockets, Proxy, .. Hooks, .. Backends];
}
