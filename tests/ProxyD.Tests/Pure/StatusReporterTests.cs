using Microsoft.Extensions.Logging.Abstractions;
using ProxyD.Activation;
using ProxyD.Backend;
using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

/// <summary>The status line and the idle time, over a data plane whose threads were not started.</summary>
public sealed class StatusReporterTests
{
    /// <summary>Time enough for a timer of a few milliseconds on a machine that is busy with other tests.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void The_text_counts_connections_and_names_nobody_without_waiting_clients()
    {
        // Goal: the line that systemctl status shows right after the start.
        using StatusReporter status = Reporter(idleTime: null, () => { });
        Assert.Equal("0 connections", status.Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200)]
    public async Task The_idle_time_ends_when_no_client_ever_came(int idleMs)
    {
        // Goal: --exit-idle-time counts from the start, not from the first client; 0 is over at once.
        TaskCompletionSource over = new();
        using StatusReporter status = Reporter(TimeSpan.FromMilliseconds(idleMs), over.SetResult);
        // What the daemon says once, when its listeners have been looked at.
        status.Changed();
        await over.Task.WaitAsync(s_patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_change_begins_the_idle_time_anew()
    {
        // Goal: activity in time keeps the daemon; the last change is what counts.
        const int IdleMs = 1000;
        // Half of it: the time counts from somewhere between two marks.
        await Pace.KeepAsync(IdleMs / 2, async pace =>
        {
            TaskCompletionSource over = new();
            using StatusReporter status = Reporter(TimeSpan.FromMilliseconds(IdleMs), () => over.TrySetResult());
            pace.Mark();
            status.Changed();
            for (int i = 0; i < 6; i++)
            {
                await Task.Delay(200, TestContext.Current.CancellationToken);
                pace.Mark();
                status.Changed();
            }
            Assert.False(over.Task.IsCompleted);
            pace.End();
            await over.Task.WaitAsync(s_patience, TestContext.Current.CancellationToken);
        });
    }

    [Fact]
    public async Task Without_an_idle_time_nobody_is_told()
    {
        // Goal: infinity is the default and means it.
        bool told = false;
        using StatusReporter status = Reporter(idleTime: null, () => told = true);
        status.Changed();
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(told);
    }

    private static Backend.Backend Nobody(RelayServer relay)
    {
        Assert.True(Interop.Address.TryParse("127.0.0.1:18080", null, out Interop.Address? address, out _));
        ControlQueue control = new();
        return new(address, new NoActivator(), new RelayGate(relay, 0, control), control, probe: null, sleep: null, NullLogger.Instance);
    }

    private static StatusReporter Reporter(TimeSpan? idleTime, Action idleTimeOver)
    {
        ServiceSettings settings = new()
        {
            Index = 0,
            Listeners = [new(-1, ListenerKind.Tcp)],
            Addresses = [],
            NeedsResolver = false,
            HoldTimeoutMs = null,
        };
        RelayServer relay = new(new(), [settings], _ => { });
        return new(relay, [Nobody(relay)], new ServiceManager(), new(), idleTime, idleTimeOver);
    }
}
