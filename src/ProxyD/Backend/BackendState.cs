namespace ProxyD.Backend;

/// <summary>Where a backend stands, as the control plane sees it.</summary>
internal enum BackendState
{
    /// <summary>Nobody has needed it yet, or it went away after it had served.</summary>
    Unknown,

    /// <summary>Its start was ordered and has not been carried out.</summary>
    Starting,

    /// <summary>Clients wait; it should be running, and attempts are made until it answers.</summary>
    Probing,

    /// <summary>The last attempt stood.</summary>
    Ready,

    /// <summary>Its start failed, or it ended before it answered; a client that waits causes another start after a pause.</summary>
    Failed,
}
