using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A shell that stays between systemd and the proxy.</summary>
internal sealed class WrapperWithoutExec() : TrioRule("PXD013", Severity.Warning, "wrapper script without exec", "sd_listen_fds(3), systemd.service(5)")
{
    internal override string Why => "the main process is another, the sockets are for its pid (LISTEN_PID), so the proxy gets none, and signals miss it";

    internal override string Fix => "call the proxy with exec, as the wrapper's last command";

    internal override string Story => """
        systemd passes sockets to the process that it started, and says so: LISTEN_PID is that process's pid. A shell script that
        calls the proxy as an ordinary command makes a child with another pid, which must ignore the sockets: systemd-socket-proxyd ends
        with "Didn't get any sockets passed in", the socket triggers again, and after a few starts it fails. SIGTERM and READY=1 go past
        the proxy in the same way.

        The same is true of a proxy in a pipe, in the background or in round brackets, exec or not, and of one that runuser, sudo, timeout, flock or setsid
        starts for itself.

        exec replaces the shell, and the pid stays. bash does that by itself for the last command behind -c, dash (Debian's /bin/sh) does not, and
        neither does it in a script file.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (!trio.Command.IsMain && trio.Sockets.Count > 0)
        {
            string program = trio.Command.Command.FileName;
            string? fix = trio.Command.Wrapper == ProxyWrapper.Command ? $"ExecStart= without {program}: systemd has User=, RuntimeMaxSec= and the like" : null;
            string what = trio.Command.Wrapper switch
            {
                ProxyWrapper.Command => $"{program} runs the proxy as its child",
                ProxyWrapper.Script => "the script does not call the proxy with exec, in its own place",
                _ => "the shell does not call the proxy with exec, in its own place",
            };
            yield return At(trio.Proxy, trio.Command.Setting, $"{what}: {Why}", fix);
        }
    }
}

/// <summary>A socket that hands out connections to a proxy that wants the listener.</summary>
internal sealed class AcceptingSocket()
    : TrioRule("PXD014", Severity.Error, "Accept=yes with systemd-socket-proxyd", "systemd.socket(5), systemd-socket-proxyd(8)")
{
    internal override string Why => "systemd-socket-proxyd gets an accepted connection where it needs the listening socket, and refuses to run";

    internal override string Fix => "Accept=no and a service without @; or proxyd, which serves a single connection as well";

    internal override string Story => """
        With Accept=yes systemd accepts each connection itself and starts an instance of NAME@.service with the connected socket.
        systemd-socket-proxyd checks that it got a listening socket, and ends with an error for anything else: every client is cut off.

        proxyd serves such a connection and exits with it. But one process for each connection gives away what makes a proxy cheap,
        and nothing holds the client any more: systemd has accepted it. Accept=no, the default, is what a proxy wants.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Command.Kind != ProxyKind.SocketProxyd)
            yield break;
        foreach (Unit socket in trio.Sockets.Where(socket => socket.IsTrue("Socket", "Accept")))
            yield return At(socket, socket.Last("Socket", "Accept"));
    }
}

/// <summary>A service type that waits for something the proxy never does.</summary>
internal sealed class TypeMismatch() : TrioRule("PXD015", Severity.Error, "Type= does not fit the proxy", "systemd.service(5), sd_notify(3)")
{
    internal override string Why => "systemd waits for a sign that never comes, and kills the proxy when TimeoutStartSec= is over";

    internal override string Fix => "Type=notify for a proxyd that is run directly or with exec; otherwise leave Type= out";

    internal override string Story => """
        Type= says how systemd knows that a service is up. Type=notify waits for READY=1 from the main process. If a shell without exec
        stays the main process, READY=1 comes from its child and is ignored, unless NotifyAccess=all. (NotifyAccess=none does no harm:
        systemd takes it for main.)

        Type=forking waits for the program to go into the background, and Type=oneshot for its end: a proxy does neither. Type=dbus waits
        for a name on the bus. Type=simple and Type=exec fit every proxy.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Proxy.Last("Service", "Type") is not { } type)
            yield break;
        if (type.Value is "forking" or "oneshot" or "dbus")
        {
            yield return At(trio.Proxy, type, $"Type={type.Value}: {Why}");
        }
        else if (type.Value is "notify" or "notify-reload")
        {
            bool acceptsAll = trio.Proxy.Last("Service", "NotifyAccess")?.Value == "all";
            if (!trio.Command.IsMain && !acceptsAll)
                yield return At(trio.Proxy, type, $"Type={type.Value} around a shell that stays: {Why}");
        }
    }
}
