using System.Diagnostics;
using Xunit.Sdk;

namespace ProxyD.BlackBox.Harness;

/// <summary>Waiting for something that another process does: polled, bounded, and saying what was missed.</summary>
internal static class Wait
{
    /// <summary>Generous, for a machine with two busy cores: a test that passes never waits this long.</summary>
    public const int DefaultTimeoutMs = 10_000;

    public static void Until(Func<bool> condition, string what, int timeoutMs = DefaultTimeoutMs)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start).TotalMilliseconds > timeoutMs)
                throw new TimeoutException($"waited {timeoutMs} ms in vain: {what}");
            Thread.Sleep(2);
        }
    }

    /// <summary>Watches for a while that something stays so; the only honest proof that nothing happens.</summary>
    public static void While(Func<bool> condition, string what, int durationMs)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < durationMs)
        {
            if (!condition())
                throw new InvalidOperationException($"ended after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms: {what}");
            Thread.Sleep(2);
        }
    }

    /// <summary>
    /// For a figure of the subject that also moves by itself now and then, or that a stalled machine spoils: a defect shows in
    /// every round, a stall in one. That is so only if each round starts a subject of its own.
    /// </summary>
    public static void ForOneGoodRound(Action round, int rounds = 3)
    {
        for (int i = 1; ; i++)
        {
            try
            {
                round();
                return;
            }
            catch (XunitException e) when (i < rounds)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"round {i} of {rounds}: {e.Message}");
            }
        }
    }

    /// <summary>Gives the subject time to do what it does with clients whose backend is away; nothing shows that from outside.</summary>
    public static void ForTheSubjectToTry(int durationMs = 200) => Thread.Sleep(durationMs);
}
