using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A backend where systemd already listens.</summary>
internal sealed class BackendOnPublicPort() : TrioRule("PXD006", Severity.Error, "backend bound to the public port", "systemd.socket(5), bind(2)")
{
    internal override string Why => "systemd listens there already, so the backend's own bind fails (address already in use)";

    internal override string Fix => "give the backend a port of its own on 127.0.0.1, and name that one as the proxy's destination";

    internal override string Story => """
        The .socket owns the public port for good; that is what makes the service answer while it sleeps. A backend that binds the
        same port ends with "address already in use", usually at its first start after the change from a plain service, because its
        own configuration still says the old port.

        Move the backend to a free port outside the ephemeral range (net.ipv4.ip_local_port_range), bound to 127.0.0.1, or to a Unix
        socket. The public port stays where clients expect it.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        ListenPoint[] publics = [.. trio.Sockets.Where(socket => !Trio.HasOwnNetwork(socket)).SelectMany(Listening.OfSocket)];
        foreach (Unit backend in trio.Backends.Where(backend => !Trio.HasOwnNetwork(backend)))
        {
            if (Listening.Of(backend).FirstOrDefault(point => publics.Any(point.Overlaps)) is { } taken)
                yield return At(backend, taken.Setting, $"port {taken.Port} is the public one: {Why}");
        }
    }
}

/// <summary>A backend that can be reached past its proxy.</summary>
internal sealed class BackendOnAllInterfaces() : TrioRule("PXD007", Severity.Warning, "backend bound to all interfaces", "systemd.socket(5), ip(7)")
{
    internal override string Why =>
        "the backend can be reached from outside past the proxy: such a client wakes nobody and does not keep it awake";

    internal override string Fix => "bind the backend to 127.0.0.1";

    internal override string Story => """
        Behind a proxy on the same machine a backend has no reason to listen on more than loopback. On 0.0.0.0 or [::] its port is open
        to the network as well, perhaps past a firewall rule that was made for the public port. Clients who use it are refused whenever
        the backend sleeps, and cut off when it goes to sleep, because only the proxy's connections count as use.

        A backend in a network namespace of its own (PrivateNetwork=, NetworkNamespacePath=) is not meant, nor one that IPAddressDeny=
        closes off.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        int[] ports = [.. trio.Command.Options.Addresses.Select(address => address.Port).Where(port => port > 0)];
        foreach (Unit backend in trio.Backends.Where(backend => !Trio.HasOwnNetwork(backend) && backend.Last("Service", "IPAddressDeny") is null))
        {
            ListenPoint? open = Listening.Of(backend).FirstOrDefault(point => point.IsAnyAddress && (point.Port == 0 || ports.Contains(point.Port)));
            if (open is not null && ports.Length > 0)
                yield return At(backend, open.Setting, $"{open.Host} is every interface: {Why}");
        }
    }
}

/// <summary>Two sockets of which only one can listen.</summary>
internal sealed class SocketsShareAPort() : Rule("PXD008", Severity.Error, "two sockets on one port", "systemd.socket(5), bind(2)")
{
    internal override string Why => "only the socket that starts first gets the port, the other one fails";

    internal override string Fix => "give one of them another port or address, or ReusePort=yes to both if they are to share it";

    internal override string Story => """
        A port of an address can be bound once. The second .socket unit fails when it starts, with "Failed to create listening socket:
        Address already in use", and which one is second can change from boot to boot. A port without an address, and [::], take the IPv4
        addresses with them unless BindIPv6Only=ipv6-only says otherwise, so 8080 and 127.0.0.1:8080 collide as well.

        Units that exclude each other with Conflicts= may name the same port.
        """;

    internal override IEnumerable<Finding> Find(CheckInput input)
    {
        Unit[] sockets = [.. input.Units.Units.Where(unit => unit.Type == UnitType.Socket && CanCollide(unit))];
        foreach (Unit socket in sockets)
        {
            ListenPoint[] own = [.. Points(socket)];
            ListenPoint? second = own.Where((point, index) => own.Take(index).Any(point.Overlaps)).FirstOrDefault();
            if (second is not null && !IsShipped(socket))
                yield return At(socket, second.Setting, $"port {second.Port} is in it twice, once for addresses that the other has: the socket can't start");
            foreach (Unit other in sockets.Where(other => other != socket && !Exclude(socket, other) && !(IsShipped(socket) && IsShipped(other))))
            {
                ListenPoint[] theirs = [.. Points(other)];
                if (own.FirstOrDefault(point => theirs.Any(point.Overlaps)) is { } shared)
                    yield return At(socket, shared.Setting, $"{other.Name} listens on port {shared.Port} too: {Why}");
            }
        }
    }

    /// <summary>A template's ports come with its instances; an interface, a network namespace or a protocol of its own keeps a socket apart.</summary>
    private static bool CanCollide(Unit socket) =>
        !socket.Parts.IsTemplate && !Trio.HasOwnNetwork(socket) && socket.Last("Socket", "BindToDevice") is null
        && socket.Last("Socket", "SocketProtocol") is null && !socket.IsTrue("Socket", "ReusePort");

    private static IEnumerable<ListenPoint> Points(Unit socket)
    {
        bool isIPv6Only = socket.Last("Socket", "BindIPv6Only")?.Value == "ipv6-only";
        // Apart from every IPv4 address, then.
        return Listening.OfSocket(socket).Where(point => !(isIPv6Only && point.Host is "*" or "[::]"));
    }

    private static bool Exclude(Unit one, Unit other) => one.Names(other.Name, "Conflicts") is not null || other.Names(one.Name, "Conflicts") is not null;

    private static bool IsShipped(Unit unit) =>
        unit.Path.StartsWith("/usr/lib/", StringComparison.Ordinal) || unit.Path.StartsWith("/lib/", StringComparison.Ordinal);
}
