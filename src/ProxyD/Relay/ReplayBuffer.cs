using System.Runtime.InteropServices;

namespace ProxyD.Relay;

/// <summary>A copy of all that a client has sent, for another backend should this one reset the connection unanswered.</summary>
/// <remarks>Native memory, so that only the pages that are written to count: a request of 400 bytes costs one.</remarks>
internal sealed unsafe class ReplayBuffer
{
    private readonly byte* _bytes = (byte*)NativeMemory.Alloc(RelayLimits.ReplayBytesMax);
    private int _sent;

    internal int Count { get; private set; }

    /// <summary>After <see cref="Rewind"/>: what is still to be sent.</summary>
    internal byte* Unsent => _bytes + _sent;

    internal int UnsentCount => Count - _sent;

    /// <summary>Keeps what has been read from the client and is passed on by the caller.</summary>
    /// <returns>False when it doesn't fit; then nothing of it is kept.</returns>
    internal bool TryAdd(byte* bytes, int count)
    {
        if (count > RelayLimits.ReplayBytesMax - Count)
            return false;
        Buffer.MemoryCopy(bytes, _bytes + Count, count, count);
        Count += count;
        _sent = Count;
        return true;
    }

    /// <summary>Everything is to be sent once more.</summary>
    internal void Rewind() => _sent = 0;

    internal void NoteSent(int count) => _sent += count;

    internal void Clear() => (Count, _sent) = (0, 0);

    internal void Free() => NativeMemory.Free(_bytes);
}

/// <summary>One thread's replay buffers: lent to one flow at a time, the last one returned lent first.</summary>
internal sealed class ReplayBuffers
{
    private readonly Stack<ReplayBuffer> _spares = new();

    internal int LentCount { get; private set; }

    internal ReplayBuffer Borrow()
    {
        LentCount++;
        return _spares.TryPop(out ReplayBuffer? spare) ? spare : new();
    }

    internal void Return(ReplayBuffer buffer)
    {
        LentCount--;
        // The next client must not send what this one did.
        buffer.Clear();
        if (_spares.Count < RelayLimits.SpareReplayBuffersMax)
            _spares.Push(buffer);
        else
            buffer.Free();
    }
}
