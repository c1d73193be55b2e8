using System.Diagnostics;

namespace ProxyD.EndToEnd;

/// <summary>Bounded waiting for something that can be asked for.</summary>
internal static class Wait
{
    /// <summary>The bound of waits that say no other: generous, because it only decides how long a failure takes.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(1);

    /// <summary>Asks until the answer is yes.</summary>
    /// <exception cref="TimeoutException">It was still no after the bound; the message says <paramref name="what"/>.</exception>
    public static void Until(Func<bool> condition, string what) => Until(condition, () => what);

    /// <summary>The same with a message that is built at the end, so that it can tell the last state seen.</summary>
    public static void Until(Func<bool> condition, Func<string> what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Bound)
                throw new TimeoutException($"waited {Bound.TotalSeconds} s in vain: {what()}");
            Thread.Sleep(s_pause);
        }
    }

    /// <summary>Keeps a pace: sleeps what is left of a span, if anything.</summary>
    public static void For(TimeSpan rest)
    {
        if (rest > TimeSpan.Zero)
            Thread.Sleep(rest);
    }

    /// <summary>Watches for the whole span that something stays true, for what must <i>not</i> happen.</summary>
    public static void While(TimeSpan span, TimeSpan every, Action check)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            check();
            Thread.Sleep(every);
        }
        while (Stopwatch.GetElapsedTime(start) < span);
    }
}
