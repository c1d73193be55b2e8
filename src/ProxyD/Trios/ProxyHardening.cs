namespace ProxyD.Trios;

/// <summary>What a proxy that opens sockets and nothing else can do without; systemd.exec(5).</summary>
internal static class ProxyHardening
{
    /// <summary>What takes capabilities or mounts. A user manager has neither: CapabilityBoundingSet= and PrivateDevices= fail there.</summary>
    private static readonly (string Key, string Value)[] s_privileged =
    [
        ("CapabilityBoundingSet", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("ProtectClock", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectHostname", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectProc", "invisible"),
        ("ProcSubset", "pid"),
        ("PrivateDevices", "yes"),
        ("PrivateUsers", "yes"),
    ];

    /// <summary>What anybody may ask of the kernel: seccomp(2) and umask(2).</summary>
    private static readonly (string Key, string Value)[] s_unprivileged =
    [
        ("NoNewPrivileges", "yes"),
        ("LockPersonality", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallFilter", "@system-service"),
        ("SystemCallFilter", "~@privileged @resources"),
        ("UMask", "0077"),
    ];

    /// <summary>The settings of <c>[Service]</c>, in order.</summary>
    /// <param name="isUser">For a user manager.</param>
    internal static IEnumerable<(string Key, string Value)> Settings(bool isUser) => isUser ? s_unprivileged : [.. s_privileged, .. s_unprivileged];
}
