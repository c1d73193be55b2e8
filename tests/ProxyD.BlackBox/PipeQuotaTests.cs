using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>An unprivileged proxy with more bulk transfers than pipe-user-pages-soft allows pipes for.</summary>
[Collection(Alone.Name)]
[Trait("row", "W5")]
public sealed class PipeQuotaTests
{
    private const int ConnectionsMax = 200;
    private const int BytesEach = 4 << 20;
    private const int TransferTimeoutMs = 30_000;

    /// <summary>The kernel's size, of one or two pages, for pipes of a user over the quota.</summary>
    private const int ShrunkenPipeBytes = 8192;

    /// <summary>Holds pipes until the kernel gives out shrunken ones (1031 and 1032 set and get a pipe's size).</summary>
    private const string TakeAllPipePages = """
        my @held;
        for (1 .. 400) {
            pipe(my $read, my $write) or die "pipe: $!";
            push @held, $read, $write;
            my $size = fcntl($write, 1032, 0);
            if ($size <= 8192) { $| = 1; print "used up\n"; sleep 600; exit }
            fcntl($write, 1031, 1 << 20);
        }
        die "400 pipes, and still not used up\n";
        """;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void Two_hundred_stuck_transfers_use_no_shrunken_pipe_and_arrive_whole()
    {
        // Goal: with many pipes in use at once none is tiny, and every byte arrives.
        Requires.Root();
        AssertTransfersArriveWhole(connections: 200);
    }

    [Fact]
    public void When_the_quota_is_used_up_by_others_transfers_do_without_shrunken_pipes()
    {
        // Goal: where the kernel silently hands out pipes of two pages from the first one on, the proxy uses none of them.
        Requires.Root();
        using ChildProcess hog = ChildProcess.Start(new ChildSetup(
            Command: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "perl", "-e", TakeAllPipePages],
            Environment: new Dictionary<string, string>(),
            InheritedFds: [],
            IgnoresSigpipe: false));
        Wait.Until(() => hog.OutputLines.Length > 0, $"the quota used up; {string.Join(' ', hog.ErrorLines)}");

        AssertTransfersArriveWhole(connections: 20);
    }

    private void AssertTransfersArriveWhole(int connections)
    {
        using Socket listener = Addresses.Listen();
        using ManualResetEventSlim reading = new();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            reading.Wait();
            Backend.EchoAll(peer);
        });
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = [Addresses.Text(_destination)],
            Prelude = ["ulimit -Sn 4096"],
            Unprivileged = true,
        });
        // A runtime may have pipes for purposes of its own.
        int before = Proc.Settled(() => ShrunkenPipes(subject));
        Payload payload = new(seed: 5);
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, connections);

        Background[] senders = [.. clients.Select((client, i) => Background.Start(() => Send(client, payload.Slice(i))))];
        Wait.Until(() => backend.Accepted.Length == connections, "every transfer under way");
        // Long enough for each sender to fill the buffers before it.
        Thread.Sleep(500);
        int shrunken = ShrunkenPipes(subject) - before;
        reading.Set();
        Background[] readers = [.. clients.Select((client, i) => Background.Start(() => payload.AssertArrivesWhole(client, i)))];

        Background.JoinAll(senders.Concat(readers), TransferTimeoutMs);
        Assert.Equal(0, shrunken);
    }

    private static int ShrunkenPipes(Subject subject) => Proc.PipeCapacities(subject.Id).Count(bytes => bytes <= ShrunkenPipeBytes);

    private static void Send(Peer client, ReadOnlySpan<byte> bytes)
    {
        client.Socket.SendTimeout = TransferTimeoutMs;
        client.Send(bytes);
    }

    /// <summary>Different bytes for each connection, without memory for each.</summary>
    private sealed class Payload
    {
        private const int Stride = 4099;

        private readonly byte[] _bytes = new byte[BytesEach + (ConnectionsMax * Stride)];

        public Payload(int seed) => new Random(seed).NextBytes(_bytes);

        public ReadOnlySpan<byte> Slice(int connection) => _bytes.AsSpan(connection * Stride, BytesEach);

        public void AssertArrivesWhole(Peer client, int connection)
        {
            ReadOnlySpan<byte> expected = Slice(connection);
            byte[] buffer = new byte[65536];
            client.Socket.ReceiveTimeout = TransferTimeoutMs;
            while (expected.Length > 0)
            {
                int read = client.ReadSome(buffer);
                Assert.InRange(read, 1, expected.Length);
                Assert.True(expected[..read].SequenceEqual(buffer.AsSpan(0, read)), "the right bytes");
                expected = expected[read..];
            }
        }
    }
}
