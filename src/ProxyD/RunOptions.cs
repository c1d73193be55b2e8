using ProxyD.Interop;

namespace ProxyD;

/// <summary>What the command line asks of the daemon. The defaults are <c>CommandLine</c>'s.</summary>
internal sealed record RunOptions
{
    /// <summary>More connections than any machine's descriptors allow.</summary>
    internal const int ConnectionsLimit = 1_000_000;

    /// <summary>More threads than a proxy has use for.</summary>
    internal const int ThreadsLimit = 64;

    /// <summary>One data-plane thread for each two cores, at most four.</summary>
    /// <remarks>
    /// Client, backend and relay share the machine. With a thread for each of two cores no load ran at a higher rate, 16 bulk streams
    /// cost a fifth more of the whole machine's CPU, and one connection after another took 25 µs less (bench/README.md).
    /// </remarks>
    internal static int DefaultThreads(int cores) => Math.Clamp(cores / 2, 1, 4);

    /// <summary>At least one; at most one without a name.</summary>
    public required IReadOnlyList<Destination> Destinations { get; init; }

    /// <summary>Addresses to bind ourselves, besides what is passed.</summary>
    public IReadOnlyList<Address> Listen { get; init; } = [];

    /// <summary>1 to <see cref="ConnectionsLimit"/>.</summary>
    public required int ConnectionsMax { get; init; }

    /// <summary>Exit after so long without clients; null never.</summary>
    public required TimeSpan? ExitIdleTime { get; init; }

    /// <summary>How long a client waits for the backend; zero tries once, null for ever.</summary>
    public required TimeSpan? WaitBind { get; init; }

    /// <summary>How long live connections may go on after SIGTERM; null as long as they want.</summary>
    public required TimeSpan? DrainTime { get; init; }

    /// <summary>A connection that the backend reset before its first byte is taken to another, once.</summary>
    public bool RetryUnanswered { get; init; }

    /// <summary>1 to <see cref="ThreadsLimit"/>.</summary>
    public required int Threads { get; init; }

    /// <summary>A name from <c>LogSetup.LevelNames</c>.</summary>
    public required string LogLevel { get; init; }

    /// <summary>The backend's command, or null when it is not a child of ours.</summary>
    public string? Exec { get; init; }

    /// <summary>The backend's unit by its full name, or null when it is not started over D-Bus; at most one of this and <see cref="Exec"/>.</summary>
    public string? BackendUnit { get; init; }

    /// <summary>The unit is the user manager's.</summary>
    public bool IsUserUnit { get; init; }

    /// <summary>How to ask whether the backend is ready; null when its listening is proof enough.</summary>
    public ReadyCheck? Ready { get; init; }

    /// <summary>Stop the backend after so long without use; null never. Only for a backend that we start.</summary>
    public TimeSpan? IdleStop { get; init; }

    /// <summary>Freeze the backend after so long without use; null never. Only for a unit, and at most one of this and <see cref="IdleStop"/>.</summary>
    public TimeSpan? IdleFreeze { get; init; }

    /// <summary>Use means bytes that move, not connections.</summary>
    public bool IdleByBytes { get; init; }

    /// <summary>The backend is not put to sleep earlier than so long after it came up.</summary>
    public TimeSpan BackendMinUp { get; init; }
}

/// <summary>What <c>--ready</c> asks.</summary>
internal enum ReadyKind
{
    /// <summary>An HTTP path.</summary>
    Http,

    /// <summary>The service manager: the unit is active.</summary>
    Unit,

    /// <summary>A command.</summary>
    Command,
}

/// <summary>How to ask a backend whether it is ready.</summary>
/// <param name="Kind">Whom to ask.</param>
/// <param name="Text">The path, or the command; empty for the unit.</param>
/// <param name="Statuses">The HTTP statuses that are wanted, each range from its first to its last; empty for 200 to 299.</param>
internal sealed record ReadyCheck(ReadyKind Kind, string Text, IReadOnlyList<(int From, int To)> Statuses);

/// <summary>Where clients go.</summary>
/// <param name="Name">The passed sockets it is for, by their LISTEN_FDNAMES name; null for all that no other claims.</param>
/// <param name="Address">The backend.</param>
internal sealed record Destination(string? Name, Address Address);
