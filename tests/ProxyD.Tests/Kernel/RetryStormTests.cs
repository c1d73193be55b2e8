using System.Collections.Concurrent;
using System.Net.Sockets;
using ProxyD.Relay;
using ProxyD.Tests.Pure;

namespace ProxyD.Tests.Kernel;

/// <summary>Many clients, each with bytes of its own, and backends that die under them: nothing is mixed, nobody forgotten.</summary>
/// <remarks>A request is its number, its length, and so many bytes made of both; the answer is the number.</remarks>
public sealed class RetryStormTests
{
    private const int HeaderBytes = 8;

    private readonly ConcurrentQueue<string> _mixed = new();
    private int _asked;

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public void Whoever_is_in_a_dying_backlog_gets_the_answer_to_its_own_request(bool unix, int threads) => Seeded.Run(random =>
    {
        // Goal: buffers that are used again and again never show one client's bytes to another's backend.
        const int Rounds = 6, Clients = 60;
        using RetryWorld world = new(unix, limits: new() { Threads = threads });
        for (int round = 0; round < Rounds; round++)
        {
            byte[][] requests = [.. Enumerable.Range(0, Clients).Select(_ => Request(random.Next(64 * 1024 - HeaderBytes)))];
            Socket[] clients = [.. requests.Select(_ => world.Relay.Connect())];
            Task[] sending = [.. clients.Select((client, i) => OnThread(() => client.Send(requests[i])))];
            RelayHarness.Eventually(() => world.Relay.Server.Live == Clients, "all are relayed");
            Thread.Sleep(random.Next(30));
            world.EndBackend();
            world.StartBackend();
            Task[] serving = [.. requests.Select(_ => Serve(world.Accept(), resetAt: int.MaxValue))];
            Assert.True(Task.WhenAll([.. sending, .. serving]).Wait(2 * RelayHarness.Patience), "not everybody is served");
            for (int i = 0; i < Clients; i++)
                Assert.Equal(requests[i][..4], RelayHarness.ReadExactly(clients[i], 4));
            Array.ForEach(clients, client => client.Dispose());
            RelayHarness.Eventually(() => world.Relay.Server.Live == 0, "all have ended");
        }
        Assert.Equal(0, world.Relay.Server.TakeUnanswered());
        AssertAllGivenBack(world);
    });

    [Fact]
    public void Under_resets_at_any_byte_each_client_is_answered_or_reset_and_none_twice_retried() => Seeded.Run(random =>
    {
        // Goal: backends that reset after any number of bytes and clients that leave at any moment: no stream is wrong, no buffer lost.
        const int Clients = 8, RequestsEach = 60;
        using RetryWorld world = new(limits: new() { Threads = 2 });
        int[] outcomes = new int[3];
        int[] seeds = [.. Enumerable.Range(0, Clients).Select(_ => random.Next())];
        Task clients = Task.WhenAll(seeds.Select(seed => OnThread(() => Ask(world, new(seed), RequestsEach, outcomes))));
        while (!clients.IsCompleted)
        {
            int toServe = random.Next(12);
            for (int i = 0; i < toServe && world.SomebodyConnects(withinMs: 20); i++)
                _ = Serve(world.Accept(), resetAt: random.Next(3) == 0 ? random.Next(40_000) : int.MaxValue);
            world.EndBackend();
            Thread.Sleep(random.Next(4));
            world.StartBackend();
        }
        Assert.True(clients.IsCompletedSuccessfully, clients.Exception?.ToString());
        Assert.Equal(Clients * RequestsEach, outcomes.Sum());
        world.EndBackend();
        world.Relay.StopAccepting();
        RelayHarness.Eventually(() => world.Relay.Server.Live == 0, "all have ended");
        Assert.True(outcomes[0] > 0 && world.Count(RelayEventKind.ConnectionRetried) > 0, "nothing was tried");
        Assert.True(world.Relay.Server.TakeUnanswered() <= world.Count(RelayEventKind.ConnectionRetried), "some were reset without a second try");
        AssertAllGivenBack(world);
    });

    /// <summary>Asks again and again, and counts: answered, reset, left without waiting.</summary>
    private void Ask(RetryWorld world, Random random, int times, int[] outcomes)
    {
        for (int i = 0; i < times; i++)
        {
            byte[] request = Request(random.Next(50_000));
            using Socket client = world.Relay.Connect();
            int outcome = 1;
            try
            {
                client.Send(request);
                if (random.Next(4) == 0)
                {
                    Thread.Sleep(random.Next(8));
                    RelayHarness.ResetNow(client);
                    outcome = 2;
                }
                else
                {
                    Assert.Equal(request[..4], RelayHarness.ReadExactly(client, 4));
                    outcome = 0;
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                // Its second backend has reset it too.
            }
            Interlocked.Increment(ref outcomes[outcome]);
        }
    }

    private byte[] Request(int length)
    {
        int number = Interlocked.Increment(ref _asked);
        return [.. BitConverter.GetBytes(number), .. BitConverter.GetBytes(length), .. RetryWorld.Numbered(length, salt: number)];
    }

    /// <summary>Reads one request and answers it, or resets after some of its bytes.</summary>
    private Task Serve(Socket upstream, int resetAt) => OnThread(() =>
    {
        try
        {
            byte[] header = RelayHarness.ReadExactly(upstream, HeaderBytes);
            (int number, int length) = (BitConverter.ToInt32(header), BitConverter.ToInt32(header, 4));
            byte[] body = RelayHarness.ReadExactly(upstream, Math.Min(length, resetAt));
            if (!body.AsSpan().SequenceEqual(RetryWorld.Numbered(body.Length, salt: number)))
                _mixed.Enqueue($"request {number} of {length} bytes");
            if (resetAt < length)
                RelayHarness.ResetNow(upstream);
            else
                upstream.Send(header.AsSpan(0, 4));
        }
        catch (SocketException)
        {
            // The client left.
        }
        catch (Xunit.Sdk.XunitException)
        {
            // The stream ended early: the client left before it was paired.
        }
        finally
        {
            upstream.Dispose();
        }
    });

    /// <summary>A thread of its own for whoever blocks: the pool would add one in half a second.</summary>
    private static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void AssertAllGivenBack(RetryWorld world)
    {
        Assert.Empty(_mixed);
        Task<int[]> lent = world.Relay.Server.ReplayBuffersLentAsync();
        Assert.True(lent.Wait(RelayHarness.Patience), "a data-plane thread hangs");
        Assert.All(lent.Result, count => Assert.Equal(0, count));
    }
}
