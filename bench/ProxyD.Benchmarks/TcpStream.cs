using System.Runtime.InteropServices;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Benchmarks;

/// <summary>From one TCP connection into another by the two ways a flow has, called as it calls them; or through one alone.</summary>
internal sealed unsafe class TcpStream : IDisposable
{
    private readonly TcpPair _client = new();
    private readonly TcpPair _backend = new();
    private readonly int _bufferBytes;
    private readonly byte* _buffer;
    private readonly byte* _scratch;
    private readonly int _scratchBytes;
    private readonly int _pipeRead;
    private readonly int _pipeWrite;

    /// <param name="bufferBytes">What client and backend send and receive at once.</param>
    /// <param name="scratchBytes">What copying reads at once.</param>
    /// <param name="pipeBytes">What splicing reads at once.</param>
    internal TcpStream(int bufferBytes, int scratchBytes, int pipeBytes)
    {
        (_bufferBytes, _scratchBytes) = (bufferBytes, scratchBytes);
        _buffer = (byte*)NativeMemory.AllocZeroed((nuint)bufferBytes);
        _scratch = (byte*)NativeMemory.AlignedAlloc((nuint)scratchBytes, 4096);
        int* fds = stackalloc int[2];
        SysResult.From(Libc.pipe2(fds, O_NONBLOCK | O_CLOEXEC)).OrThrow("pipe2");
        (_pipeRead, _pipeWrite) = (fds[0], fds[1]);
        PipeBytes = SysResult.From(Libc.fcntl(_pipeWrite, F_SETPIPE_SZ, pipeBytes)).OrThrow("F_SETPIPE_SZ");
    }

    internal int PipeBytes { get; }

    public void Dispose()
    {
        Libc.close(_pipeRead);
        Libc.close(_pipeWrite);
        NativeMemory.Free(_buffer);
        NativeMemory.AlignedFree(_scratch);
        _client.Dispose();
        _backend.Dispose();
    }

    internal void Direct(int bytes)
    {
        for (int sent = 0, got = 0; got < bytes;)
        {
            sent += Send(_client.Outer, bytes - sent);
            got += Receive(_client.Inner, bytes - got);
        }
    }

    /// <summary>recv(2) and send(2); a short read has drained the source.</summary>
    internal void Copy(int bytes)
    {
        for (int sent = 0, got = 0; got < bytes;)
        {
            sent += Send(_client.Outer, bytes - sent);
            int read;
            do
            {
                read = Moved(Libc.recv(_client.Inner, _scratch, (nuint)_scratchBytes, 0));
                for (int written = 0; written < read; got += Receive(_backend.Outer, bytes - got))
                    written += Moved(Libc.send(_backend.Inner, _scratch + written, (nuint)(read - written), MSG_NOSIGNAL));
            }
            while (read == _scratchBytes);
            got += Receive(_backend.Outer, bytes - got);
        }
    }

    /// <summary>splice(2) in and out, until the source says that it is drained.</summary>
    internal void Splice(int bytes)
    {
        const uint flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
        for (int sent = 0, got = 0; got < bytes;)
        {
            sent += Send(_client.Outer, bytes - sent);
            while (Moved(Libc.splice(_client.Inner, null, _pipeWrite, null, (nuint)PipeBytes, flags)) is > 0 and var piped)
            {
                for (; piped > 0; got += Receive(_backend.Outer, bytes - got))
                    piped -= Moved(Libc.splice(_pipeRead, null, _backend.Inner, null, (nuint)piped, flags));
            }
            got += Receive(_backend.Outer, bytes - got);
        }
    }

    private int Send(int fd, int most) =>
        most == 0 ? 0 : Moved(Libc.send(fd, _buffer, (nuint)Math.Min(most, _bufferBytes), MSG_NOSIGNAL));

    private int Receive(int fd, int most) =>
        most == 0 ? 0 : Moved(Libc.recv(fd, _buffer, (nuint)Math.Min(most, _bufferBytes), 0));

    private static int Moved(nint result)
    {
        SysResult moved = SysResult.From(result);
        return moved.WouldBlock ? 0 : moved.OrThrow("a transfer");
    }
}
