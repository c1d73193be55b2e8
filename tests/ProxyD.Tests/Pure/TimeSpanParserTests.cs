using ProxyD.Units;

namespace ProxyD.Tests.Pure;

public sealed class TimeSpanParserTests
{
    private const double Ms = 1;
    private const double S = 1000;
    private const double Min = 60 * S;
    private const double Hour = 60 * Min;
    private const double Day = 24 * Hour;

    [Theory]
    [InlineData("5s", 5 * S)]
    [InlineData("500ms", 500 * Ms)]
    [InlineData("1min 30s", 90 * S)]
    [InlineData("1min30s", 90 * S)]
    [InlineData("300", 300 * S)]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("1h", Hour)]
    [InlineData("1.5s", 1.5 * S)]
    [InlineData(".5s", 0.5 * S)]
    [InlineData("0.25", 0.25 * S)]
    [InlineData("5 s", 5 * S)]
    [InlineData("  5s  ", 5 * S)]
    [InlineData("5h30", (5 * Hour) + (30 * S))]
    [InlineData("1d 2hr 3min 4sec 5msec 6usec", Day + (2 * Hour) + (3 * Min) + (4 * S) + 5.006)]
    [InlineData("3 7", 10 * S)]
    public void A_span_is_the_sum_of_its_parts(string text, double expectedMs)
    {
        // Goal: what people write in unit files means the same here.
        Assert.True(TimeSpanParser.TryParse(text, out TimeSpan? span));
        Assert.Equal(TimeSpan.FromMilliseconds(expectedMs), span);
    }

    [Theory]
    [InlineData("us", 0.001), InlineData("usec", 0.001), InlineData("µs", 0.001), InlineData("μs", 0.001)]
    [InlineData("ms", Ms), InlineData("msec", Ms)]
    [InlineData("", S), InlineData("s", S), InlineData("sec", S), InlineData("second", S), InlineData("seconds", S)]
    [InlineData("m", Min), InlineData("min", Min), InlineData("minute", Min), InlineData("minutes", Min)]
    [InlineData("h", Hour), InlineData("hr", Hour), InlineData("hour", Hour), InlineData("hours", Hour)]
    [InlineData("d", Day), InlineData("day", Day), InlineData("days", Day)]
    [InlineData("w", 7 * Day), InlineData("week", 7 * Day), InlineData("weeks", 7 * Day)]
    public void Every_unit_of_systemd_time_is_known(string unit, double expectedMs)
    {
        // Goal: no unit is missing; both signs for micro (U+00B5, U+03BC) count.
        Assert.True(TimeSpanParser.TryParse("3" + unit, out TimeSpan? span));
        Assert.Equal(TimeSpan.FromMilliseconds(3 * expectedMs), span);
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData(" infinity ")]
    public void Infinity_is_accepted_and_is_no_number(string text)
    {
        // Goal: "for ever" is null, never a very large timer.
        Assert.True(TimeSpanParser.TryParse(text, out TimeSpan? span));
        Assert.Null(span);
    }

    [Theory]
    [InlineData("24d", 24 * Day)]
    [InlineData("2147483647ms", int.MaxValue)]
    [InlineData("2147483648ms", int.MaxValue)]
    [InlineData("1M", int.MaxValue), InlineData("1month", int.MaxValue), InlineData("1months", int.MaxValue)]
    [InlineData("1y", int.MaxValue), InlineData("1year", int.MaxValue), InlineData("100years", int.MaxValue)]
    public void A_span_that_no_timer_takes_becomes_the_longest_that_one_does(string text, double expectedMs)
    {
        // Goal: at the limit of 2^31 - 1 ms nothing overflows.
        Assert.True(TimeSpanParser.TryParse(text, out TimeSpan? span));
        Assert.Equal(TimeSpan.FromMilliseconds(expectedMs), span);
    }

    [Theory]
    [InlineData(""), InlineData("   "), InlineData("s"), InlineData("."), InlineData("abc")]
    [InlineData("-5s"), InlineData("5s -3s"), InlineData("5s,"), InlineData("5s;3s"), InlineData("5s x")]
    [InlineData("1.2.3s"), InlineData("1..5s"), InlineData("5.5.s"), InlineData("5."), InlineData("5.s")]
    [InlineData("1e3s"), InlineData("0x10"), InlineData("1_000"), InlineData("1,5s"), InlineData("٣s")]
    [InlineData("5S"), InlineData("5MS"), InlineData("5ns"), InlineData("5msecs"), InlineData("5mins"), InlineData("5m in")]
    [InlineData("5fortnights"), InlineData("infinity5"), InlineData("Infinity"), InlineData("infinity 5s")]
    [InlineData("99999999999999999999s")]
    public void What_systemd_refuses_is_refused(string text)
    {
        // Goal: a typing error is told to the user, never read as some other time.
        Assert.False(TimeSpanParser.TryParse(text, out TimeSpan? span), $"'{text}' was read as {span}");
    }
}
