using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>A client and its backend connection: two descriptors, two flows, nothing else while idle.</summary>
/// <remarks>The objects are reused by their worker, connection after connection, so that the data plane leaves no garbage.</remarks>
internal sealed class Connection : EventSink
{
    private const int ClientTag = 0;
    private const int BackendTag = 1;

    private readonly Worker _worker;
    private readonly Endpoint _client = new();
    private readonly Endpoint _backend = new();
    private readonly Flow _up;
    private readonly Flow _down;
    private readonly LoopTimer _halfCloseTimer;
    private LoopSlot _slot;
    private long _lastMoveMs;
    private bool _willRunAgain;

    internal Connection(Worker worker)
    {
        _worker = worker;
        _up = new(_client, _backend);
        _down = new(_backend, _client);
        _halfCloseTimer = new(OnHalfCloseTimer);
    }

    /// <summary>The pair it serves, or served last.</summary>
    internal Pair Pair { get; private set; }

    /// <summary>Why it ended; null while it lives.</summary>
    internal CloseReason? Reason { get; private set; }

    internal long UpBytes => _up.Bytes;

    internal long DownBytes => _down.Bytes;

    /// <summary>Takes over both descriptors and begins to relay; they are closed when the connection ends. On the worker's thread.</summary>
    internal void Start(Pair pair)
    {
        Pair = pair;
        Reason = null;
        _client.Open(pair.ClientFd, pair.ClientIsTcp);
        _backend.Open(pair.BackendFd, pair.Service.BackendIsTcp);
        _up.Open();
        _down.Open();
        _slot = _worker.Loop.TakeSlot(this);
        _lastMoveMs = _worker.NowMs;
        // The kernel reports at once what is there already, so nothing is tried blindly here.
        if (!_worker.Loop.Watch(_client.Fd, Endpoint.WatchedEvents, _slot, ClientTag).Ok
            || !_worker.Loop.Watch(_backend.Fd, Endpoint.WatchedEvents, _slot, BackendTag).Ok)
        {
            Abort(CloseReason.NotWatchable);
        }
    }

    /// <summary>Ends the connection now, with RST to both sides. On the worker's thread.</summary>
    internal void Abort(CloseReason reason)
    {
        if (Reason is not null)
            return;
        Sockets.Reset(_client.Fd);
        Sockets.Reset(_backend.Fd);
        Leave(reason);
    }

    internal override void OnEvents(uint events, int tag)
    {
        (tag == ClientTag ? _client : _backend).Absorb(events);
        Advance();
    }

    internal override void OnTurn()
    {
        _willRunAgain = false;
        if (Reason is null)
            Advance();
    }

    private void Advance()
    {
        long bytesBefore = _up.Bytes + _down.Bytes;
        (PeerState, PeerState) peersBefore = (_client.Peer, _backend.Peer);
        PumpResult up = Pump(_up, _down, _backend);
        PumpResult down = Pump(_down, _up, _client);
        // One flow may have learnt of its target what the other, which reads from there, must act on.
        if (peersBefore != (_client.Peer, _backend.Peer))
        {
            up = Pump(_up, _down, _backend);
            down = Pump(_down, _up, _client);
        }
        if (_up.Bytes + _down.Bytes != bytesBefore)
            _lastMoveMs = _worker.NowMs;
        if (!EndIfOver(up, down))
            Continue(up, down);
    }

    private PumpResult Pump(Flow flow, Flow opposite, Endpoint target)
    {
        FlowState before = flow.State;
        PumpResult result = flow.Pump(_worker);
        // FIN is passed on after the last byte. When the opposite flow has ended too, close() sends it.
        if (before != flow.State && flow.State == FlowState.Ended && opposite.State != FlowState.Ended && target.Peer == PeerState.Alive)
            Libc.shutdown(target.Fd, SHUT_WR);
        return result;
    }

    private bool EndIfOver(PumpResult up, PumpResult down)
    {
        if (_client.Peer == PeerState.Reset)
            Abort(CloseReason.ClientReset);
        else if (down == PumpResult.SourceReset)
            Abort(CloseReason.BackendReset);
        else if (up == PumpResult.Ended && down == PumpResult.Ended)
            Close(CloseReason.Finished);
        else if (up == PumpResult.Ended && _client.Peer == PeerState.Gone)
            CloseGone();
        return Reason is not null;
    }

    private void Continue(PumpResult up, PumpResult down)
    {
        if ((up == PumpResult.OutOfBudget || down == PumpResult.OutOfBudget) && !_willRunAgain)
        {
            _willRunAgain = true;
            _worker.Loop.RunAgain(this);
        }
        bool halfClosed = _up.State != FlowState.Open || _down.State != FlowState.Open || _backend.Peer != PeerState.Alive;
        if (halfClosed && !_halfCloseTimer.IsArmed)
        {
            // An end counts as a move: silence before it is no reason to cut what comes after.
            _lastMoveMs = _worker.NowMs;
            _worker.Loop.Timers.Arm(_halfCloseTimer, _lastMoveMs + _worker.Limits.HalfCloseTimeoutMs);
        }
    }

    private void OnHalfCloseTimer(long nowMs)
    {
        // Re-armed here, at most once per timeout, instead of at each byte.
        long dueMs = _lastMoveMs + _worker.Limits.HalfCloseTimeoutMs;
        if (nowMs >= dueMs)
            Abort(CloseReason.HalfCloseTimeout);
        else
            _worker.Loop.Timers.Arm(_halfCloseTimer, dueMs);
    }

    /// <summary>The client's request and FIN are passed on and it hears nothing any more: the backend is told by RST.</summary>
    private void CloseGone()
    {
        // RST would destroy what the backend's kernel has not taken yet; then a plain close is better, which delivers that
        // and answers whatever the backend still writes with RST. Our FIN, sent last, counts as one byte until its turn.
        if (Sockets.UnsentBytes(_backend.Fd) <= 1)
            Abort(CloseReason.ClientGone);
        else
            Close(CloseReason.ClientGone);
    }

    private void Close(CloseReason reason)
    {
        Libc.close(_client.Fd);
        Libc.close(_backend.Fd);
        Leave(reason);
    }

    private void Leave(CloseReason reason)
    {
        Reason = reason;
        _up.Release(_worker);
        _down.Release(_worker);
        _worker.Loop.Timers.Cancel(_halfCloseTimer);
        _worker.Loop.ReleaseSlot(_slot);
        // While it is queued for another turn it may not become another connection.
        _worker.OnEnded(this, reusable: !_willRunAgain);
    }
}
