using System.Diagnostics;

namespace ProxyD.Tests;

/// <summary>
/// For tests that must themselves be in time: they do something again and again before a time-out of the code under test ends. A
/// machine that stands still for a second breaks that without any defect, so such a round is made again.
/// </summary>
/// <param name="limitMs">A pause so long spoils the round.</param>
internal sealed class Pace(int limitMs)
{
    private const int RoundsMax = 20;

    private readonly Stopwatch _sinceMark = new();
    private long _longestMs;

    /// <summary>No pause between two marks was too long, nor is the one since the last.</summary>
    internal bool IsKept => Math.Max(_longestMs, _sinceMark.ElapsedMilliseconds) < limitMs;

    /// <summary>Makes rounds until one has kept the pace; what fails in another tells nothing.</summary>
    internal static async Task KeepAsync(int limitMs, Func<Pace, Task> round)
    {
        for (int i = 1; ; i++)
        {
            Pace pace = new(limitMs);
            try
            {
                await round(pace);
            }
            catch (Exception) when (!pace.IsKept)
            {
                // The time-out may have struck in the pause.
            }
            if (pace.IsKept)
                return;
            Assert.True(i < RoundsMax, $"{RoundsMax} rounds had a pause of {limitMs} ms: this machine is too slow");
        }
    }

    /// <inheritdoc cref="KeepAsync"/>
    internal static void Keep(int limitMs, Action<Pace> round) => KeepAsync(
        limitMs,
        pace =>
        {
            round(pace);
            return Task.CompletedTask;
        }).GetAwaiter().GetResult();

    /// <summary>Ends a pause and begins the next; the first mark begins the first.</summary>
    internal void Mark()
    {
        _longestMs = Math.Max(_longestMs, _sinceMark.ElapsedMilliseconds);
        _sinceMark.Restart();
    }

    /// <summary>Ends the last pause: from now on time doesn't matter.</summary>
    internal void End()
    {
        Mark();
        _sinceMark.Reset();
    }
}
