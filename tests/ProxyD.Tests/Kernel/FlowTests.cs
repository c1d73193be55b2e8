using System.Diagnostics;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>One flow between two socket pairs, pumped by hand: the invariants written above <see cref="Pump"/>.</summary>
public sealed class FlowTests : IDisposable
{
    private readonly Worker _worker = new(new RelayLimits(), _ => { });
    private readonly Socket _writer;
    private readonly Socket _reader;
    private Endpoint _source;
    private Endpoint _target;
    private Flow _flow;
    private readonly List<Socket> _ours = [];

    public FlowTests()
    {
        (_writer, Socket source) = UnixPair();
        (Socket target, _reader) = UnixPair();
        _ours.AddRange([source, target]);
        _source = Open(source);
        _target = Open(target);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
        _ours.ForEach(s => s.Dispose());
    }

    [Fact]
    public void More_one_byte_segments_than_the_pipe_has_slots_all_arrive()
    {
        // Goal: a pipe of 256 KiB is full after 64 one-byte segments; EAGAIN then must not be taken for "drained".
        FillTarget();
        byte[] bulk = Numbered(RelayLimits.ScratchBytes);
        _writer.Send(bulk);
        Turn();
        for (int i = 0; i < 150; i++)
            _writer.Send([(byte)i]);
        Assert.True(_flow.HoldsPipe, "the flow should be splicing");
        byte[] got = PumpUntil(bulk.Length + 150);
        Assert.Equal(Enumerable.Range(0, 150).Select(i => (byte)i), got[^150..]);
    }

    [Fact]
    public void What_the_target_refuses_of_a_copy_is_kept_and_arrives_first()
    {
        // Goal: a short send in copy mode loses and reorders nothing.
        FillTarget();
        _writer.Send("first "u8);
        Assert.Equal(PumpResult.Waiting, Turn());
        _writer.Send("second"u8);
        _source.Readable = true;
        byte[] got = PumpUntil(12);
        Assert.Equal("first second"u8.ToArray(), got);
    }

    [Fact]
    public void Without_any_pipe_bytes_stay_in_the_source_until_the_target_takes_them()
    {
        // Goal: an exhausted pool costs speed, never bytes.
        Worker poor = new(new RelayLimits { PipesPerThreadMax = 0 }, _ => { });
        FillTarget();
        byte[] sent = Numbered(100_000);
        Thread sender = new(() => _writer.Send(sent));
        sender.Start();
        byte[] got = PumpUntil(sent.Length, poor);
        sender.Join();
        Assert.Equal(sent, got);
        Assert.Equal(0, poor.Pipes.OpenCount);
    }

    [Fact]
    public void Fin_waits_for_what_is_still_in_the_pipe()
    {
        // Goal: the state is Ending, not Ended, while bytes are unsent.
        FillTarget();
        _writer.Send("tail"u8);
        _writer.Shutdown(SocketShutdown.Send);
        _source.Absorb(LibcConstants.EPOLLIN | LibcConstants.EPOLLRDHUP);
        Assert.Equal(PumpResult.Waiting, Turn());
        Assert.NotEqual(FlowState.Ended, _flow.State);
        Assert.Equal("tail"u8.ToArray(), PumpUntil(4));
        _source.Readable = _target.Writable = true;
        Assert.Equal(PumpResult.Ended, Turn());
    }

    [Fact]
    public void One_turn_moves_no_more_than_its_budget()
    {
        // Goal: a source that always has more does not starve the other connections of its thread.
        Worker thrifty = new(new RelayLimits { TurnBudgetBytes = RelayLimits.ScratchBytes }, _ => { });
        byte[] bulk = Numbered(8 * RelayLimits.ScratchBytes);
        Thread sender = new(() => _writer.Send(bulk));
        sender.Start();
        RelayHarness.Eventually(() => _ours[0].Available > RelayLimits.ScratchBytes, "more in the source than one turn may move");
        Assert.Equal(PumpResult.OutOfBudget, Turn(thrifty));
        Assert.InRange(_flow.Bytes, RelayLimits.ScratchBytes, bulk.Length - 1);
        Assert.Equal(bulk, PumpUntil(bulk.Length, thrifty));
        sender.Join();
    }

