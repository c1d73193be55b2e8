using BenchmarkDotNet.Attributes;

namespace ProxyD.Benchmarks;

/// <summary>1 MiB of a bulk stream through pipes and scratch buffers of different sizes.</summary>
[MemoryDiagnoser]
public class BufferSizeBenchmarks
{
    private const int BulkBytes = 1 << 20;

    private TcpStream _stream = null!;

    /// <summary>Capacity of the pipe, and size of the scratch buffer.</summary>
    [Params(16 * 1024, 64 * 1024, 128 * 1024, 256 * 1024, 512 * 1024, 1024 * 1024)]
    public int Capacity { get; set; }

    [GlobalSetup]
    public void Open() => _stream = new(bufferBytes: BulkBytes, Capacity, Capacity);

    [GlobalCleanup]
    public void Close() => _stream.Dispose();

    [Benchmark]
    public void Copy() => _stream.Copy(BulkBytes);

    [Benchmark]
    public void Splice() => _stream.Splice(BulkBytes);
}
