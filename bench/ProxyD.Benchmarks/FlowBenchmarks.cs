using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using ProxyD.Interop;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Benchmarks;

/// <summary>One flow, driven as a connection drives it: bytes go in at the client's end and come out at the backend's.</summary>
/// <remarks>
/// Each benchmark has a twin without the pump, which only sends and receives the same bytes over one socket pair; the
/// difference is what the pump costs.
/// </remarks>
[MemoryDiagnoser]
public unsafe class FlowBenchmarks
{
    private const int SmallBytes = 64;
    private const int PageBytes = 4096;
    private const int BulkBytes = 1 << 20;

    /// <summary>A bulk stream comes in pieces that a Unix socket's buffer takes whole.</summary>
    private const int PieceBytes = 64 * 1024;

    private readonly SocketPair _client = new();
    private readonly SocketPair _backend = new();
    private readonly SocketPair _direct = new();
    private readonly Worker _worker = new(new RelayLimits(), _ => { });
    private readonly byte* _buffer = (byte*)NativeMemory.AllocZeroed(PieceBytes);
    private Endpoint _source;
    private Endpoint _target;
    private Flow _flow;

    public FlowBenchmarks()
    {
        // Nobody passes descriptors here, so the rule for TCP holds: a short read has drained the socket.
        _source.Open(_client.Inner, isTcp: true);
        _target.Open(_backend.Inner, isTcp: true);
    }

    [GlobalCleanup]
    public void Close()
    {
        _flow.Release(_worker);
        _client.Dispose();
        _backend.Dispose();
        _direct.Dispose();
        NativeMemory.Free(_buffer);
    }

    [Benchmark]
    public void Direct64B() => Exchange(_direct.Outer, _direct.Inner, SmallBytes);

    [Benchmark]
    public void Copy64B() => Relay(SmallBytes);

    [Benchmark]
    public void Direct4KiB() => Exchange(_direct.Outer, _direct.Inner, PageBytes);

    [Benchmark]
    public void Copy4KiB() => Relay(PageBytes);

    [Benchmark]
    public void Direct1MiB()
    {
        for (int sent = 0; sent < BulkBytes; sent += PieceBytes)
            Exchange(_direct.Outer, _direct.Inner, PieceBytes);
    }

    [Benchmark]
    public void Splice1MiB()
    {
        for (int sent = 0; sent < BulkBytes; sent += PieceBytes)
            Relay(PieceBytes);
    }

    private void Relay(int count)
    {
        Send(_client.Outer, count);
        _source.Absorb(EPOLLIN);
        PumpResult result = new Pump(ref _flow, ref _source, ref _target, _worker).Run();
        if (result != PumpResult.Waiting)
            throw new InvalidOperationException($"the pump came back with {result}");
        Receive(_backend.Outer, count);
    }

    private void Exchange(int from, int to, int count)
    {
        Send(from, count);
        Receive(to, count);
    }

    private void Send(int fd, int count)
    {
        if (Libc.send(fd, _buffer, (nuint)count, MSG_NOSIGNAL) != count)
            throw new InvalidOperationException($"a send of {count} bytes was short");
    }

    private void Receive(int fd, int count)
    {
        // A stream that was spliced comes out in the pieces the pipe made of it.
        for (int got = 0; got < count;)
            got += SysResult.From(Libc.recv(fd, _buffer, (nuint)(count - got), 0)).OrThrow("recv");
    }
}
