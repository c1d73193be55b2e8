using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A proxy that may not make the sockets it needs.</summary>
internal sealed class FamilyForbidden() : TrioRule("PXD017", Severity.Error, "address family forbidden", "systemd.exec(5), sd_notify(3)")
{
    internal override string Why => "RestrictAddressFamilies= forbids a kind of socket that the proxy needs";

    internal override string Fix => "add the family, for proxyd RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX";

    internal override string Story => """
        RestrictAddressFamilies= decides which sockets a service may make. Sockets that it is given are not concerned, so the public
        socket may be of any family. What the proxy makes itself is:

          the connection to its destination   AF_INET, AF_INET6 or AF_UNIX
          READY=1 to systemd (Type=notify)    AF_UNIX
          the bus (--backend-unit)            AF_UNIX, for the socket /run/dbus/system_bus_socket

        Without the destination's family no client is ever served. Without AF_UNIX a unit of Type=notify serves its clients and is still taken
        for one that does not start: after TimeoutStartSec= (90 s) systemd ends it, with all its connections. Without AF_UNIX --backend-unit
        starts nothing; the log says that the bus can't be reached.

        "No AF_UNIX" is a common line of hardened units, copied from those of daemons that only speak TCP. The file system's permissions and the
        bus's policy guard Unix sockets already.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        foreach ((string family, string reason) in Needs(trio))
        {
            if (!SandboxLists.AllowsFamily(trio.Proxy, family, out Setting? blamed))
            {
                string why = $"RestrictAddressFamilies= forbids {family}, which the proxy needs for {reason}";
                yield return At(trio.Proxy, blamed, why, $"add {family} to RestrictAddressFamilies=");
                // One line, one finding: the first reason is the gravest.
                yield break;
            }
        }
    }

    private static IEnumerable<(string Family, string Reason)> Needs(Trio trio)
    {
        ProxyOptions options = trio.Command.Options;
        foreach (BackendAddress address in options.Destinations.Select(BackendAddress.OfDestination))
        {
            if (address.IsUnix)
                yield return ("AF_UNIX", $"its destination {address}");
            else if (address.Kind is AddressKind.Ipv4 or AddressKind.Ipv6)
                yield return (address.Kind == AddressKind.Ipv4 ? "AF_INET" : "AF_INET6", $"its destination {address}");
        }
        if (options.BackendUnit is { } unit)
            yield return ("AF_UNIX", $"the bus over which it starts {unit}");
        if (trio.Proxy.Last("Service", "Type")?.Value is "notify" or "notify-reload")
            yield return ("AF_UNIX", "READY=1: with Type=notify its start times out");
    }
}

/// <summary>A proxy that dies of a system call.</summary>
internal sealed class CallForbidden() : TrioRule("PXD018", Severity.Error, "system call forbidden", "systemd.exec(5), splice(2)")
{
    internal override string Why => "SystemCallFilter= forbids a system call that the proxy can't do without";

    internal override string Fix => "SystemCallFilter=@system-service, and below it SystemCallFilter=~@privileged @resources";

    internal override string Story => """
        Both proxies move bytes with splice(2), and wait with epoll. A filter that does not name what they call ends them with SIGSYS (status=31/SYS)
        at their start or at the first client; systemd starts them again for the client that still waits, and after five starts the socket is
        dead (service-start-limit-hit).

        The trap is in the sets. splice is in none of @basic-io, @network-io, @io-event, @file-system; among the named sets only @system-service
        has it. The same is true of ioctl, madvise, sysinfo and get_mempolicy. So a list put together of the small sets looks complete, and isn't.

        What proxyd is made to run under is @system-service without @privileged and @resources; deploy/ has units with exactly that. To see what
        a set holds: systemd-analyze syscall-filter @system-service.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (SandboxLists.ForbiddenCall(trio.Proxy, trio.Command.Kind, out Setting? blamed) is { } forbidden)
        {
            string end = SandboxLists.IsGentle(trio.Proxy, blamed!) ? "it fails, and answers are cut short or none comes" : "the proxy dies of SIGSYS";
            string why = $"SystemCallFilter= forbids {forbidden.Call}(2), which is in {forbidden.Set}: {end}";
            yield return At(trio.Proxy, blamed, why);
        }
    }
}

/// <summary>A limit on address space, which the runtime reserves generously.</summary>
internal sealed class AddressSpaceLimited() : TrioRule("PXD023", Severity.Error, "address space limited", "systemd.exec(5), setrlimit(2)")
{
    /// <summary>Measured with 1 and 8 threads: at 2 GiB proxyd still aborts in some of its starts, at 4 GiB in none.</summary>
    private const double EnoughBytes = 4.0 * 1024 * 1024 * 1024;

    internal override string Why => "proxyd reserves address space that it never uses, and aborts when it gets none";

    internal override string Fix => "remove LimitAS=; MemoryMax= limits what is really used";

    internal override string Story => """
        LimitAS= (RLIMIT_AS) limits addresses, not memory. The .NET runtime in proxyd reserves a large stretch of addresses for its heap when it
        starts, and each thread reserves its stack; hardly any of it is ever touched (9 MB are resident at rest). Under a limit the
        runtime shrinks its reservation to what it believes it may have, and the threads that are started afterwards get nothing: "Unhandled
        exception. System.OutOfMemoryException", status=6/ABRT. Whether it happens depends on the limit and on the number of threads in no plain way: here
        proxyd aborted with 192 MB to 2 GB, not at every start, and never with 4 GB or more.

        MemoryMax= (a cgroup's limit, systemd.resource-control(5)) limits what is really used, for all processes of the unit together.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        if (trio.Command.Kind == ProxyKind.Proxyd && trio.Proxy.Last("Service", "LimitAS") is { } limit && ResourceLimit.SoftBytes(limit.Value) < EnoughBytes)
            yield return At(trio.Proxy, limit, $"LimitAS={limit.Value}: {Why}");
    }
}
