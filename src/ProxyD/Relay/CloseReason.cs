namespace ProxyD.Relay;

/// <summary>Why a connection ended: exactly one for each.</summary>
internal enum CloseReason : byte
{
    /// <summary>Both sides sent FIN and everything was passed on.</summary>
    Finished,

    /// <summary>The client sent FIN, then stopped listening before the backend's answer was through.</summary>
    ClientGone,

    /// <summary>The client sent RST, or died; the backend was reset too.</summary>
    ClientReset,

    /// <summary>The backend sent RST, or died; the client got what came before, then RST.</summary>
    BackendReset,

    /// <summary>
    /// The backend sent RST before its first byte, or ended without one though the client had sent something: whatever the client
    /// asked for, this backend will not answer. So ends a connection that a dying backend had accepted.
    /// </summary>
    Unanswered,

    /// <summary>One half was closed and the other moved no byte for <see cref="RelayLimits.HalfCloseTimeoutMs"/>.</summary>
    HalfCloseTimeout,

    /// <summary>proxyd ended and the drain time had passed.</summary>
    Drained,

    /// <summary>The kernel refused to register the descriptors.</summary>
    NotWatchable,
}
