using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A kernel that waits for the client's first byte where the server has to speak first.</summary>
internal sealed class DeferredBanner() : TrioRule("PXD020", Severity.Warning, "DeferAcceptSec= where the server speaks first", "systemd.socket(5), tcp(7)")
{
    /// <summary>Protocols whose client is silent until it has read the server's greeting.</summary>
    private static readonly (string Protocol, string[] Ports)[] s_greeters =
    [
        ("FTP", ["21", "ftp"]),
        ("SSH", ["22", "2222", "ssh"]),
        ("SMTP", ["25", "587", "2525", "smtp", "submission"]),
        ("POP3", ["110", "pop3"]),
        ("NNTP", ["119", "nntp"]),
        ("IMAP", ["143", "imap2", "imap"]),
        ("MySQL", ["3306", "mysql"]),
        ("ManageSieve", ["4190", "sieve"]),
        ("VNC", ["5900", "5901", "5902", "5903"]),
        ("MPD", ["6600"]),
    ];

    internal override string Why => "the client waits for a greeting, and the kernel hides the client until it has said something";

    internal override string Fix => "remove DeferAcceptSec= from the socket";

    internal override string Story => """
        With DeferAcceptSec= (TCP_DEFER_ACCEPT) the kernel shows a connection to the program only when its first bytes have come, or when the time is up.
        It spares a wake-up for protocols in which the client speaks first, as HTTP and TLS.

        In SSH, SMTP, IMAP, POP3, FTP, MySQL, VNC and MPD the server speaks first. Client and kernel then wait for each other: nobody wakes the proxy, the
        backend isn't started, and the client sees a connection that stands and says nothing, until DeferAcceptSec= has passed or it gives up.

        The port says which protocol it is; so this rule only knows the usual ports, of the public socket or of the destination.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach (Unit socket in trio.Sockets)
        {
            if (socket.Last("Socket", "DeferAcceptSec") is not { } defer || !TimeSpanParser.TryParse(defer.Value, out TimeSpan? span) || span == TimeSpan.Zero)
                continue;
            IEnumerable<string> ports = socket.All("Socket", "ListenStream").Select(setting => BackendAddress.OfListener(setting.Value))
                .Concat(trio.Command.Options.Destinations.Select(BackendAddress.OfDestination))
                .Select(address => address.Port);
            if (Array.Find(s_greeters, greeter => ports.Any(greeter.Ports.Contains)) is { Protocol: not null } greeter)
                yield return At(socket, defer, $"port {ports.First(greeter.Ports.Contains)} is {greeter.Protocol}'s, where the server speaks first: {Why}");
        }
    }
}

/// <summary>A public socket that no proxy can relay.</summary>
internal sealed class NotAStream() : TrioRule("PXD028", Severity.Error, "socket that is no stream", "systemd.socket(5), systemd-socket-proxyd(8)")
{
    private static readonly string[] s_keys =
        ["ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"];

    internal override string Why => "the proxy relays streams only, and ends when it is passed anything else";

    internal override string Fix => "put it into a socket of its own, whose Service= is the daemon that takes it";

    internal override string Story => """
        All sockets of a .socket unit are passed to its one service. A proxy connects each client of a listening stream socket (ListenStream=) to
        the backend; a datagram socket has no connections, a FIFO no clients. proxyd refuses such a descriptor when it starts, and
        systemd-socket-proxyd fails when it accepts from it. The start fails, is tried again for the client that still waits, and after five tries
        the whole unit is dead (service-start-limit-hit), its ListenStream= too.

        Daemons that serve TCP and UDP on one port (DNS, QUIC beside HTTPS) need UDP to go to them directly: it can't wake them through this
        proxy.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input) =>
        from socket in trio.Sockets
        from key in s_keys
        from setting in socket.All("Socket", key)
        select At(socket, setting, $"{key}={setting.Value}: {Why}");
}

/// <summary>A socket that throws away who waits.</summary>
internal sealed class QueueFlushed() : TrioRule("PXD034", Severity.Warning, "socket that is emptied when its service ends", "systemd.socket(5)")
{
    internal override string Why => "FlushPending= rejects whoever waits in the queue when the proxy ends";

    internal override string Fix => "remove FlushPending= from the socket";

    internal override string Story => """
        A client that waits for a cold backend is in the listen queue of the public socket, which systemd holds as well. That is why none is lost when
        the proxy is stopped, restarted or killed in that moment: the next one finds it there.

        FlushPending=yes makes systemd empty that queue whenever the service has ended. It is meant for services that crash on what they are sent.
        Before a proxy it undoes the one thing that makes sleeping safe: who comes while the proxy ends is turned away.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input) =>
        trio.Sockets.Where(socket => socket.IsTrue("Socket", "FlushPending")).Select(socket => At(socket, socket.Last("Socket", "FlushPending")));
}

/// <summary>A proxy that is its own client.</summary>
internal sealed class ProxyToItself() : TrioRule("PXD026", Severity.Error, "destination is the public socket", "systemd.socket(5), systemd-socket-proxyd(8)")
{
    internal override string Why => "the proxy connects to the socket it serves, and becomes its own client until its connections are used up";

    internal override string Fix => "give the backend a port of its own on 127.0.0.1, and name that one as the destination";

    internal override string Story => """
        systemd listens on the public address all the time. A destination with the same port, on an address that the public socket takes as well (0.0.0.0,
        a bare port number, or the very same), leads back into that socket. The proxy accepts its own connection as the next client, connects
        it to the destination, and so on: one client opens as many connections as --connections-max allows, within milliseconds, and
        then all are reset.

        The backend can't have that address anyway, since systemd has it (PXD006). It needs a port of its own, or a network of its own
        (PrivateNetwork= with JoinsNamespaceOf=, NetworkNamespacePath=, or ip netns exec before the proxy), where the same number is another port.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        UnitNetwork? network = UnitNetwork.Of(trio.Proxy, input.Script);
        foreach (Unit socket in trio.Sockets.Where(socket => UnitNetwork.AreSame(UnitNetwork.Of(socket), network)))
        {
            bool isIpv6Only = socket.Last("Socket", "BindIPv6Only")?.Value == "ipv6-only";
            foreach (BackendAddress address in trio.Command.Options.Destinations.Select(BackendAddress.OfDestination))
            {
                Setting? taken = socket.All("Socket", "ListenStream").FirstOrDefault(s => BackendAddress.OfListener(s.Value).Takes(address, isIpv6Only));
                if (taken is null)
                    continue;
                string why = $"the destination {address} is the public socket itself (ListenStream={taken.Value} of {socket.Name})";
                yield return At(trio.Proxy, trio.Command.Setting, why);
            }
        }
    }
}
