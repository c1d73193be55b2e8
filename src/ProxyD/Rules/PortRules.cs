using ProxyD.Trios;
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

        A public socket of one address leaves the others free: beside ListenStream=192.0.2.1:8080 a backend may have 127.0.0.1:8080. The same
        is true of two network namespaces.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        ListenPoint[] destinations = [.. Listening.OfDestinations(trio.Command)];
        bool isUnix = trio.Command.Options.Destinations.Select(BackendAddress.OfDestination).Any(address => address.IsUnix);
        foreach (Unit backend in trio.Backends)
        {
            UnitNetwork? network = UnitNetwork.Of(backend, input.Script);
            ListenPoint[] publics = [.. trio.Sockets.Where(socket => UnitNetwork.AreSame(UnitNetwork.Of(socket), network)).SelectMany(Listening.OfSocket)];
            IReadOnlyList<ListenPoint> told = Listening.Of(backend);
            // One that is told the destination's port as well listens there; the other may be what clients are told. And postgres -p 5432 is the number in
            // the name of the Unix socket that the proxy goes to.
            bool isElsewhere = isUnix || told.Any(point => destinations.Any(destination => destination.Port == point.Port && !publics.Any(point.Overlaps)));
            IEnumerable<ListenPoint> points = told.Where(point => point.Host is not null || !isElsewhere);
            if (points.FirstOrDefault(point => publics.Any(taken => Collides(point, taken, destinations))) is { } point)
                yield return At(backend, point.Setting, $"port {point.Port} is the public one: {Why}");
        }
    }

    /// <summary>A daemon that is told a port and no address may well listen where the proxy goes, and only there.</summary>
    private static bool Collides(ListenPoint point, ListenPoint taken, ListenPoint[] destinations) =>
        point.Overlaps(taken)
        && (point.Host is not null || !Array.Exists(destinations, destination => destination.Port == point.Port && !taken.Overlaps(destination)));
}

/// <summary>A backend that is told another port than the one where its proxy looks for it.</summary>
internal sealed class BackendElsewhere() : TrioRule("PXD038", Severity.Warning, "backend told another port than the destination", "bind(2)")
{
    internal override string Why => "nobody listens where the proxy goes, and clients wait in vain";

    internal override string Fix => "name the same port in both";

    internal override string Story => """
        The proxy connects to its destination; the backend listens where its command line and its environment tell it to. When the two differ, the backend
        starts, the proxy goes on asking the other port until --wait-bind is over (systemd-socket-proxyd gives up at once), and each client is reset.

        It happens when one of the two files is changed. Looked at are options and variables whose names say that they are a port or an address; where the
        backend names several ports, or names the destination's anywhere, nothing is said, nor where it is told none: then its own settings decide.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        ListenPoint[] destinations = [.. Listening.OfDestinations(trio.Command)];
        Unit[] backends = [.. trio.Backends];
        // A variable that nobody here sets may be any port.
        if (backends is not [var backend] || destinations is not [var destination] || trio.Command.Options.Destinations is not [var written]
            || written.Contains('$', StringComparison.Ordinal))
            yield break;
        ListenPoint[] told = [.. Listening.Of(backend).Where(point => point.Port > 0).DistinctBy(point => point.Port)];
        if (told is not [var only] || only.Port == destination.Port)
            yield break;
        // A proxy that goes to its own public port is PXD026's.
        if (trio.Sockets.SelectMany(Listening.OfSocket).Any(destination.Overlaps))
            yield break;
        // One that is told the public port is PXD006's.
        bool isPublic = trio.Sockets.SelectMany(Listening.OfSocket).Any(point => point.Port == only.Port);
        bool isNamed = trio.Command.Options.Addresses.Any(address => Listening.Names(backend, address));
        if (!isPublic && !isNamed && UnitNetwork.AreSame(UnitNetwork.Of(trio.Proxy, input.Script), UnitNetwork.Of(backend, input.Script)))
            yield return At(backend, only.Setting, $"the backend is told port {only.Port}, and {trio.Proxy.Name} goes to {destination.Port}: {Why}");
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

        A backend in a network namespace of its own (PrivateNetwork=, NetworkNamespacePath=, ip netns exec) is not meant, nor one that IPAddressDeny=
        closes off.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        int[] ports = [.. trio.Command.Options.Addresses.Select(address => address.Port).Where(port => port > 0)];
        foreach (Unit backend in trio.Backends.Where(backend => backend.Last("Service", "IPAddressDeny") is null))
        {
            if (UnitNetwork.Of(backend, input.Script) is not null)
                continue;
            ListenPoint? open = Listening.Of(backend).FirstOrDefault(point => point.IsAnyAddress && (point.Port == 0 || ports.Contains(point.Port)));
            if (open is not null && ports.Length > 0)
                yield return At(backend, open.Setting, $"{open.Host} is every interface: {Why}");
        }
    }
}

/// <summary>Two sockets of which only one can listen.</summary>
internal sealed class SocketsShareAPort() : Rule("PXD008", Severity.Error, "two sockets on one port", "systemd.socket(5), bind(2)")
{
    /// <summary>Tried with systemd 252.</summary>
    private const string Taken = "the socket that starts last takes the path over, and no client comes to the other one";

    internal override string Why => "only the socket that starts first gets the port, the other one fails";

    internal override string Fix => "give one of them another port or address, or ReusePort=yes to both if they are to share it";

    internal override string Story => """
        A port of an address can be bound once. The second .socket unit fails when it starts, with "Failed to create listening socket:
        Address already in use", and which one is second can change from boot to boot. A port without an address, and [::], take the IPv4
        addresses with them unless BindIPv6Only=ipv6-only says otherwise, so 8080 and 127.0.0.1:8080 collide as well.

