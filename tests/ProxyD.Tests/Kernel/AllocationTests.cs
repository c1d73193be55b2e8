using System.Net;
using System.Net.Sockets;

namespace ProxyD.Tests.Kernel;

/// <summary>What the data plane's thread allocates: nothing, once it has seen each thing for the first time.</summary>
public sealed class AllocationTests : IDisposable
{
    private const int BulkBytes = 4 << 20;

    private readonly Socket _backendListener = RelayHarness.Listen(IPAddress.Loopback);
    private readonly RelayHarness _relay;
    private readonly byte[] _message = new byte[64];
    private readonly byte[] _bulk = new byte[BulkBytes];

    public AllocationTests() => _relay = RelayHarness.Silent((IPEndPoint)_backendListener.LocalEndPoint!);

    public void Dispose()
    {
        _relay.Dispose();
        _backendListener.Dispose();
    }

    [Fact]
    public void Bytes_that_move_allocate_nothing()
    {
        // Goal: 0 B for each event, copied or spliced, so that the collector never has work from the data plane.
        using Socket client = _relay.Connect();
        using Socket backend = RelayHarness.Accept(_backendListener);
        void Load()
        {
            for (int i = 0; i < 500; i++)
            {
                Move(client, backend, _message);
                Move(backend, client, _message);
            }
            Move(client, backend, _bulk);
            Move(backend, client, _bulk);
        }
        Load();
        Assert.Equal(0, LeastAllocatedBy(Load));
    }

    [Fact]
    public void Connections_that_come_and_go_allocate_nothing()
    {
        // Goal: what a connection needs is reused, from the arrival in the queue to both ends, whoever ends first.
        void Load()
        {
            for (int i = 0; i < 200; i++)
            {
                Socket client = _relay.Connect();
                Socket backend = RelayHarness.Accept(_backendListener);
                Move(client, backend, _message);
                (Socket first, Socket second) = i % 2 == 0 ? (client, backend) : (backend, client);
                first.Dispose();
                Assert.Equal(0, second.Receive(_message));
                second.Dispose();
                RelayHarness.Eventually(() => _relay.Server.Live == 0, "the end of the connection");
            }
        }
        Load();
        Assert.Equal(0, LeastAllocatedBy(Load));
    }

    [Fact]
    public void What_is_allocated_is_seen()
    {
        // Goal: the two tests above can fail: an action that is posted to the thread and makes an array shows.
        using Socket client = _relay.Connect();
        Assert.InRange(AllocatedBy(() => _relay.Server.LastMovesAsync().Wait(RelayHarness.Patience)), 1, long.MaxValue);
    }

    private static void Move(Socket from, Socket to, byte[] bytes)
    {
        Task<int> sent = Task.Run(() => from.Send(bytes));
        for (int got = 0; got < bytes.Length;)
            got += to.Receive(bytes, got, bytes.Length - got, SocketFlags.None);
        Assert.Equal(bytes.Length, sent.Result);
    }

    /// <summary>Of three loads: one may be the first in which both ways hold a pipe at once, which is made then; what each event allocates is in all.</summary>
    private long LeastAllocatedBy(Action load) => Enumerable.Range(0, 3).Min(_ => AllocatedBy(load));

    /// <summary>What a load makes the data plane's thread allocate.</summary>
    private long AllocatedBy(Action load)
    {
        long before = Asked();
        load();
        return Asked() - before;
    }

    private long Asked()
    {
        long[] answers = _relay.Server.AskAllocatedBytes();
        RelayHarness.Eventually(() => Volatile.Read(ref answers[0]) >= 0, "the data plane's answer");
        return answers[0];
    }
}
