namespace ProxyD.Relay;

/// <summary>How a service stands towards its backend.</summary>
internal enum ServicePhase
{
    /// <summary>The last attempt stood: each client is paired as it comes.</summary>
    Warm,

    /// <summary>The last attempt failed: one attempt at a time, with a pause between, while anyone waits.</summary>
    Cold,

    /// <summary>No descriptors: nothing is opened until a connection ends or <see cref="RelayLimits.ShortageRetryMs"/> has passed.</summary>
    Starved,

    /// <summary>proxyd may be about to end: whoever comes now waits for what is decided.</summary>
    Paused,

    /// <summary>proxyd is ending: the queue is left to the next instance.</summary>
    Stopped,
}
