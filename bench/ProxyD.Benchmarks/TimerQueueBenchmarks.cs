using BenchmarkDotNet.Attributes;
using ProxyD.Relay;

namespace ProxyD.Benchmarks;

/// <summary>The timer queue with many timers armed already, as in a loop with as many half-closed connections.</summary>
[MemoryDiagnoser]
public class TimerQueueBenchmarks
{
    private const int SpreadMs = 600_000;

    private readonly TimerQueue _timers = new();
    private readonly LoopTimer _timer = new(_ => { });
    private readonly LoopTimer _moving = new(_ => { });

    // Every run draws the same due times.
    private uint _random = 1;

    [Params(16, 10_000)]
    public int Armed { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        for (int i = 1; i < Armed; i++)
            _timers.Arm(new(_ => { }), NextDueMs());
        _timers.Arm(_moving, NextDueMs());
    }

    [Benchmark]
    public void ArmAndCancel()
    {
        _timers.Arm(_timer, NextDueMs());
        _timers.Cancel(_timer);
    }

    /// <summary>What a timer costs that is put off again and again.</summary>
    [Benchmark]
    public void ArmAnew() => _timers.Arm(_moving, NextDueMs());

    [Benchmark]
    public void ArmAndFire()
    {
        _timers.Arm(_timer, 0);
        _timers.FireDue(0);
    }

    /// <summary>Between 1 and <see cref="SpreadMs"/>; a linear congruential step, so that drawing costs next to nothing.</summary>
    private long NextDueMs()
    {
        _random = (_random * 1_664_525) + 1_013_904_223;
        return 1 + (_random % SpreadMs);
    }
}
