using System.Net.Sockets;
using System.Text;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A flow that keeps what it reads: nothing is dropped while another target may come, and all of it is sent to that one.</summary>
public sealed class FlowReplayTests : IDisposable
{
    private readonly Worker _worker = new(new RelayLimits(), _ => { });
    private Endpoint _source;
    private Endpoint _target;
    private Flow _flow;
    private readonly List<Socket> _sockets = [];
    private readonly Socket _client;

    public FlowReplayTests()
    {
        using Socket listener = Listener();
        _client = Connect(listener);
        _source.Open((int)Accept(listener).Handle, isTcp: false);
    }

    private PumpResult Turn() => new Pump(ref _flow, ref _source, ref _target, _worker).Run();

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    [Fact]
    public void A_reset_that_only_a_write_discovers_is_told_from_a_close()
    {
        // Goal: to a writer a Unix socket says EPIPE either way; what was in a dying backlog must still be taken to another backend.
        Socket dying = Listener();
        Aim(Connect(dying));
        dying.Dispose();
        Say("first ");
        Assert.Equal(PumpResult.Waiting, Turn());
        Assert.Equal((PeerState.Reset, FlowState.Open), (_target.Peer, _flow.State));
        Say("second");
        Assert.Equal(PumpResult.Waiting, Turn());
        AssertAllReachesAnother("first second");
    }

    [Fact]
    public void A_target_that_was_closed_in_order_is_no_reset()
    {
        // Goal: then there is no other target: what the source still sends is dropped, and nothing is kept.
        using Socket listener = Listener();
        Aim(Connect(listener));
        Accept(listener).Dispose();
        Say("unwanted");
        Turn();
        Assert.Equal((PeerState.Gone, FlowState.Discarding), (_target.Peer, _flow.State));
        Assert.Equal(0, _worker.ReplayBuffers.LentCount);
    }

    [Fact]
    public void What_was_refused_by_the_lost_target_is_sent_to_the_other_as_well()
    {
        // Goal: bytes that were read but got no further than our pipe are neither lost nor sent twice.
        using Socket listener = Listener();
        Socket ours = Connect(listener);
        Aim(ours);
        ours.Blocking = false;
        Fill(ours);
        Say("stuck ");
        Assert.Equal(PumpResult.Waiting, Turn());
        Assert.True(_flow.HoldsPipe, "the bytes should be in a pipe");
        listener.Dispose();
        _target.Absorb(LibcConstants.EPOLLERR);
        Say("more");
        Assert.Equal(PumpResult.Waiting, Turn());
        AssertAllReachesAnother("stuck more");
        Assert.Equal(0, _worker.ReplayBuffers.LentCount);
    }

    private void AssertAllReachesAnother(string expected)
    {
        _flow.Rewind(_worker);
        Assert.False(_flow.HoldsPipe, "the pipe holds what the lost target refused");
        using Socket listener = Listener();
        _target.Open((int)Connect(listener).Handle, isTcp: false);
        Turn();
        Assert.Equal(expected, Encoding.ASCII.GetString(RelayHarness.ReadExactly(Accept(listener), expected.Length)));
        Assert.Equal(expected.Length, _flow.Bytes);
    }

    private static void Fill(Socket socket)
    {
        byte[] filling = new byte[64];
        try
        {
            while (true)
                socket.Send(filling);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            // It takes no more.
        }
    }

    private void Aim(Socket ours)
    {
        _target.Open((int)ours.Handle, isTcp: false);
        _flow.Open(keeps: true);
    }

    private void Say(string text)
    {
        _client.Send(Encoding.ASCII.GetBytes(text));
        _source.Readable = true;
    }

    private Socket Listener()
    {
        Socket listener = Keep(new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        listener.Bind(new UnixDomainSocketEndPoint($"\0proxyd-test-{Guid.NewGuid()}"));
        listener.Listen();
        return listener;
    }

    private Socket Connect(Socket listener)
    {
        Socket socket = Keep(new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        socket.Connect(listener.LocalEndPoint!);
        Sockets.SetNonBlocking((int)socket.Handle);
        return socket;
    }

    private Socket Accept(Socket listener)
    {
        Socket socket = Keep(listener.Accept());
        Sockets.SetNonBlocking((int)socket.Handle);
        return socket;
    }

    private Socket Keep(Socket socket)
    {
        _sockets.Add(socket);
        return socket;
    }
}
