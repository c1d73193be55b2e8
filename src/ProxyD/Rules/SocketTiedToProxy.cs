using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A socket that stops when its own service does.</summary>
internal sealed class SocketTiedToProxy() : TrioRule("PXD001", Severity.Error, "socket tied to its proxy", "systemd.unit(5), systemd.socket(5)")
{
    private static readonly string[] s_ties = ["PartOf", "BindsTo", "Requires", "Requisite"];

    internal override string Why => "the socket stops with its service, and then nothing listens on the public port";

    internal override string Fix => "remove the line from the [Unit] section of the .socket";

    internal override string Story => """
        A socket unit starts its service, never the other way round, so the socket must outlive it. PartOf= passes a stop or
        restart of the service on to the socket; BindsTo= and Requires= do the same for a stop, and Requisite= lets the socket start only
        while the service runs.

        With any of them the public port closes when the proxy goes to sleep, is stopped, or is taken down by its backend. Clients are
        refused from then on, and nothing opens the port again until somebody starts the socket by hand.

        The socket needs no dependency on its service at all: systemd adds Triggers= and Before= by itself. To stop both for maintenance,
        name both: systemctl stop NAME.socket NAME.service.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (Unit socket in trio.Sockets)
        {
            string service = UnitSet.ServiceNameOf(socket);
            foreach (string key in s_ties)
            {
                if (socket.Names(service, key) is { } tie)
                    yield return At(socket, tie, $"{key}={service}: {Why}");
            }
        }
    }
}
