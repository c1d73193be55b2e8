using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>What the data plane tells the control plane.</summary>
internal enum RelayEventKind
{
    /// <summary>Connections or waiting clients changed. Coalesced: at most one is on its way at a time.</summary>
    Activity,

    /// <summary>
    /// A client waits: the backend did not take the first attempt (<c>Error</c> says why), or the service is shut (None). It came
    /// <c>WaitedMs</c> before. A gated service tells so again after each attempt that fails.
    /// </summary>
    WaitBegan,

    /// <summary>
    /// The backend answers; <c>WaitedMs</c> and <c>Clients</c> tell how long and how many waited, <c>Error</c> why the last
    /// attempt before had failed: None when nothing but its address was missing.
    /// </summary>
    WaitAnswered,

    /// <summary>A client's hold ended without a backend and it was reset, after <c>WaitedMs</c>; <c>Error</c> is the last attempt's.</summary>
    WaitExpired,

    /// <summary>The client that ended a wait was sent the backend's first byte, <c>WaitedMs</c> after that. Does not come when there was none.</summary>
    FirstByte,

    /// <summary>Nobody waits any more, and the backend never answered.</summary>
    WaitOver,

    /// <summary>The backend's name must be resolved (again).</summary>
    AddressWanted,

    /// <summary>The connection limit was met and a client was reset. <c>Clients</c> were reset so since the last such event.</summary>
    LimitReached,

    /// <summary>Descriptors or socket memory ran out; clients wait in the queue. <c>Error</c> says which.</summary>
    Shortage,

    /// <summary>A connection ended; sent only when asked for. <c>Reason</c>, <c>UpBytes</c> and <c>DownBytes</c> are set.</summary>
    ConnectionEnded,

    /// <summary>
    /// A connection was reset by its backend before the first byte and waits for another; sent only when asked for. <c>UpBytes</c>
    /// will be sent again.
    /// </summary>
    ConnectionRetried,

    /// <summary>The one client of a connected socket is done.</summary>
    ConnectedDone,
}

/// <summary>One such message; which fields mean something is said at its <see cref="RelayEventKind"/>.</summary>
internal readonly record struct RelayEvent(RelayEventKind Kind, int Service)
{
    internal Errno Error { get; init; }

    /// <summary>When it happened, by <see cref="EventLoop.ClockMs"/>; set for waits and first bytes.</summary>
    internal long AtMs { get; init; }

    internal long WaitedMs { get; init; }
    internal int Clients { get; init; }
    internal CloseReason Reason { get; init; }
    internal long UpBytes { get; init; }
    internal long DownBytes { get; init; }
}
