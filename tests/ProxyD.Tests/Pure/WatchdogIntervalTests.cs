using ProxyD.Activation;

namespace ProxyD.Tests.Pure;

/// <summary>How often WATCHDOG=1 is due, from the variables of sd_watchdog_enabled(3).</summary>
public sealed class WatchdogIntervalTests
{
    private const int Pid = 4711;

    [Theory]
    [InlineData("2000000", 1000)]
    [InlineData("30000000", 15_000)]
    [InlineData("3000", 1.5)]
    public void It_is_half_of_what_the_manager_grants(string usec, double expectedMs)
    {
        // Goal: as sd_watchdog_enabled(3) recommends, one lost message is not the end.
        Assert.Equal(TimeSpan.FromMilliseconds(expectedMs), Interval(usec, "4711"));
    }

    [Fact]
    public void Without_a_pid_it_is_meant_for_us()
    {
        // Goal: WATCHDOG_PID is optional.
        Assert.Equal(TimeSpan.FromSeconds(1), Interval("2000000", null));
    }

    [Theory]
    [InlineData("4712")]
    [InlineData("")]
    [InlineData("x")]
    public void A_watchdog_for_another_process_is_not_fed(string pid)
    {
        // Goal: a child must not speak for its parent.
        Assert.Null(Interval("2000000", pid));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("99999999999999999999")]
    public void Without_a_proper_time_there_is_no_watchdog(string? usec)
    {
        // Goal: nonsense in the environment costs the watchdog, not the service.
        Assert.Null(Interval(usec, "4711"));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("1999")]
    [InlineData("9223372036854775807")]
    public void The_interval_is_always_one_that_a_timer_takes(string usec)
    {
        // Goal: an extreme WATCHDOG_USEC must not end the daemon: PeriodicTimer takes 1 ms to 2^32 - 2 ms, or there is none.
        if (Interval(usec, "4711") is { } interval)
            Assert.InRange(interval.TotalMilliseconds, 1, uint.MaxValue - 1.0);
    }

    private static TimeSpan? Interval(string? usec, string? pid) =>
        ServiceManager.WatchdogInterval(name => name == "WATCHDOG_USEC" ? usec : pid, Pid);
}
