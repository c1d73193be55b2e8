using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>Backend connections that stand but found no client: kept a moment for the next one, so the backend sees no phantom.</summary>
internal sealed class SpareConnections(int lifetimeMs)
{
    private readonly Queue<(int Fd, long SinceMs)> _spares = new();

    /// <summary>When the oldest is to be closed, or <see cref="long.MaxValue"/>.</summary>
    internal long NextDueMs => _spares.TryPeek(out (int Fd, long SinceMs) oldest) ? oldest.SinceMs + lifetimeMs : long.MaxValue;

    internal void Add(int fd, long nowMs) => _spares.Enqueue((fd, nowMs));

    /// <summary>One that the backend has not closed meanwhile, or -1.</summary>
    internal int Take()
    {
        while (_spares.TryDequeue(out (int Fd, long SinceMs) spare))
        {
            if (Dialer.IsUsable(spare.Fd))
                return spare.Fd;
            Libc.close(spare.Fd);
        }
        return -1;
    }

    internal void CloseDue(long nowMs)
    {
        while (NextDueMs <= nowMs)
            Libc.close(_spares.Dequeue().Fd);
    }

    internal void CloseAll() => CloseDue(long.MaxValue - 1);
}
