using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>A client and its backend connection: two descriptors, two flows, nothing else while idle.</summary>
/// <remarks>
/// One object, with endpoints and flows inside it: as six, an idle connection took twice the memory (0.48 against 0.24 kB resident, measured with
/// 1,000). The objects are reused by their worker, connection after connection, so that the data plane leaves no garbage.
/// </remarks>
internal sealed class Connection : EventSink
{
    private const int ClientTag = 0;
    private const int BackendTag = 1;

    private readonly Worker _worker;
    private Endpoint _client;
    private Endpoint _backend;
    private Flow _up;
    private Flow _down;
    private ServiceSettings _service = null!;
    private Service? _retryAt;
    private LoopSlot _slot;

    /// <summary>Made when first armed: most connections that are idle have never needed it.</summary>
    private LoopTimer? _partingTimer;
    private Action<long>? _firstByte;

    /// <summary>Not null while it waits for another backend: then only the client's descriptor is open.</summary>
    private Replay? _replay;
    private long _lastMoveMs;
    private int _untakenBytes;
    private bool _willRunAgain;
    private bool _backendEndedFirst;

    internal Connection(Worker worker) => _worker = worker;

    /// <summary>The service it belongs to, or belonged to last.</summary>
    internal ServiceSettings Service => _service;

    /// <summary>Why it ended; null while it lives.</summary>
    internal CloseReason? Reason { get; private set; }

    internal long UpBytes => _up.Bytes;

    internal long DownBytes => _down.Bytes;

    /// <summary>When bytes last moved; at first, when it was made.</summary>
    internal long LastMoveMs => _lastMoveMs;

    /// <summary>The backend has ended without a byte, when the client had not ended and had sent something: the client asked in vain.</summary>
    private bool IsUnanswered => _down.Bytes == 0 && _backendEndedFirst && _up.Bytes > 0;

    /// <summary>Takes over both descriptors and begins to relay; they are closed when the connection ends. On the worker's thread.</summary>
    internal void Start(Pair pair)
    {
        _service = pair.Service;
        _retryAt = pair.RetryAt;
        Reason = null;
        _backendEndedFirst = false;
        _firstByte = pair.FirstByte;
        _client.Open(pair.ClientFd, pair.ClientIsTcp);
        _backend.Open(pair.BackendFd, pair.Service.BackendIsTcp);
        _up.Open(keeps: pair.RetryAt is not null);
        _down.Open();
        _slot = _worker.Loop.TakeSlot(this);
        _lastMoveMs = _worker.NowMs;
        _untakenBytes = int.MaxValue;
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
        _worker.OnEnding();
        Sockets.Reset(_client.Fd);
        if (_replay is null)
            Sockets.Reset(_backend.Fd);
        else
            _replay.Withdraw();
        Leave(reason);
    }

    /// <summary>Another backend connection stands. On the worker's thread, by a post: after every event of the former one.</summary>
    internal void Resume(Replay replay, int backendFd, Action<long>? firstByte)
    {
        if (_replay != replay)
        {
            replay.Refuse(backendFd);
            return;
        }
        _replay = null;
        _firstByte = firstByte ?? _firstByte;
        _backend.Open(backendFd, _service.BackendIsTcp);
        if (_worker.Loop.Watch(_backend.Fd, Endpoint.WatchedEvents, _slot, BackendTag).Ok)
            Advance();
        else
            Abort(CloseReason.NotWatchable);
    }

    /// <summary>There will be no other backend. On the worker's thread.</summary>
    internal void GiveUp(Replay replay)
    {
        if (_replay == replay)
            Abort(CloseReason.Unanswered);
    }

    internal override void OnEvents(uint events, int tag)
    {
        if (_replay is not null)
        {
            OnEventsWhileWaiting(events, tag);
            return;
        }
        (tag == ClientTag ? ref _client : ref _backend).Absorb(events);
        Advance();
    }

