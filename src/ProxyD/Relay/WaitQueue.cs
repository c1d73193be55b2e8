namespace ProxyD.Relay;

/// <summary>When each client that waits in one listen queue arrived, oldest first. The clients themselves are in the kernel.</summary>
internal sealed class WaitQueue
{
    private long[] _arrivalMs = new long[16];
    private int _head;

    internal int Count { get; private set; }

    /// <summary>Arrival of the client that accept(2) would give next.</summary>
    internal long OldestMs => _arrivalMs[_head];

    internal void Add(long nowMs)
    {
        if (Count == _arrivalMs.Length)
            Grow();
        _arrivalMs[(_head + Count) % _arrivalMs.Length] = nowMs;
        Count++;
    }

    internal void RemoveOldest()
    {
        _head = (_head + 1) % _arrivalMs.Length;
        Count--;
    }

    /// <summary>Makes the count what the kernel says: whoever is new arrived now; who left, left from the front.</summary>
    internal void SyncTo(int count, long nowMs)
    {
        while (Count > count)
            RemoveOldest();
        while (Count < count)
            Add(nowMs);
    }

    private void Grow()
    {
        long[] larger = new long[Count * 2];
        for (int i = 0; i < Count; i++)
            larger[i] = _arrivalMs[(_head + i) % _arrivalMs.Length];
        (_arrivalMs, _head) = (larger, 0);
    }
}