    [Fact]
    public void A_drained_flow_gives_its_pipe_back()
    {
        // Goal: an idle connection owns two descriptors and nothing else.
        byte[] bulk = Numbered(200_000);
        Thread sender = new(() => _writer.Send(bulk));
        sender.Start();
        Assert.Equal(bulk, PumpUntil(bulk.Length));
        sender.Join();
        _source.Readable = _target.Writable = true;
        Turn();
        Assert.False(_flow.HoldsPipe);
        Assert.Equal(_worker.Pipes.OpenCount, _worker.Pipes.SpareCount);
    }

    [Fact]
    public void A_lost_target_turns_the_flow_to_discarding_until_the_source_ends()
    {
        // Goal: the source's bytes are read and dropped, so that our close is not answered with RST.
        _reader.Dispose();
        _writer.Send("unwanted"u8);
        Turn();
        Turn();
        Assert.Equal(FlowState.Discarding, _flow.State);
        _writer.Shutdown(SocketShutdown.Send);
        _source.Absorb(LibcConstants.EPOLLIN | LibcConstants.EPOLLRDHUP);
        while (Turn() == PumpResult.OutOfBudget)
        {
            // One read a turn.
        }
        Assert.Equal(FlowState.Ended, _flow.State);
    }

    private PumpResult Turn(Worker? worker = null) => new Pump(ref _flow, ref _source, ref _target, worker ?? _worker).Run();

    private static Endpoint Open(Socket socket)
    {
        Endpoint endpoint = new();
        endpoint.Open((int)socket.Handle, isTcp: socket.AddressFamily != AddressFamily.Unix);
        endpoint.Readable = true;
        return endpoint;
    }

    private static (Socket, Socket) UnixPair()
    {
        string name = $"\0proxyd-test-{Guid.NewGuid()}";
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(name));
        listener.Listen();
        Socket left = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        left.Connect(new UnixDomainSocketEndPoint(name));
        Socket right = listener.Accept();
        Sockets.SetNonBlocking((int)right.Handle);
        Sockets.SetNonBlocking((int)left.Handle);
        left.Blocking = right.Blocking = true;
        Sockets.SetNonBlocking((int)right.Handle);
        return (left, right);
    }

    private static byte[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 7))];

    /// <summary>Writes to the target until it takes no more; <see cref="PumpUntil"/> takes the filling out again.</summary>
    private void FillTarget()
    {
        byte[] filling = new byte[4096];
        Sockets.SetNonBlocking(_target.Fd);
        unsafe
        {
            fixed (byte* bytes = filling)
            {
                while (Libc.send(_target.Fd, bytes, (nuint)filling.Length, LibcConstants.MSG_NOSIGNAL | LibcConstants.MSG_DONTWAIT) > 0)
                    _filled += filling.Length;
            }
        }
    }

    private int _filled;

    private byte[] PumpUntil(int count, Worker? worker = null)
    {
        List<byte> got = [];
        byte[] buffer = new byte[65536];
        int wanted = _filled + count;
        _reader.ReceiveTimeout = 50;
        Stopwatch idle = Stopwatch.StartNew();
        while (got.Count < wanted && idle.Elapsed < RelayHarness.Patience)
        {
            _source.Readable = _target.Writable = true;
            Turn(worker);
            while (_reader.Poll(1_000, SelectMode.SelectRead))
            {
                int read = _reader.Receive(buffer);
                got.AddRange(buffer.AsSpan(0, read));
                idle.Restart();
                if (got.Count >= wanted)
                    break;
                _source.Readable = _target.Writable = true;
                Turn(worker);
            }
        }
        Assert.Equal(wanted, got.Count);
        return [.. got.Skip(_filled)];
    }
}