        Of a Unix socket's path it is the socket that starts last which gets it: systemd removes what is there and makes it anew. Both are shown as
        listening, and no client comes to the first. An abstract name (@name) can be bound once, as a port.

        Units that exclude each other with Conflicts= may name the same port, and so may sockets in different network namespaces (PrivateNetwork= or
        NetworkNamespacePath= in [Socket]).
        """;

    internal override IEnumerable<Finding> Find(CheckInput input)
    {
        Unit[] sockets = [.. input.Units.Units.Where(unit => unit.Type == UnitType.Socket && CanCollide(unit))];
        foreach (Unit socket in sockets)
        {
            ListenPoint[] own = [.. Listening.OfSocket(socket)];
            ListenPoint? second = own.Where((point, index) => own.Take(index).Any(point.Overlaps)).FirstOrDefault();
            if (second is not null && !socket.IsShipped && !socket.IsTrue("Socket", "ReusePort"))
                yield return At(socket, second.Setting, $"port {second.Port} is in it twice, once for addresses that the other has: the socket can't start");
            foreach (Unit other in sockets.Where(other => other != socket && !(socket.IsShipped && other.IsShipped) && !AreApart(socket, other)))
            {
                ListenPoint[] theirs = [.. Listening.OfSocket(other)];
                if (own.FirstOrDefault(point => theirs.Any(point.Overlaps)) is { } shared)
                    yield return At(socket, shared.Setting, $"{other.Name} listens on port {shared.Port} too: {Why}");
                HashSet<string> names = [.. UnixNames(other).Select(setting => Plain(setting.Value))];
                if (UnixNames(socket).FirstOrDefault(setting => names.Contains(Plain(setting.Value))) is { } name)
                    yield return At(socket, name, $"{other.Name} listens on {name.Value} too: {(name.Value[0] == '@' ? Why : Taken)}");
            }
        }
    }

    /// <summary>A path as systemd reads it: without doubled slashes, and /var/run is /run.</summary>
    private static string Plain(string name)
    {
        if (name[0] == '@')
            return name;
        string path = "/" + string.Join('/', name.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;
    }

    private static IEnumerable<Setting> UnixNames(Unit socket) =>
        socket.All("Socket", "ListenStream").Where(setting => setting.Value is ['/' or '@', ..] && !setting.Value.Contains('%', StringComparison.Ordinal));

    /// <summary>A template's ports come with its instances; an interface or a protocol of its own keeps a socket apart.</summary>
    private static bool CanCollide(Unit socket) =>
        !socket.Parts.IsTemplate && socket.Last("Socket", "BindToDevice") is null && socket.Last("Socket", "SocketProtocol") is null;

    /// <summary>In time or in place, or content to share (socket(7): SO_REUSEPORT has to be set on both).</summary>
    private static bool AreApart(Unit one, Unit other) =>
        (one.IsTrue("Socket", "ReusePort") && other.IsTrue("Socket", "ReusePort"))
        || one.Names(other.Name, "Conflicts") is not null || other.Names(one.Name, "Conflicts") is not null
        || !UnitNetwork.AreSame(UnitNetwork.Of(one), UnitNetwork.Of(other));
}
