using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Every byte arrives, once, in order, whatever the sizes and pauses.</summary>
public sealed class IntegrityTests
{
    private const int Connections = 8;

    /// <summary>Printed by each test; set PROXYD_SEED to repeat a run.</summary>
    private static readonly int s_seed =
        int.TryParse(Environment.GetEnvironmentVariable("PROXYD_SEED"), CultureInfo.InvariantCulture, out int seed)
            ? seed : Random.Shared.Next();

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void Random_transfers_in_both_directions_at_once_arrive_unchanged()
    {
        // Goal: small and large chunks, pauses, half-closes and several connections mix up nothing.
        TestContext.Current.TestOutputHelper!.WriteLine($"PROXYD_SEED={s_seed}");
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);

        List<Background> work = [];
        List<Transfer> transfers = [];
        for (int i = 0; i < Connections; i++)
        {
            Peer client = Peer.Connect(listener.LocalEndPoint!);
            Peer served = backend.WaitForConnection(i);
            transfers.Add(new Transfer(client, served, seed: s_seed + (2 * i)));
            transfers.Add(new Transfer(served, client, seed: s_seed + (2 * i) + 1));
        }
        foreach (Transfer transfer in transfers)
        {
            work.Add(Background.Start(transfer.Send));
            work.Add(Background.Start(transfer.Receive));
        }

        Background.JoinAll(work, 30_000);
        Assert.All(transfers, transfer => Assert.Equal(transfer.SentHash, transfer.ReceivedHash));
    }

    [Fact]
    public void Tiny_segments_for_a_stalled_backend_arrive_in_order_and_cost_no_processor_time()
    {
        // Goal: a pipe has slots as well as bytes: one-byte segments exhaust it long before it is full, and look like an empty source.
        const int TinySegments = 5000;
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(folder.Socket("backend.sock"));
        using Subject subject = Subject.Start(listener, folder.Socket("backend.sock"));
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Peer served = backend.WaitForConnection();
        int filler = FillUp(client, served);
        byte[] tiny = [.. Enumerable.Range(1, TinySegments).Select(i => (byte)i)];

        for (int i = 0; i < TinySegments; i++)
            client.Send(tiny.AsSpan(i, 1));
        client.SendEnd();

        Assert.InRange(Proc.CpuPercent(subject.Id, 500), 0, 20);
        byte[] received = served.ReadToEnd().Bytes;
        Assert.Equal(filler + TinySegments, received.Length);
        Assert.True(received.AsSpan(filler).SequenceEqual(tiny), "the tiny segments in order");
    }

    [Fact]
    public void Bytes_of_an_aborted_transfer_never_reach_another_client()
    {
        // Goal: whatever buffers a cut-off connection used, the next one gets them empty.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--threads=1");
        byte[] others = new byte[4 << 20];
        Array.Fill(others, (byte)'x');
        byte[] own = new byte[1 << 20];

        for (int i = 0; i < 5; i++)
        {
            using Peer aborted = Peer.Connect(listener.LocalEndPoint!);
            aborted.SendUntilStuck(others);
            aborted.Reset();
            Assert.Equal(Ending.Reset, backend.WaitForConnection(2 * i).ReadEnding());
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            Peer served = backend.WaitForConnection((2 * i) + 1);
            Background.Start(() =>
            {
                client.Send(own);
                client.SendEnd();
            });
            Assert.True(served.ReadToEnd().Bytes.AsSpan().SequenceEqual(own), "only the client's own bytes");
        }
    }

    [Fact]
    public void A_dialogue_of_small_messages_is_not_delayed()
    {
        // Goal: no Nagle, no corking: with a delayed ACK of 40 ms in each of 500 round trips it would be 20 s.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        long start = Environment.TickCount64;

        for (int i = 0; i < 500; i++)
            client.AssertEcho("ping");

        Assert.InRange(Environment.TickCount64 - start, 0, 10_000);
    }

    /// <summary>Sends until the backend's socket takes no more: a Unix socket does so after some 200 KiB, always.</summary>
    /// <returns>The number of bytes sent; all but the last few are in that socket's queue.</returns>
    private static int FillUp(Peer client, Peer served)
    {
        byte[] chunk = new byte[4096];
        int sent = 0;
        while (true)
        {
            client.Send(chunk);
            sent += chunk.Length;
            try
            {
                Wait.Until(() => served.Socket.Available == sent, "the chunk at the backend", 200);
            }
            catch (TimeoutException)
            {
                return sent;
            }
        }
    }

    /// <summary>One direction of one connection.</summary>
    private sealed class Transfer(Peer from, Peer to, int seed)
    {
        public string? SentHash { get; private set; }

        public string? ReceivedHash { get; private set; }

        public void Send()
        {
            Random random = new(seed);
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] chunk = new byte[300_000];
            int chunks = random.Next(50, 150);
            for (int i = 0; i < chunks; i++)
            {
                // Sizes on a logarithmic scale: a byte is as likely as 100 KiB.
                int size = (int)Math.Pow(chunk.Length, random.NextDouble());
                random.NextBytes(chunk.AsSpan(0, size));
                hash.AppendData(chunk, 0, size);
                from.Send(chunk.AsSpan(0, size));
                if (random.Next(10) == 0)
                    Thread.Sleep(random.Next(20));
            }
            from.SendEnd();
            SentHash = Convert.ToHexString(hash.GetHashAndReset());
        }

        public void Receive()
        {
            Random random = new(~seed);
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[100_000];
            while (to.ReadSome(buffer.AsSpan(0, random.Next(1, buffer.Length))) is > 0 and var read)
            {
                hash.AppendData(buffer, 0, read);
                // A reader that falls behind makes the proxy keep what it can't send.
                if (random.Next(50) == 0)
                    Thread.Sleep(random.Next(20));
            }
            ReceivedHash = Convert.ToHexString(hash.GetHashAndReset());
        }
    }
}
