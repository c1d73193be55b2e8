using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

public sealed class AmountTests
{
    [Theory]
    [InlineData(-5, "0 ms")]
    [InlineData(0, "0 ms")]
    [InlineData(999, "999 ms")]
    [InlineData(1_000, "1.0 s")]
    [InlineData(9_999, "9.9 s")]
    [InlineData(10_000, "10 s")]
    [InlineData(59_999, "59 s")]
    [InlineData(60_000, "1 min")]
    [InlineData(3_599_999, "59 min")]
    [InlineData(3_600_000, "1 h 0 min")]
    [InlineData(86_399_999, "23 h 59 min")]
    [InlineData(86_400_000, "1 d 0 h")]
    [InlineData(long.MaxValue, "106751991167 d 7 h")]
    public void A_time_is_told_in_two_figures(long ms, string expected) =>
        // Goal: the right unit on both sides of each border.
        Assert.Equal(expected, Amount.OfTime(ms));

    [Theory]
    [InlineData(-1, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1.0 kB")]
    [InlineData(999_949, "999.9 kB")]
    [InlineData(999_950, "1.0 MB")]
    [InlineData(33_140_000, "33.1 MB")]
    [InlineData(2_500_000_000_000, "2.5 TB")]
    [InlineData(long.MaxValue, "9.2 EB")]
    public void A_size_is_told_with_one_decimal(long bytes, string expected) =>
        // Goal: never "1000.0".
        Assert.Equal(expected, Amount.OfBytes(bytes));
}
