using System.Net;
using System.Net.Sockets;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>What all connections have done, for who asks proxyd status.</summary>
public sealed class TotalsTests : IDisposable
{
    private readonly Socket _backend = RelayHarness.Listen(IPAddress.Loopback);

    private IPEndPoint Where => (IPEndPoint)_backend.LocalEndPoint!;

    public void Dispose() => _backend.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Live_and_ended_connections_are_summed_up(int threads)
    {
        // Goal: no byte is counted twice or missed when a connection ends, and whatever thread has it.
        using RelayHarness relay = new(new() { Threads = threads }, 0, Where);
        List<(Socket Client, Socket Backend)> pairs = [];
        for (int i = 0; i < 3; i++)
            pairs.Add(Exchange(relay));
        Assert.Equal(new ServiceTotals(Live: 3, Ended: 0, UpBytes: 24, DownBytes: 18, Unanswered: 0), await TotalsAsync(relay));
        pairs[0].Client.Dispose();
        pairs[0].Backend.Dispose();
        relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal(new ServiceTotals(Live: 2, Ended: 1, UpBytes: 24, DownBytes: 18, Unanswered: 0), await TotalsAsync(relay));
        pairs.Add(Exchange(relay));
        Assert.Equal(new ServiceTotals(Live: 3, Ended: 1, UpBytes: 32, DownBytes: 24, Unanswered: 0), await TotalsAsync(relay));
        foreach ((Socket client, Socket backend) in pairs)
        {
            client.Dispose();
            backend.Dispose();
        }
        relay.WaitFor(RelayEventKind.ConnectionEnded, count: 4);
        Assert.Equal(new ServiceTotals(Live: 0, Ended: 4, UpBytes: 32, DownBytes: 24, Unanswered: 0), await TotalsAsync(relay));
    }

    [Fact]
    public async Task What_ended_unanswered_is_counted_apart()
    {
        // Goal: it stays counted after the log has told of it.
        using RelayHarness relay = new(new(), 0, Where);
        using Socket client = relay.Connect();
        Socket upstream = RelayHarness.Accept(_backend);
        client.Send("question"u8);
        RelayHarness.ReadExactly(upstream, 8);
        RelayHarness.ResetNow(upstream);
        relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal(1, relay.Server.TakeUnanswered());
        Assert.Equal(new ServiceTotals(Live: 0, Ended: 1, UpBytes: 8, DownBytes: 0, Unanswered: 1), await TotalsAsync(relay));
    }

    [Fact]
    public void Who_was_reset_at_the_limit_is_counted()
    {
        // Goal: the log tells of a flood once in ten seconds, the count has them all.
        using RelayHarness relay = new(new() { ConnectionsMax = 1 }, 0, Where);
        using Socket served = relay.Connect();
        using Socket upstream = RelayHarness.Accept(_backend);
        for (int i = 1; i <= 3; i++)
        {
            using Socket rejected = relay.Connect();
            Assert.True(RelayHarness.EndsWithReset(rejected));
            // The client may know of its reset before the count does.
            Assert.True(SpinWait.SpinUntil(() => relay.Server.Rejected == i, TimeSpan.FromSeconds(10)), $"{relay.Server.Rejected} counted, expected {i}");
        }
    }

    /// <summary>A connection with eight bytes up and six down.</summary>
    private (Socket Client, Socket Backend) Exchange(RelayHarness relay)
    {
        Socket client = relay.Connect();
        Socket upstream = RelayHarness.Accept(_backend);
        client.Send("question"u8);
        RelayHarness.ReadExactly(upstream, 8);
        upstream.Send("answer"u8);
        RelayHarness.ReadExactly(client, 6);
        return (client, upstream);
    }

    private static async Task<ServiceTotals> TotalsAsync(RelayHarness relay)
    {
        ServiceTotals[][] ofThreads = await relay.Server.TotalsAsync().WaitAsync(RelayHarness.Patience, TestContext.Current.CancellationToken);
        return ofThreads.Select(Assert.Single).Aggregate((sum, totals) => sum + totals);
    }
}
