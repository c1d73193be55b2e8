using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

/// <summary>The pauses between two attempts at a cold backend.</summary>
public sealed class RetryPaceTests
{
    private readonly RetryPace _pace = new(new());

    [Fact]
    public void They_double_up_to_the_longest()
    {
        // Goal: a client waits at most five milliseconds longer than a quick backend needs, and ten longer than another.
        Assert.Equal([1, 2, 4, .. Enumerable.Repeat(5L, 17), 10, 10], Pauses(22));
        _pace.Begin();
        Assert.Equal([1, 2], Pauses(2));
    }

    [Fact]
    public void While_it_is_known_to_be_down_they_grow_further()
    {
        // Goal: a queue in front of a crash loop costs four attempts a second.
        Assert.True(_pace.SetSlow(true));
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 250, 250], Pauses(10));
        Assert.False(_pace.SetSlow(true));
        Assert.True(_pace.SetSlow(false));
        Assert.Equal([1, 2, 4, 5, 5], Pauses(5));
    }

    private long[] Pauses(int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        _pace.OnFailure(1_000);
        return _pace.NextMs - 1_000;
    })];
}
