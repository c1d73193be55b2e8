using BenchmarkDotNet.Attributes;
using ProxyD.Relay;

namespace ProxyD.Benchmarks;

/// <summary>From which size on a splice is cheaper than a copy: what RelayLimits.ScratchBytes and SpliceWorthwhileBytes are chosen by.</summary>
/// <remarks>A flow chooses by itself and can't be held to one way, so its system calls are made here without it.</remarks>
[MemoryDiagnoser]
public class CrossoverBenchmarks
{
    private TcpStream _stream = null!;

    [Params(64, 1024, 4096, 8192, 16 * 1024, 32 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Open() => _stream = new(bufferBytes: 1 << 20, RelayLimits.ScratchBytes, RelayLimits.KeptPipeCapacityBytes);

    [GlobalCleanup]
    public void Close() => _stream.Dispose();

    /// <summary>Through one connection, without a relay: what both others have in them besides.</summary>
    [Benchmark]
    public void Direct() => _stream.Direct(Bytes);

    [Benchmark(Baseline = true)]
    public void Copy() => _stream.Copy(Bytes);

    [Benchmark]
    public void Splice() => _stream.Splice(Bytes);
}