    internal override void OnTurn()
    {
        _willRunAgain = false;
        if (Reason is null && _replay is null)
            Advance();
    }

    private void Advance()
    {
        long bytesBefore = _up.Bytes + _down.Bytes;
        (PeerState, PeerState) peersBefore = (_client.Peer, _backend.Peer);
        PumpResult up = PumpUp();
        PumpResult down = PumpDown();
        bool answered = _up.Keeps && _down.HasBegun;
        if (answered)
            _up.StopKeeping(_worker);
        // One flow may have learnt of its target what the other, which reads from there, must act on.
        if (answered || peersBefore != (_client.Peer, _backend.Peer))
        {
            up = PumpUp();
            down = PumpDown();
        }
        if (_up.Bytes + _down.Bytes != bytesBefore)
            OnMoved();
        if (!EndIfOver(up, down))
            Continue(up, down);
    }

    private void OnMoved()
    {
        _lastMoveMs = _worker.NowMs;
        _worker.OnMove();
        if (_firstByte is null || _down.Bytes == 0)
            return;
        _firstByte(_lastMoveMs);
        _firstByte = null;
    }

    private PumpResult PumpUp()
    {
        FlowState before = _up.State;
        PumpResult result = new Pump(ref _up, ref _client, ref _backend, _worker).Run();
        if (before != _up.State)
            PassOnFin(_up, _down, _backend);
        return result;
    }

    private PumpResult PumpDown()
    {
        FlowState before = _down.State;
        PumpResult result = new Pump(ref _down, ref _backend, ref _client, _worker).Run();
        if (before == _down.State)
            return result;
        _backendEndedFirst |= _up.State == FlowState.Open && _client.Peer == PeerState.Alive;
        PassOnFin(_down, _up, _client);
        return result;
    }

    /// <summary>After the last byte of a flow that has just ended.</summary>
    private void PassOnFin(in Flow flow, in Flow opposite, in Endpoint target)
    {
        if (flow.State != FlowState.Ended || target.Peer != PeerState.Alive)
            return;
        // When the opposite flow has ended too, close() sends it, but not for a socket that the service manager keeps a copy of (Accept=yes).
        if (opposite.State != FlowState.Ended || _service.IsConnected)
            Libc.shutdown(target.Fd, SHUT_WR);
    }

    private bool EndIfOver(PumpResult up, PumpResult down)
    {
        if (_client.Peer == PeerState.Reset)
            Abort(CloseReason.ClientReset);
        else if (down == PumpResult.SourceReset && MayRetry)
            AwaitAnotherBackend();
        else if (down == PumpResult.SourceReset)
            AbortWhenTaken(_client, isClient: true, _down.State, _down.Bytes == 0 ? CloseReason.Unanswered : CloseReason.BackendReset);
        else if (up == PumpResult.Ended && down == PumpResult.Ended)
            Close(IsUnanswered ? CloseReason.Unanswered : CloseReason.Finished);
        else if (up == PumpResult.Ended && _client.Peer == PeerState.Gone)
            AbortWhenTaken(_backend, isClient: false, _up.State, CloseReason.ClientGone);
        return Reason is not null || _replay is not null;
    }

    /// <summary>The backend has said nothing, the client still listens, and all it has sent is kept: another backend would notice no difference.</summary>
    private bool MayRetry => _up.Keeps && !_down.HasBegun && _client.Peer == PeerState.Alive && !Sockets.IsDead(_client.Fd);

    private void AwaitAnotherBackend()
    {
        // Not left to close(): a child that is being started may hold a copy for a moment, and with it the registration.
        _worker.Loop.Unwatch(_backend.Fd);
        Libc.close(_backend.Fd);
        CancelPartingTimer();
        _replay = new(this, _worker, _retryAt!, _up.KeptBytes);
        _up.Rewind(_worker);
        _replay.Begin();
    }

