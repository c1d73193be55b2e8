namespace ProxyD.Tests.Pure;

/// <summary>An idle time that is over while the program is still starting.</summary>
[Collection(StartsProcesses.Name)]
public sealed class ShortIdleTimeTests
{
    /// <summary>The moment that matters is short: each time is tried so often, side by side.</summary>
    private const int Runs = 4;

    [Theory]
    [InlineData("0")]
    [InlineData("1ms")]
    [InlineData("5ms")]
    [InlineData("50ms")]
    public async Task However_short_the_idle_time_the_daemon_ends_in_order(string time)
    {
        // Goal: the end must neither be lost because nobody could be told yet, nor trip over a host that is half built.
        await Task.WhenAll(Enumerable.Range(0, Runs).Select(async _ =>
        {
            (int exitCode, string output, string errors) = await ManagedProxyd.RunAsync(
                $"--listen=@proxyd-test-{Guid.NewGuid():N}", $"--exit-idle-time={time}", "127.0.0.1:1");
            Assert.True(exitCode == 0 && output.Length == 0, $"exit code {exitCode}\n{output}{errors}");
        }));
    }
}
