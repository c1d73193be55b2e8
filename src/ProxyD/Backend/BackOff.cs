namespace ProxyD.Backend;

/// <summary>The pause before the next start of a backend that keeps failing: doubled each time, forgiven when it has served.</summary>
internal sealed class BackOff
{
    internal const int MinMs = 100;
    internal const int MaxMs = 30_000;

    private int _nextMs = MinMs;

    /// <summary>The pause after this failure.</summary>
    internal int Next()
    {
        int pauseMs = _nextMs;
        _nextMs = Math.Min(pauseMs * 2, MaxMs);
        return pauseMs;
    }

    internal void Forgive() => _nextMs = MinMs;
}
