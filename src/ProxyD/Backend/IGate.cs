namespace ProxyD.Backend;

/// <summary>The door between a backend's clients and the backend: the data plane, as backends see it.</summary>
internal interface IGate
{
    /// <summary>Clients known to wait.</summary>
    int Waiting { get; }

    /// <summary>Connections that are relayed.</summary>
    int Live { get; }

    /// <summary>Nobody gets through until <see cref="Open"/>; who comes waits, and the first one is told of as a wait that began.</summary>
    /// <param name="shut">Called on the control queue when that holds, with what was to be seen by then; null if nobody needs to know.</param>
    void Shut(Action<GateView>? shut);

    /// <summary>Whoever waits is taken to the backend.</summary>
    void Open();

    /// <summary>Whether the backend may answer any moment; otherwise it is tried seldom, in case somebody else has started it.</summary>
    void ExpectSoon(bool soon);

    /// <summary>Resets everybody who waits now.</summary>
    void ResetWaiting();

    /// <summary>Calls back on the control queue at the next byte that a live connection moves; null never.</summary>
    void TellNextMove(Action? tell);
}

/// <summary>What is to be seen at a shut gate.</summary>
/// <param name="Waiting">Clients that wait.</param>
/// <param name="Live">Connections that are relayed.</param>
/// <param name="LastMoveMs">When one of those last moved bytes, by <see cref="ISchedule.NowMs"/>; 0 without any.</param>
internal readonly record struct GateView(int Waiting, int Live, long LastMoveMs);
