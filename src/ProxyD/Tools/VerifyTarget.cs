using System.Net;

namespace ProxyD.Tools;

/// <summary>Who wakes the backend.</summary>
internal enum BackendWaker
{
    /// <summary>The proxy, over D-Bus: it is told <c>--backend-unit=</c>, and may stay while the backend sleeps.</summary>
    Proxy,

    /// <summary>The proxy, as its child: it is told <c>--exec=</c>, and there is no unit.</summary>
    ProxyAsChild,

    /// <summary>systemd, because the proxy's unit asks for it when it starts.</summary>
    Systemd,
}

/// <summary>The units of one public port, as systemd has loaded them.</summary>
internal sealed record VerifyTarget
{
    /// <summary>The socket's unit.</summary>
    internal required string Socket { get; init; }

    /// <summary>Its stream addresses, as systemd writes them; the first is asked.</summary>
    internal required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Where a client of this machine connects.</summary>
    internal required EndPoint Peer { get; init; }

    /// <summary>The proxy's unit, or with Accept=yes the pattern of its instances: <c>web@*.service</c>.</summary>
    internal required string Proxy { get; init; }

    /// <summary>Services between proxy and backend that only start it.</summary>
    internal required IReadOnlyList<string> Hooks { get; init; }

    /// <summary>The backend's unit; null with <see cref="BackendWaker.ProxyAsChild"/>.</summary>
    internal required string? Backend { get; init; }

    /// <summary>The user says that it is the backend; no unit does.</summary>
    internal bool IsBackendSaid { get; init; }

    internal required BackendWaker Waker { get; init; }

    /// <summary>The proxy's unit is a pattern: one process for each connection (systemd.socket(5), Accept=).</summary>
    internal bool IsPerConnection => Proxy.Contains('*', StringComparison.Ordinal);

    /// <summary>What to call the backend in a sentence.</summary>
    internal string BackendName => Backend ?? $"the child of {Proxy}";

    /// <summary>All but the socket, in the order in which they are stopped.</summary>
    internal IEnumerable<string> Services => Backend is null ? [Proxy] : [Proxy, .. Hooks, Backend];
}
