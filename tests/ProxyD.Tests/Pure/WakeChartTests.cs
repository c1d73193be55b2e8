using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>Wakes as bars.</summary>
public sealed class WakeChartTests
{
    [Theory]
    [InlineData(40, 40, "osssaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaarrbbb")]
    [InlineData(40, 80, "osaaaaaaaaaaaaaaaarb")]
    [InlineData(40, 4_000, "b")]
    [InlineData(20, 40, "osaaaaaaaaaaaaaaaarb")]
    public void A_bar_is_as_long_as_its_share_of_the_scale(int width, long scaleMs, string expected) =>
        // Goal: each letter stands for the same time, rounding adds nothing up, and no wake vanishes.
        Assert.Equal(expected, WakeChart.Bar(Wake(1, 4, 35, 35, 37, 40), scaleMs, width));

    [Theory]
    [InlineData(57, 57, "aaaaaaaaaaaaaaaaaaaa")]
    [InlineData(40, 57, "aaaaaaaaaaaaaarrrrrr")]
    public void What_did_not_happen_takes_no_room(long answers, long accepted, string expected) =>
        // Goal: a backend that others start, and a client that was sent nothing.
        Assert.Equal(expected, WakeChart.Bar(Wake(null, null, answers, answers, accepted, null), 57, 20));

    [Fact]
    public void Moments_out_of_order_and_negative_ones_break_nothing()
    {
        // Goal: the answer comes from another process; whatever it says is at most a bar of full width.
        Assert.Equal("oooooooooo", WakeChart.Bar(Wake(100, 4, 35, -5, 37, 40), 10, 10));
        Assert.Equal("b", WakeChart.Bar(Wake(null, null, null, null, null, 0), 0, 10));
        Assert.Equal("a", WakeChart.Bar(Wake(null, null, long.MinValue, null, null, null), long.MaxValue, 10));
    }

    [Fact]
    public void The_last_ones_come_first_on_one_scale_beside_failures_with_their_cause()
    {
        // Goal: at most as many as wanted; a failed wait of seconds makes no other bar short.
        StatusWake[] wakes =
        [
            Wake(1, 1, 1, 1, 1, 1) with { AgoMs = 900_000 },
            Wake(0, 10, 20, 20, 20, 20) with { AgoMs = 200_000, Clients = 12 },
            Wake(0, null, null, null, null, null) with { AgoMs = 70_000, EndedMs = 5_000, Problem = "web.service is masked" },
            Wake(0, 5, 10, 10, 10, 10) with { AgoMs = 2_500 },
        ];
        Assert.Equal(
            """
            LAST WAKES  CLIENTS    MS  0 to 20 ms
            2.5 s ago         1    10  sssaa
            1 min ago         -  5000  failed: web.service is masked
            3 min ago        12    20  sssssaaaaa
            waited until: o start ordered, s carried out, a backend answers, r client accepted, b first byte

            """,
            WakeChart.Format(wakes, most: 3, width: 0));
    }

    [Fact]
    public void Without_a_bar_nothing_explains_one()
    {
        // Goal: only failures, no scale and no legend.
        Assert.Equal(
            "LAST WAKES  CLIENTS  MS\n5 ms ago          -  12  failed: no\n",
            WakeChart.Format([Wake(0, null, null, null, null, null) with { EndedMs = 12, Problem = "no" }], most: 10, width: 80));
    }

    [Theory]
    [InlineData(50, 25)]
    [InlineData(80, 55)]
    [InlineData(300, 60)]
    public void A_wider_terminal_has_longer_bars(int width, int bar)
    {
        // Goal: the longest wake fills what is left of the line, up to a bound.
        string line = WakeChart.Format([Wake(1, 2, 3, 3, 3, 4)], most: 1, width).Split('\n')[1];
        Assert.Equal(bar, line.Split(' ')[^1].Length);
    }

    private static StatusWake Wake(long? ordered, long? started, long? answers, long? ready, long? accepted, long? firstByte) =>
        new(5, 1, ordered, started, answers, ready, accepted, firstByte, null, null);
}