    /// <summary>What the client sends stays in its socket; only its end counts.</summary>
    private void OnEventsWhileWaiting(uint events, int tag)
    {
        // The former backend's may come in the same turn as the one that told of its reset.
        if (tag == BackendTag)
            return;
        _client.Absorb(events);
        if (_client.Peer == PeerState.Reset)
            Abort(CloseReason.ClientReset);
        else if (_client.Peer == PeerState.Gone || Sockets.IsDead(_client.Fd))
            Abort(CloseReason.ClientGone);
    }

    private void Continue(PumpResult up, PumpResult down)
    {
        if ((up == PumpResult.OutOfBudget || down == PumpResult.OutOfBudget) && !_willRunAgain)
        {
            _willRunAgain = true;
            _worker.Loop.RunAgain(this);
        }
        bool halfClosed = _up.State != FlowState.Open || _down.State != FlowState.Open || _backend.Peer != PeerState.Alive;
        if (halfClosed && !IsParting)
            LookAgain(_worker.Limits.HalfCloseTimeoutMs);
    }

    private void LookAgain(int afterMs)
    {
        long dueMs = _worker.NowMs + afterMs;
        // An end counts as a move: silence before it is no reason to cut what comes after.
        if (!IsParting)
            _lastMoveMs = _worker.NowMs;
        // Never later: whoever keeps us busy would put it off for ever.
        else if (_partingTimer!.DueMs <= dueMs)
            return;
        _worker.Loop.Timers.Arm(_partingTimer ??= new(OnPartingTimer), dueMs);
    }

    private bool IsParting => _partingTimer is { IsArmed: true };

    private void CancelPartingTimer()
    {
        if (_partingTimer is not null)
            _worker.Loop.Timers.Cancel(_partingTimer);
    }

    private void OnPartingTimer(long nowMs)
    {
        // Armed anew here, at most once per timeout, instead of at each byte.
        long dueMs = _lastMoveMs + _worker.Limits.HalfCloseTimeoutMs;
        if (nowMs >= dueMs)
        {
            Abort(CloseReason.HalfCloseTimeout);
            return;
        }
        _worker.Loop.Timers.Arm(_partingTimer!, dueMs);
        Advance();
    }

    /// <summary>Everything for this side is in its socket, and RST is the right end; but RST would destroy what its kernel has not taken yet.</summary>
    /// <remarks>
    /// A plain close would be no better: the next byte that comes in is then answered with RST at once. No event tells when the
    /// last byte was taken, so a timer looks; a side that takes none for the half-close timeout is cut. Our own FIN counts as one
    /// byte until it is taken, and a peer that is gone takes nothing any more. A Unix socket keeps its bytes for the reader
    /// whatever we do; a client that was accepted before us is asked, whatever its socket is.
    /// </remarks>
    private void AbortWhenTaken(in Endpoint side, bool isClient, FlowState towards, CloseReason reason)
    {
        bool needsTime = side.Peer == PeerState.Alive && (side.IsTcp || (isClient && _service.IsConnected));
        int untaken = needsTime ? Sockets.UnsentBytes(side.Fd) - (towards == FlowState.Ended ? 1 : 0) : 0;
        if (untaken <= 0)
        {
            Abort(reason);
            return;
        }
        LookAgain(RelayLimits.TakenCheckMs);
        if (untaken < _untakenBytes)
            (_untakenBytes, _lastMoveMs) = (untaken, _worker.NowMs);
    }

    private void Close(CloseReason reason)
    {
        _worker.OnEnding();
        Libc.close(_client.Fd);
        Libc.close(_backend.Fd);
        Leave(reason);
    }

    private void Leave(CloseReason reason)
    {
        Reason = reason;
        _replay = null;
        _up.Release(_worker);
        _down.Release(_worker);
        CancelPartingTimer();
        _worker.Loop.ReleaseSlot(_slot);
        // While it is queued for another turn it may not become another connection.
        _worker.OnEnded(this, reusable: !_willRunAgain);
    }
}
