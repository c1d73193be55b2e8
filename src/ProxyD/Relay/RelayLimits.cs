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

    /// <summary>How often to look whether a peer has taken its last bytes, before the RST that would destroy them.</summary>
    public const int TakenCheckMs = 10;

    /// <summary>How long one attempt to reach one backend address may take; then the next address is tried.</summary>
    /// <remarks>Two seconds leave room for one lost SYN (retransmitted after 1 s, tcp(7)) and, within the default hold of 5 s, for a second address.</remarks>
    public int ConnectTimeoutMs { get; init; } = 2_000;

    /// <summary>How long the first attempt on loopback may take; doubled when that is too short, up to <see cref="LoopbackConnectMaxMs"/>.</summary>
    /// <remarks>
    /// There the handshake is over when connect(2) returns, unless the backend's accept queue is full: then its kernel has dropped
    /// the SYN and would hear of it again only after a second (tcp(7)). A new attempt is sooner. The doubling is for a loopback
    /// that somebody has made slow (tc-netem(8)); the first attempt that is decided at once begins anew.
    /// </remarks>
    public const int LoopbackConnectMinMs = 10;

    /// <inheritdoc cref="LoopbackConnectMinMs"/>
    public const int LoopbackConnectMaxMs = 250;

    /// <summary>Attempts on their way at once towards a backend that answers. A cold backend gets one.</summary>
    public int ConnectsInFlightMax { get; init; } = 64;

    /// <summary>The first pause between two attempts at a cold backend.</summary>
    public int RetryMinMs { get; init; } = 1;

    /// <summary>The pause doubles up to this: a client waits at most so much longer than the backend needs.</summary>
    public int RetryMaxMs { get; init; } = 10;

    /// <summary>The same for the first twenty attempts, about 100 ms: most backends come up within that, and there a few ms show.</summary>
    public int RetryEarlyMs { get; init; } = 5;

    /// <summary>The same while the control plane knows that it will not come soon.</summary>
    /// <remarks>A hundred clients in the queue of a backend that keeps failing cost 1.2 to 1.4 % of a core at the pace above.</remarks>
    public int RetrySlowMs { get; init; } = 250;

    /// <summary>How long a standing backend connection that no client claimed is kept for the next one.</summary>
    public int SpareLifetimeMs { get; init; } = 100;

    /// <summary>After descriptors ran out and no connection of ours ended: when to look again.</summary>
    public int ShortageRetryMs { get; init; } = 100;

    /// <summary>Pipes that one thread may have, lent and spare together. Beyond, flows copy.</summary>
    /// <remarks>
    /// One for each way of 256 streams. A flow without one takes twice the CPU per byte, and its turns are so long that the others'
    /// events come late: with 128 pipes 256 streams ran both ways at 14 to 19 Gb/s as an unprivileged user, with 512 on the same day at 33 to 34.
    /// </remarks>
    public int PipesPerThreadMax { get; init; } = 512;

    /// <summary>Large pipes that one thread makes and keeps.</summary>
    /// <remarks>Further ones are smaller and closed when they come back, so a burst leaves at most one of them behind.</remarks>
    public int KeptPipesPerThreadMax { get; init; } = 8;

    /// <summary>Bytes one connection may move each way in one turn before others get theirs.</summary>
    public int TurnBudgetBytes { get; init; } = 1 << 20;

    /// <summary>Clients taken from one listener in one turn before live connections get theirs.</summary>
    public int AcceptsPerTurnMax { get; init; } = 64;

    /// <summary>Waiting clients reset in one turn: what a listen queue holds by default (net.core.somaxconn), and no flood keeps us there.</summary>
    internal const int ResetsPerTurnMax = 4096;

    /// <summary>What copy mode reads at once, into a buffer that all connections of a thread share.</summary>
    /// <remarks>A read that fills it says "bulk", and the flow goes on with splice.</remarks>
    public const int ScratchBytes = 16 * 1024;

    /// <summary>A splice that brings less than this says "no longer bulk": the flow goes back to copying, which is cheaper for little.</summary>
    public const int SpliceWorthwhileBytes = 8 * 1024;

    /// <summary>The capacity of the pipes that are kept: the most an unprivileged user may ask for (pipe-max-size, pipe(7)).</summary>
    /// <remarks>Larger turns: less CPU per byte than with 256 KiB, at the same rate (bench/README.md).</remarks>
    public const int KeptPipeCapacityBytes = 1024 * 1024;

    /// <summary>The least capacity of a pipe we use, the kernel's default, and what the further ones have.</summary>
    /// <remarks>
    /// All of a user's pipes share pipe-user-pages-soft, by default 64 MiB: room for the kept ones and 896 of these, but for only
    /// 224 of 256 KiB. Past it the kernel silently hands out pipes of two pages (pipe(7)).
    /// </remarks>
    public const int PipeCapacityMinBytes = 64 * 1024;

    /// <summary>Ended connections whose objects one thread keeps for the next ones; beyond, they are garbage.</summary>
    public const int SpareConnectionObjectsMax = 256;

    /// <summary>What is kept of a client's bytes for another backend. Who sends more before the first byte back gets no second try.</summary>
    public const int ReplayBytesMax = 64 * 1024;

    /// <summary>Replay buffers that one thread keeps for the next connections; beyond, they are freed. All used up to the last byte: 4 MiB.</summary>
    public const int SpareReplayBuffersMax = 64;

    /// <summary>From this descriptor on none is opened for a client: the last ones are the control plane's (log, signals, names, children).</summary>
    public int DescriptorCeiling { get; init; } = int.MaxValue;

    /// <summary>How far <see cref="DescriptorCeiling"/> lies below the limit of open files.</summary>
    public const int DescriptorsKeptBack = 16;

    /// <summary>With fewer there is no room for a connection: runtime and threads hold about twenty.</summary>
    public const int DescriptorsLeast = 48;

    /// <summary>Descriptors the process needs besides connections and pipes: listeners, epolls, log, bus, and some in reserve.</summary>
    public const int DescriptorReserve = 64;
}
