namespace ProxyD.Relay;

/// <summary>Every bound of the data plane, each with its unit and what happens there.</summary>
/// <remarks>The defaults are the product's; tests take smaller ones to reach the edge sooner.</remarks>
internal sealed record RelayLimits
{
    /// <summary>Live connections. One client more is accepted and reset.</summary>
    public int ConnectionsMax { get; init; } = 256;

    /// <summary>Data-plane threads, each with an epoll of its own.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>How long a half-closed connection may stay without a byte moved; then it is reset.</summary>
    /// <remarks>
    /// It guards against a peer that never ends its half. Ten minutes is what nginx grants a silent stream
    /// (proxy_timeout), and far beyond any answer that is still awaited.
    /// </remarks>
    public int HalfCloseTimeoutMs { get; init; } = 600_000;

    /// <summary>How long one attempt to reach one backend address may take; then the next address is tried.</summary>
    /// <remarks>Two seconds leave room for one lost SYN (retransmitted after 1 s, tcp(7)) and, within the default hold of 5 s, for a second address.</remarks>
    public int ConnectTimeoutMs { get; init; } = 2_000;

    /// <summary>Attempts on their way at once towards a backend that answers. A cold backend gets one.</summary>
    public int ConnectsInFlightMax { get; init; } = 64;

    /// <summary>The first pause between two attempts at a cold backend.</summary>
    public int RetryMinMs { get; init; } = 1;

    /// <summary>The pause doubles up to this: a client waits at most so much longer than the backend needs.</summary>
    public int RetryMaxMs { get; init; } = 10;

    /// <summary>How long a standing backend connection that no client claimed is kept for the next one.</summary>
    public int SpareLifetimeMs { get; init; } = 100;

    /// <summary>After descriptors ran out and no connection of ours ended: when to look again.</summary>
    public int ShortageRetryMs { get; init; } = 100;

    /// <summary>Pipes that one thread may have, lent and spare together. Beyond, flows copy.</summary>
    public int PipesPerThreadMax { get; init; } = 128;

    /// <summary>Empty pipes that one thread keeps; what comes back beyond is closed, so a burst leaves nothing behind.</summary>
    public int SparePipesPerThreadMax { get; init; } = 16;

    /// <summary>Bytes one connection may move each way in one turn before others get theirs.</summary>
    public int TurnBudgetBytes { get; init; } = 1 << 20;

    /// <summary>Clients taken from one listener in one turn before live connections get theirs.</summary>
    public int AcceptsPerTurnMax { get; init; } = 64;

    /// <summary>What copy mode reads at once, into a buffer that all connections of a thread share.</summary>
    /// <remarks>A read that fills it says "bulk", and the flow goes on with splice.</remarks>
    public const int ScratchBytes = 16 * 1024;

    /// <summary>A splice that brings less than this says "no longer bulk": the flow goes back to copying, which is cheaper for little.</summary>
    public const int SpliceWorthwhileBytes = 8 * 1024;

    /// <summary>The capacity we ask of a pipe. Four times the default: fewer turns for a bulk stream.</summary>
    public const int PipeCapacityBytes = 256 * 1024;

    /// <summary>The least capacity of a pipe we use, the kernel's default.</summary>
    /// <remarks>Past pipe-user-pages-soft the kernel silently hands out pipes of two pages (pipe(7)).</remarks>
    public const int PipeCapacityMinBytes = 64 * 1024;

    /// <summary>Ended connections whose objects one thread keeps for the next ones; beyond, they are garbage.</summary>
    public const int SpareConnectionObjectsMax = 256;

    /// <summary>From this descriptor on none is opened for a client: the last ones are the control plane's (log, signals, names, children).</summary>
    public int DescriptorCeiling { get; init; } = int.MaxValue;

    /// <summary>How far <see cref="DescriptorCeiling"/> lies below the limit of open files.</summary>
    public const int DescriptorsKeptBack = 16;

    /// <summary>Descriptors the process needs besides connections and pipes: listeners, epolls, log, bus, and some in reserve.</summary>
    public const int DescriptorReserve = 64;
}
