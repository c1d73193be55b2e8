using System.Net.Sockets;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A connection that a dying backend has reset unanswered is taken to the next one, whole, in order, and once.</summary>
public sealed class RetryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_in_the_backlog_of_a_listener_that_closes_is_answered_by_the_next_backend(bool unix)
    {
        // Goal: what a backend had not even accepted when it died costs its client nothing but time.
        using RetryWorld world = new(unix);
        using Socket client = world.ClientThatWaits("question"u8.ToArray());
        world.Relay.WaitFor(RelayEventKind.WaitBegan);
        world.StartBackend();
        using Socket upstream = world.Accept();
        Assert.Equal("question"u8.ToArray(), RelayHarness.ReadExactly(upstream, 8));
        upstream.Send("answer"u8);
        Assert.Equal("answer"u8.ToArray(), RelayHarness.ReadExactly(client, 6));
        world.Relay.WaitFor(RelayEventKind.WaitAnswered);
        world.Relay.WaitFor(RelayEventKind.FirstByte);
        client.Dispose();
        upstream.Dispose();
        RelayEvent end = world.Relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal((CloseReason.Finished, 8, 6), (end.Reason, end.UpBytes, end.DownBytes));
        Assert.Equal((1, 8), (world.Count(RelayEventKind.ConnectionRetried), world.Relay.WaitFor(RelayEventKind.ConnectionRetried).UpBytes));
        Assert.Equal(0, world.Relay.Server.TakeUnanswered());
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public void A_body_that_a_backend_read_before_its_reset_arrives_once_more_and_the_rest_behind_it(bool unix, int threads)
    {
        // Goal: bytes kept, bytes that came while it waited, and bytes that come later are one stream without seam.
        using RetryWorld world = new(unix, limits: new() { Threads = threads });
        byte[] body = RetryWorld.Numbered(50 * 1024);
        for (int round = 0; round < 4; round++)
        {
            using Socket client = world.ClientAfterReadAndReset(body);
            RelayHarness.Eventually(() => world.Relay.Server.WaitingFor(0) == 1, "the connection waits");
            client.Send(RetryWorld.Numbered(10_000, salt: 1));
            world.StartBackend();
            using Socket upstream = world.Accept();
            Assert.Equal(body, RelayHarness.ReadExactly(upstream, body.Length));
            Assert.Equal(RetryWorld.Numbered(10_000, salt: 1), RelayHarness.ReadExactly(upstream, 10_000));
            RetryWorld.AssertPassedOn(client, upstream, RetryWorld.Numbered(1 << 20, salt: 2));
            upstream.Send("!"u8);
            RelayHarness.ReadExactly(client, 1);
        }
        Assert.Equal(0, world.Relay.Server.TakeUnanswered());
    }

    [Fact]
    public void Nothing_is_kept_once_the_backend_has_answered()
    {
        // Goal: an idle connection owns no buffer, and a reply that was begun is never begun again.
        using RetryWorld world = new();
        using Socket client = world.Relay.Connect();
        Socket upstream = world.Accept();
        client.Send("question"u8);
        RelayHarness.ReadExactly(upstream, 8);
        Assert.Equal(1, LentBuffers(world));
        upstream.Send("a"u8);
        RelayHarness.ReadExactly(client, 1);
        RelayHarness.Eventually(() => LentBuffers(world) == 0, "the buffer back");
        RelayHarness.ResetNow(upstream);
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.BackendReset, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        Assert.Equal(0, world.Count(RelayEventKind.ConnectionRetried));
    }

    [Theory]
    [InlineData(RelayLimits.ReplayBytesMax, true)]
    [InlineData(RelayLimits.ReplayBytesMax + 1, false)]
    [InlineData(1 << 20, false)]
    public void More_than_64_KiB_are_not_kept(int bytes, bool retried)
    {
        // Goal: the last byte that fits is retried; one more, and the client is told by RST.
        using RetryWorld world = new();
        byte[] body = RetryWorld.Numbered(bytes);
        using Socket client = world.ClientAfterReadAndReset(body);
        world.StartBackend();
        if (retried)
        {
            using Socket upstream = world.Accept();
            Assert.Equal(body, RelayHarness.ReadExactly(upstream, bytes));
            return;
        }
        Assert.True(RelayHarness.EndsWithReset(client));
        RelayEvent end = world.Relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal((CloseReason.Unanswered, bytes, 0), (end.Reason, end.UpBytes, end.DownBytes));
        Assert.Equal(1, world.Relay.Server.TakeUnanswered());
        Assert.False(world.SomebodyConnects(), "retried without its first bytes");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_clients_FIN_is_passed_on_again(bool unix)
    {
        // Goal: a client that half-closed before the reset (nc -N) is answered as well.
        using RetryWorld world = new(unix);
        byte[] body = RetryWorld.Numbered(30_000);
        using Socket client = world.ClientAfterReadAndReset(body, fin: true);
        world.StartBackend();
        using Socket upstream = world.Accept();
        Assert.Equal(body, RelayHarness.ReadExactly(upstream, body.Length));
        Assert.Equal(0, upstream.Receive(new byte[1]));
        upstream.Send("answer"u8);
        upstream.Dispose();
        Assert.Equal("answer"u8.ToArray(), RelayHarness.ReadExactly(client, 6));
        Assert.Equal(0, client.Receive(new byte[1]));
        Assert.Equal(CloseReason.Finished, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
    }

    [Fact]
    public void A_FIN_that_comes_while_it_waits_is_passed_on_behind_the_bytes()
    {
        // Goal: a half-close is no reason to give up a client that waits.
        using RetryWorld world = new();
        using Socket client = world.ClientThatWaits("one "u8.ToArray());
        client.Send("two"u8);
        client.Shutdown(SocketShutdown.Send);
        Assert.False(client.Poll(50_000, SelectMode.SelectRead), "the client was closed");
        world.StartBackend();
        using Socket upstream = world.Accept();
        Assert.Equal("one two"u8.ToArray(), RelayHarness.ReadExactly(upstream, 7));
        Assert.Equal(0, upstream.Receive(new byte[1]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_has_said_nothing_yet_is_taken_over_too(bool unix)
    {
        // Goal: with nothing passed on there is nothing that could happen twice.
        using RetryWorld world = new(unix);
        using Socket client = world.Relay.Connect();
        Assert.True(world.SomebodyConnects(10_000), "nobody connected");
        RelayHarness.Eventually(() => world.Relay.Server.Live == 1, "the connection is relayed");
        world.EndBackend();
        world.StartBackend();
        using Socket upstream = world.Accept();
        client.Send("hello"u8);
        Assert.Equal("hello"u8.ToArray(), RelayHarness.ReadExactly(upstream, 5));
    }

    [Fact]
    public void A_backend_that_closes_in_order_has_decided_so()
    {
        // Goal: only RST counts; FIN without a byte is the backend's answer.
        using RetryWorld world = new();
        using Socket client = world.Relay.Connect();
        Socket upstream = world.Accept();
        client.Send("question"u8);
        RelayHarness.ReadExactly(upstream, 8);
        upstream.Dispose();
        Assert.Equal(0, client.Receive(new byte[1]));
        client.Dispose();
        Assert.Equal(CloseReason.Unanswered, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        Assert.False(world.SomebodyConnects(), "retried after FIN");
        Assert.Equal(0, LentBuffers(world));
    }

    [Fact]
    public void A_second_reset_is_the_clients()
    {
        // Goal: one retry for each connection, so that a request which kills backends kills two at most.
        using RetryWorld world = new();
        using Socket client = world.ClientThatWaits("question"u8.ToArray());
        world.StartBackend();
        Socket second = world.Accept();
        RelayHarness.ReadExactly(second, 8);
        RelayHarness.ResetNow(second);
        Assert.True(RelayHarness.EndsWithReset(client));
        RelayEvent end = world.Relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal((CloseReason.Unanswered, 8, 0), (end.Reason, end.UpBytes, end.DownBytes));
        Assert.Equal(1, world.Count(RelayEventKind.ConnectionRetried));
        Assert.False(world.SomebodyConnects(), "retried twice");
        Assert.Equal(0, LentBuffers(world));
    }

    [Theory]
    [InlineData(128)]
    [InlineData(0)]
    public void A_backend_that_takes_little_at_once_gets_all_in_order(int pipes)
    {
        // Goal: what its socket refuses of the kept bytes waits, whether pipes are to be had or not.
        using RetryWorld world = new(limits: new() { PipesPerThreadMax = pipes });
        byte[] body = RetryWorld.Numbered(RelayLimits.ReplayBytesMax);
        using Socket client = world.ClientAfterReadAndReset(body);
        world.StartBackend(receiveBufferBytes: 4096);
        using Socket upstream = world.Accept();
        client.Send("tail"u8);
        Thread.Sleep(50);
        Assert.Equal(body, RelayHarness.ReadExactly(upstream, body.Length));
        Assert.Equal("tail"u8.ToArray(), RelayHarness.ReadExactly(upstream, 4));
        RelayHarness.Eventually(() => LentBuffers(world) == 0, "the buffer back");
    }

    [Fact]
    public void A_backend_that_stalls_and_resets_under_the_kept_bytes_ends_the_connection()
    {
        // Goal: a buffer that is half sent goes back too.
        using RetryWorld world = new(limits: new() { PipesPerThreadMax = 0 });
        byte[] body = RetryWorld.Numbered(RelayLimits.ReplayBytesMax);
        using Socket client = world.ClientAfterReadAndReset(body);
        world.StartBackend(receiveBufferBytes: 4096);
        Socket upstream = world.Accept();
        RelayHarness.ReadExactly(upstream, 100);
        RelayHarness.ResetNow(upstream);
        Assert.True(RelayHarness.EndsWithReset(client));
        Assert.Equal(CloseReason.Unanswered, world.Relay.WaitFor(RelayEventKind.ConnectionEnded).Reason);
        Assert.Equal(0, LentBuffers(world));
    }

    private static int LentBuffers(RetryWorld world)
    {
        Task<int[]> asked = world.Relay.Server.ReplayBuffersLentAsync();
        Assert.True(asked.Wait(RelayHarness.Patience), "a data-plane thread hangs");
        return asked.Result.Sum();
    }
}
