using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A socket that stops when its own service does, or what that service starts.</summary>
internal sealed class SocketTiedToProxy() : TrioRule("PXD001", Severity.Error, "socket tied to its proxy", "systemd.unit(5), systemd.socket(5)")
{
    private static readonly string[] s_ties = ["PartOf", "BindsTo", "Requires", "Requisite", "StopPropagatedFrom"];

    internal override string Why => "the socket stops with its service, and then nothing listens on the public port";

    internal override string Fix => "remove the line from the [Unit] section of the .socket";

    internal override string Story => """
        A socket unit starts its service, never the other way round, so the socket must outlive it. PartOf= passes a stop or
        restart of the service on to the socket; BindsTo= and Requires= do the same for a stop, and Requisite= lets the socket start only
        while the service runs. StopPropagatedFrom= in the socket, and PropagatesStopTo= in the other unit, pass a stop on and nothing else. A link
        in NAME.socket.requires/ is a Requires= too; RequiredBy=NAME.socket in the other unit's [Install] makes one when that is enabled.

        With any of them the public port closes when the proxy goes to sleep, is stopped, or is taken down by its backend. Clients are
        refused from then on, and nothing opens the port again until somebody starts the socket by hand. A tie to the backend, or to a hook that
        starts it, closes the port in the same way, each time the backend is put to sleep.

        The socket needs no dependency on its service at all: systemd adds Triggers= and Before= by itself. To stop both for maintenance,
        name both: systemctl stop NAME.socket NAME.service.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (Unit socket in trio.Sockets)
        {
            foreach (Finding finding in TiedTo(trio.Proxy, UnitSet.ServiceNameOf(socket), socket, Why))
                yield return finding;
            foreach (Unit unit in Sleepers(trio).Where(unit => unit.Name != trio.Proxy.Name))
            {
                string why = $"the socket stops with {unit.Name}, and then nothing listens on the public port";
                foreach (Finding finding in TiedTo(unit, unit.Name, socket, why))
                    yield return finding;
            }
        }
    }

    /// <param name="name">What the unit is called where it is the socket's own.</param>
    private IEnumerable<Finding> TiedTo(Unit unit, string name, Unit socket, string why)
    {
        foreach (string key in s_ties)
        {
            if (socket.Names(name, key) is { } tie)
                yield return At(socket, tie, $"{key}={name}: {why}", DependencyFolder.UnitOf(tie.Path) is null ? null : "remove the link");
        }
        if (unit.Names(socket.Name, "PropagatesStopTo") is { } passed)
            yield return At(unit, passed, $"PropagatesStopTo={socket.Name}: {why}", "remove the line");
        // Of a unit that is loaded, the link tells whether it is enabled.
        if (unit.IsEnabled is null && unit.List("Install", "RequiredBy").FirstOrDefault(entry => entry.Word == socket.Name).Setting is { } wish)
            yield return At(unit, wish, $"RequiredBy={socket.Name}: once {unit.Name} is enabled, {why}", "remove the line");
    }

    /// <summary>What stops while the socket is to listen: backends on demand, and hooks that start them. Of several units that the proxy depends
    /// on, only those that are plainly its backends: what it merely needs may well stay.</summary>
    private static IEnumerable<Unit> Sleepers(Trio trio)
    {
        Unit[] backends = [.. trio.Backends];
        IEnumerable<Unit> plain = backends.Where(backend => backends.Length == 1 || trio.Ties.Any(tie => tie.Unit == backend && tie.Kind == TieKind.BackendUnit)
            || trio.Command.Options.Addresses.Any(address => Listening.Names(backend, address)));
        return plain.Where(trio.IsOnDemand).Concat(trio.Ties.Select(tie => tie.Hook).OfType<Unit>()).DistinctBy(unit => unit.Name);
    }
}
