namespace ProxyD.Relay;

/// <summary>When a cold backend is tried again: after pauses that double, short ones while it is coming up, long ones while it is known to be down.</summary>
internal sealed class RetryPace(RelayLimits limits)
{
    private bool _isSlow;
    /// <summary>So many attempts come early.</summary>
    private const int EarlyAttempts = 20;

    private int _pauseMs = limits.RetryMinMs;
    private int _attempts;

    /// <summary>Not earlier than this.</summary>
    internal long NextMs { get; private set; }

    /// <summary>Whether the control plane knows that it will not come soon: then attempts cost the processor and bring nothing.</summary>
    /// <returns>Whether that is new.</returns>
    internal bool SetSlow(bool isSlow)
    {
        if (isSlow == _isSlow)
            return false;
        _isSlow = isSlow;
        Begin();
        return true;
    }

    /// <summary>The pauses begin anew.</summary>
    internal void Begin() => (_pauseMs, _attempts) = (limits.RetryMinMs, 0);

    /// <summary>An attempt failed.</summary>
    internal void OnFailure(long nowMs)
    {
        NextMs = nowMs + _pauseMs;
        int longestMs = _isSlow ? limits.RetrySlowMs : ++_attempts < EarlyAttempts ? limits.RetryEarlyMs : limits.RetryMaxMs;
        _pauseMs = Math.Min(_pauseMs * 2, longestMs);
    }

    /// <summary>It may be tried at once.</summary>
    internal void Now() => NextMs = 0;

    /// <summary>Nothing can be opened for want of descriptors.</summary>
    internal void OnShortage(long nowMs) => NextMs = nowMs + limits.ShortageRetryMs;
}
