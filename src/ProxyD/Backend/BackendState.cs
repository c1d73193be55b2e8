namespace ProxyD.Backend;

/// <summary>Where a backend stands, as the control plane sees it.</summary>
internal enum BackendState
{
    /// <summary>Nobody has needed it yet, or it went away after it had served.</summary>
    Unknown,

    /// <summary>Its start, or its thaw, was ordered and has not been carried out.</summary>
    Starting,

    /// <summary>Clients wait; it should be running, and attempts are made until it answers.</summary>
    Probing,

    /// <summary>The last attempt stood.</summary>
    Ready,

    /// <summary>It is being stopped or frozen because nobody needs it; who comes now waits until that is done, and is started for.</summary>
    Retiring,

    /// <summary>It is frozen, and the gate shut; the next client thaws it.</summary>
    Frozen,

    /// <summary>Its start failed, or it ended before it answered; a client that waits causes another start after a pause.</summary>
    Failed,
}
