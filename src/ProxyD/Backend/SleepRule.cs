namespace ProxyD.Backend;

/// <summary>How a backend is put to sleep.</summary>
internal enum SleepKind
{
    /// <summary>Stopped: it gives everything back, and the next client pays for a start.</summary>
    Stop,

    /// <summary>Frozen: it keeps its memory, and the next client pays next to nothing.</summary>
    Freeze,
}

/// <summary>When a backend is put to sleep by us.</summary>
/// <param name="Kind">How.</param>
/// <param name="AfterIdle">After so long without connections, or without a byte.</param>
/// <param name="ByBytes">Connections that move no byte don't count.</param>
/// <param name="MinUp">But not earlier than so long after it began to serve.</param>
internal sealed record SleepRule(SleepKind Kind, TimeSpan AfterIdle, bool ByBytes, TimeSpan MinUp);
