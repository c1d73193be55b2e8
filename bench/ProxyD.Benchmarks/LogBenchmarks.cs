using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging;
using ProxyD.Observability;
using ProxyD.Relay;

namespace ProxyD.Benchmarks;

/// <summary>An event below the log level: what each connection pays for lines that nobody has asked for.</summary>
[MemoryDiagnoser]
public class LogBenchmarks
{
    private readonly ILoggerFactory _logs = LogSetup.Create("info", toJournal: false);
    private readonly ILogger _log;

    public LogBenchmarks() => _log = _logs.CreateLogger("");

    [GlobalCleanup]
    public void Close() => LogSetup.Close(_logs);

    /// <summary>As at the end of each connection; its reason is an enum, which a call must box.</summary>
    [Benchmark]
    public void DisabledWithEnum() => _log.ConnectionEnded("127.0.0.1:8080", CloseReason.Finished, upBytes: 100, downBytes: 1000);

    [Benchmark]
    public void DisabledWithTexts() => _log.WaitBegan("127.0.0.1:8080", "refused");
}
