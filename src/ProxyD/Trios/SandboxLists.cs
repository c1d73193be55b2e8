using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>What the filters of systemd.exec(5) leave to a service: <c>RestrictAddressFamilies=</c> and <c>SystemCallFilter=</c>.</summary>
/// <remarks>
/// Both read alike: the first assignment decides whether the list allows or (with ~) forbids, the others add to it or (with the other sign) take
/// from it.
/// </remarks>
internal static class SandboxLists
{
    /// <summary>The set that systemd adds to every list that allows.</summary>
    private const string AlwaysAllowed = "@default";

    /// <summary>The set that holds nearly all others.</summary>
    private const string Services = "@system-service";

    /// <summary>The sets that hold everything that is in any set.</summary>
    private const string Known = "@known";

    /// <summary>
    /// Calls without which the proxies die, and the set that systemd-analyze syscall-filter lists each one in. Each was forbidden by itself (systemd 252,
    /// x86-64): SIGSYS at the start or at the first client. With SystemCallErrorNumber= the call fails instead, which those that may can bear.
    /// What goes by other names on other machines is left out.
    /// </summary>
    private static readonly (string Call, string Set, bool MayFail)[] s_needed =
    [
        ("splice", Services, false),
        ("ioctl", Services, true),
        ("read", "@basic-io", false),
        ("write", "@basic-io", false),
        ("close", "@basic-io", false),
        ("openat", "@file-system", false),
        ("fcntl", "@file-system", true),
        ("epoll_create1", "@io-event", false),
        ("epoll_ctl", "@io-event", false),
        ("pipe2", "@ipc", false),
        ("socket", "@network-io", false),
        ("connect", "@network-io", false),
        ("accept4", "@network-io", false),
        ("setsockopt", "@network-io", true),
        ("getsockopt", "@network-io", false),
        ("recvfrom", "@network-io", false),
        ("clone3", "@process", false),
        ("prctl", "@process", true),
        ("rt_sigaction", "@signal", false),
        ("rt_sigprocmask", "@signal", false),
        ("mmap", AlwaysAllowed, false),
        ("mprotect", AlwaysAllowed, false),
        ("futex", AlwaysAllowed, false),
        ("getrandom", AlwaysAllowed, true),
        ("gettid", AlwaysAllowed, true),
        ("prlimit64", AlwaysAllowed, true),
        ("rseq", AlwaysAllowed, true),
        ("set_robust_list", AlwaysAllowed, true),
        ("pread64", "@basic-io", false),
        ("newfstatat", "@file-system", false),
        ("statfs", "@file-system", true),
    ];

    /// <summary>The same for what only proxyd calls.</summary>
    private static readonly (string Call, string Set, bool MayFail)[] s_neededByProxyd =
    [
        ("madvise", Services, true),
        ("sysinfo", Services, false),
        ("get_mempolicy", Services, true),
        ("membarrier", AlwaysAllowed, false),
        ("sched_getaffinity", AlwaysAllowed, true),
        ("getsockname", "@network-io", true),
        ("shutdown", "@network-io", true),
        ("getrusage", "@process", true),
        ("eventfd2", "@io-event", false),
        ("sendto", "@network-io", false),
    ];

    /// <summary>Settings whose yes is kept by a filter of seccomp(2); systemd.exec(5).</summary>
    private static readonly string[] s_filters =
    [
        "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "ProtectKernelTunables", "ProtectKernelModules",
        "ProtectKernelLogs", "ProtectClock", "ProtectHostname", "PrivateDevices", "DynamicUser",
    ];

    /// <summary>The same of those that take a list.</summary>
    private static readonly string[] s_filterLists = ["SystemCallFilter", "SystemCallArchitectures", "RestrictAddressFamilies", "SystemCallLog"];

    /// <summary>Whether a service runs under a filter of system calls, whatever it lets through.</summary>
    /// <remarks><c>DynamicUser=</c> implies <c>RestrictSUIDSGID=</c>; systemd.exec(5).</remarks>
    internal static bool HasCallFilter(Unit service) =>
        Array.Exists(s_filters, key => service.IsTrue("Service", key)) || Array.Exists(s_filterLists, key => service.Last("Service", key) is not null)
        || (service.Last("Service", "RestrictNamespaces") is not null && service.IsTrue("Service", "RestrictNamespaces", unset: true));

    /// <summary>Whether a service may make sockets of a family.</summary>
    /// <param name="family">As <c>AF_UNIX</c>.</param>
    /// <param name="blamed">The assignment that forbids it.</param>
    internal static bool AllowsFamily(Unit service, string family, out Setting? blamed) =>
        Allows(service, "RestrictAddressFamilies", word => word == family, isAlways: false, out blamed);

    /// <summary>The first system call that a proxy needs and may not make.</summary>
    /// <param name="blamed">The assignment that forbids it.</param>
    /// <returns>Null when all are allowed.</returns>
    internal static (string Call, string Set)? ForbiddenCall(Unit service, ProxyKind kind, out Setting? blamed)
    {
        foreach ((string call, string set, bool mayFail) in kind == ProxyKind.Proxyd ? s_needed.Concat(s_neededByProxyd) : s_needed)
        {
            bool isAllowed = Allows(service, "SystemCallFilter", word => Means(word, call, set), isAlways: set == AlwaysAllowed, out blamed);
            if (!isAllowed && !(mayFail && IsGentle(service, blamed!)))
                return (call, set);
        }
        blamed = null;
        return null;
    }

    /// <summary>Whether a call that an assignment forbids fails with an error number instead of ending its process; its own stands behind a colon.</summary>
    internal static bool IsGentle(Unit service, Setting filter) =>
        service.Last("Service", "SystemCallErrorNumber") is { Value: not "kill" } || filter.Value.Contains(':', StringComparison.Ordinal);

    private static bool Means(string word, string call, string set)
    {
        string name = word.Split(':')[0];
        return name == call || name == set || name is Services or Known;
    }

    private static bool Allows(Unit service, string key, Func<string, bool> means, bool isAlways, out Setting? blamed)
    {
        IReadOnlyList<Setting> settings = service.All("Service", key);
        blamed = settings.Count > 0 ? settings[0] : null;
        bool isAllowed = isAlways || settings.Count == 0 || settings[0].Value[0] == '~';
        foreach (Setting setting in settings)
        {
            bool isInverted = setting.Value[0] == '~';
            if (Words.Split(setting.Value.TrimStart('~')).Any(means))
                (isAllowed, blamed) = (!isInverted, setting);
        }
        return isAllowed;
    }
}
