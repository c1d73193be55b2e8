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

    /// <summary>1 to <see cref="ThreadsLimit"/>.</summary>
    public required int Threads { get; init; }

    /// <summary>A name from <c>LogSetup.LevelNames</c>.</summary>
    public required string LogLevel { get; init; }

    /// <summary>The backend's command, or null when others start it.</summary>
    public string? Exec { get; init; }
}

/// <summary>Where clients go.</summary>
/// <param name="Name">The passed sockets it is for, by their LISTEN_FDNAMES name; null for all that no other claims.</param>
/// <param name="Address">The backend.</param>
internal sealed record Destination(string? Name, Address Address);
