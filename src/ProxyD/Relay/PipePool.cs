using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>A kernel pipe: the place where spliced bytes are between two sockets.</summary>
/// <param name="isKept">It goes back to the pool's spares; others serve once.</param>
internal sealed class Pipe(int readFd, int writeFd, int capacityBytes, bool isKept)
{
    internal int ReadFd { get; } = readFd;
    internal int WriteFd { get; } = writeFd;
    internal int CapacityBytes { get; } = capacityBytes;
    internal bool IsKept { get; } = isKept;
}

/// <summary>One thread's pipes: made when first needed, lent to one flow at a time, bounded.</summary>
/// <remarks>
/// Only empty pipes come back. One with bytes in it is closed, or the next client would read another client's data.
/// The first few are large and are kept; those made while all of these are in use are smaller and serve once.
/// </remarks>
/// <param name="pipesMax">Pipes at most, lent and spare.</param>
/// <param name="keptPipesMax">So many of them are large and kept.</param>
/// <param name="descriptorCeiling"><see cref="RelayLimits.DescriptorCeiling"/>.</param>
internal sealed unsafe class PipePool(int pipesMax, int keptPipesMax, int descriptorCeiling = int.MaxValue)
{
    /// <summary>After the kernel refused a proper pipe: how long not to ask again. Asking costs four or five system calls.</summary>
    internal const int RefusalPauseMs = 100;

    private readonly Stack<Pipe> _spares = new();
    private int _lent;
    private int _kept;
    private long _askAgainMs;

    /// <summary>Pipes open now, lent and spare.</summary>
    internal int OpenCount => _lent + _spares.Count;

    internal int SpareCount => _spares.Count;

    /// <summary>Whether the next <see cref="Borrow"/> gives a pipe; makes one if the bound and the kernel allow.</summary>
    internal bool Ensure(long nowMs)
    {
        if (_spares.Count > 0)
            return true;
        if (OpenCount >= pipesMax || nowMs < _askAgainMs)
            return false;
        if (Create() is not { } pipe)
        {
            _askAgainMs = nowMs + RefusalPauseMs;
            return false;
        }
        _spares.Push(pipe);
        return true;
    }

    /// <summary>An empty pipe, or null at the bound or when the kernel has no proper one.</summary>
    internal Pipe? Borrow(long nowMs)
    {
        if (!Ensure(nowMs))
            return null;
        _lent++;
        return _spares.Pop();
    }

    /// <summary>Takes a pipe back from its flow.</summary>
    /// <param name="pipe">A pipe from <see cref="Borrow"/>.</param>
    /// <param name="pipedBytes">What is still in it; anything but zero closes it.</param>
    internal void Return(Pipe pipe, int pipedBytes)
    {
        _lent--;
        if (pipedBytes == 0 && pipe.IsKept)
            _spares.Push(pipe);
        else
            Close(pipe);
    }

    private Pipe? Create()
    {
        int* fds = stackalloc int[2];
        if (Libc.pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
            return null;
        bool isKept = _kept < keptPipesMax;
        if (isKept)
            Libc.fcntl(fds[1], F_SETPIPE_SZ, RelayLimits.KeptPipeCapacityBytes);
        // Growing may be refused (pipe-max-size, pipe-user-pages-soft), and the pipe may have been born with two pages
        // only, without an error: ask what we really got.
        SysResult capacity = SysResult.From(Libc.fcntl(fds[1], F_GETPIPE_SZ, 0));
        Pipe pipe = new(fds[0], fds[1], capacity.Value, isKept);
        _kept += isKept ? 1 : 0;
        if (capacity.Ok && capacity.Value >= RelayLimits.PipeCapacityMinBytes && fds[1] < descriptorCeiling)
            return pipe;
        Close(pipe);
        return null;
    }

    private void Close(Pipe pipe)
    {
        _kept -= pipe.IsKept ? 1 : 0;
        Libc.close(pipe.ReadFd);
        Libc.close(pipe.WriteFd);
    }
}
