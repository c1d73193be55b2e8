using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>
/// Connect first, accept second: clients wait in the kernel's listen queue, and one is taken out only when its backend
/// connection stands. So nothing that happens to this process can lose a client that waits.
/// </summary>
/// <remarks>
/// The attempt on behalf of the oldest waiting client is the probe; the backend sees no other. Everything here runs on the
/// thread of one worker; only <see cref="Waiting"/> is read by others.
/// </remarks>
internal sealed class Service
{
    private readonly ServiceSettings _settings;
    private readonly RelayServer _server;
    private readonly EventLoop _loop;
    private readonly RelayLimits _limits;
    private readonly Waiters _waiters;
    private readonly SpareConnections _spares;
    private readonly Attempts _attempts;
    private readonly LoopTimer _timer;
    private readonly Episode _episode;
    private readonly RetryPace _pace;
    private volatile ServicePhase _phase = ServicePhase.Warm;
    private bool _isShut;
    private volatile int _waiting;

    internal Service(ServiceSettings settings, RelayServer server, Worker worker)
    {
        _settings = settings;
        _server = server;
        Worker = worker;
        _loop = worker.Loop;
        _limits = worker.Limits;
        _waiters = new(settings.Listeners, Advance);
        _spares = new(_limits.SpareLifetimeMs);
        _attempts = new(worker, new AddressList(settings, server.Report), onlyOne: settings.HoldTimeoutMs == 0, OnConcluded);
        _episode = new(settings.Index, server.Report);
        _pace = new(_limits);
        _isShut = settings.IsGated;
        _timer = new(_ => OnTimer());
    }

    /// <summary>The worker whose thread runs this service.</summary>
    internal Worker Worker { get; }

    /// <summary>Clients known to wait; may be read from any thread.</summary>
    internal int Waiting => _waiting;

    /// <summary>Whether the end of any connection would help; may be read from any thread.</summary>
    internal bool IsStarved => _phase == ServicePhase.Starved;

    /// <summary>On the worker's thread, as everything below.</summary>
    internal void Start() => _waiters.Listeners.Watch(_loop, Advance);

    /// <summary>Leaves all listen queues alone from now on. Attempts and spares carry no client and are closed.</summary>
    internal void Stop()
    {
        _phase = ServicePhase.Stopped;
        _waiters.Leave();
        _attempts.DropAll();
        _spares.CloseAll();
        _episode.Over();
        _loop.Timers.Cancel(_timer);
    }

    /// <summary>Takes nobody more until <see cref="Resume"/>.</summary>
    /// <returns>Whether nobody waits.</returns>
    internal bool Pause()
    {
        if (_phase == ServicePhase.Stopped)
            return true;
        _phase = ServicePhase.Paused;
        _waiters.Listeners.Look();
        return _waiters.Count == 0;
    }

    internal void Resume()
    {
        if (_phase != ServicePhase.Paused)
            return;
        _phase = ServicePhase.Cold;
        Retry();
    }

    /// <summary>Takes nobody to the backend until <see cref="Open"/>: who comes waits, each until its own deadline.</summary>
    /// <returns>How many wait.</returns>
    internal int Shut()
    {
        _isShut = true;
        if (_phase != ServicePhase.Stopped)
            _waiters.Listeners.Look();
        return _waiters.Count;
    }

    /// <summary>After <see cref="Shut"/>, and for a gated service after each wait that began: an attempt is worth while.</summary>
    internal void Open()
    {
        _isShut = false;
        // A gated service may be opened after each attempt that fails: the pause between two of them holds all the same.
        if (_phase is not (ServicePhase.Stopped or ServicePhase.Paused))
            Advance();
    }

    /// <summary>The backend will not come soon, and is tried seldom in case it does; or it may come any moment.</summary>
    internal void SetSlow(bool isSlow)
    {
        if (_pace.SetSlow(isSlow) && !isSlow)
            Retry();
    }

    /// <summary>Resets everybody who waits now: what they wait for cannot come.</summary>
    internal void ResetWaiting()
    {
        if (_phase is ServicePhase.Stopped or ServicePhase.Paused)
            return;
        _waiters.Replays.GiveUpAll();
        _waiters.Listeners.Look();
        for (int left = RelayLimits.ResetsPerTurnMax; left > 0 && _phase != ServicePhase.Starved && _waiters.Count > 0; left--)
        {
            ResetOldest();
            // Of a Unix queue only "somebody" is known: whoever hid behind another is seen only when that one is out.
            if (_waiters.Count == 0)
                _waiters.Listeners.Look();
        }
        Settle();
    }

    /// <summary>A backend has reset a connection unanswered: it waits for another as if it had just come, before all who are in a listen queue.</summary>
    internal void TakeBack(Replay replay)
    {
        if (_phase == ServicePhase.Stopped)
        {
            replay.GiveUp();
            return;
        }
        _waiters.Replays.Add(replay, _loop.NowMs);
        _server.NoteRetried(_settings, replay);
        Advance();
    }

    /// <summary>A connection that was taken back has ended.</summary>
    internal void Withdraw(Replay replay)
    {
        _waiters.Replays.Remove(replay);
        Settle();
    }

    /// <summary>A standing backend connection has lost its client on the way.</summary>
    internal void TakeSpare(int backendFd)
    {
        if (_phase == ServicePhase.Stopped)
        {
            Libc.close(backendFd);
            return;
        }
        _spares.Add(backendFd, _loop.NowMs);
        Advance();
    }

    /// <summary>Takes what the resolver found; an empty list means that it found nothing.</summary>
    internal void SetAddresses(SocketAddress[] addresses)
    {
        _attempts.Addresses.Set(addresses, _loop.NowMs);
        Retry();
    }

    /// <summary>The control plane or another connection's end has reason to believe that an attempt is worth while now.</summary>
    internal void Retry()
    {
        if (_phase is ServicePhase.Stopped or ServicePhase.Paused)
            return;
        if (_phase == ServicePhase.Starved)
            _phase = ServicePhase.Cold;
        _pace.Now();
        Advance();
    }

    /// <summary>Pairs whoever waits, as far as that goes now.</summary>
    private void Advance()
    {
        ReplayQueue replays = _waiters.Replays;
        int taken = 0;
        // They hold a place already, so the limit of connections is not theirs.
        for (; replays.Oldest is { } replay && taken < _limits.AcceptsPerTurnMax; taken++)
        {
            int backendFd = TakeBackend(replay.SinceMs);
            if (backendFd < 0)
                break;
            Reconnect(replays.TakeOldest(), backendFd);
        }
        for (; _waiters.Listeners.Oldest is { } listener; taken++)
        {
            if (taken >= _limits.AcceptsPerTurnMax)
            {
                _loop.RunAgain(listener);
                break;
            }
            if (_phase is ServicePhase.Starved or ServicePhase.Paused or ServicePhase.Stopped)
                break;
            if (_server.AtLimit)
            {
                RejectOldest(listener);
                continue;
            }
            int backendFd = replays.Count > 0 ? -1 : TakeBackend(listener.OldestMs);
            if (backendFd < 0)
                break;
            Pair(listener, backendFd);
        }
        if (taken >= _limits.AcceptsPerTurnMax && replays.Count > 0)
            _loop.RunAgain(replays);
        Settle();
    }

    /// <summary>A backend connection that stands, or -1 when there is none for now.</summary>
    /// <param name="sinceMs">Since when that client waits who is to have it.</param>
    private int TakeBackend(long sinceMs)
    {
        while (_phase is ServicePhase.Warm or ServicePhase.Cold)
        {
            if (_isShut)
            {
                _episode.Began(sinceMs);
                break;
            }
            int spareFd = _spares.Take();
            if (spareFd >= 0)
                return spareFd;
            if (!MayDial())
                break;
            DialResult dialled = _attempts.Dial();
            if (dialled.Status == DialStatus.Standing)
                return dialled.Fd;
            if (dialled.Status == DialStatus.Failed)
                OnFailure(dialled.Error);
        }
        return -1;
    }

    private bool MayDial() => _phase switch
    {
        ServicePhase.Warm => _attempts.Count < Math.Min(_waiters.Count, _limits.ConnectsInFlightMax),
        // A new wait begins with an attempt at once; the pause is for those after it.
        ServicePhase.Cold => _attempts.Count == 0 && (!_episode.IsOpen || _loop.NowMs >= _pace.NextMs),
        _ => false,
    };

    private void OnConcluded(DialResult result)
    {
        if (result.Status == DialStatus.Standing)
            _spares.Add(result.Fd, _loop.NowMs);
        else
            OnFailure(result.Error);
        Advance();
    }

    private void OnFailure(Errno error)
    {
        // An attempt that was on its way may still end while we are paused.
        if (_phase is ServicePhase.Paused or ServicePhase.Stopped)
            return;
        if (error.IsShortage())
        {
            Starve(error);
            return;
        }
        if (_phase == ServicePhase.Warm || !_episode.IsOpen)
        {
            _phase = ServicePhase.Cold;
            _pace.Begin();
        }
        _pace.OnFailure(_loop.NowMs);
        _isShut = _settings.IsGated;
        _episode.Failed(error, Math.Min(_waiters.OldestMs, _loop.NowMs), again: _isShut);
        _attempts.Addresses.Freshen(failed: true, _loop.NowMs);
    }

    private void Starve(Errno error)
    {
        _phase = ServicePhase.Starved;
        _pace.OnShortage(_loop.NowMs);
        _server.NoteShortage(_settings.Index, error, _loop.NowMs);
    }

    private void Pair(Listener listener, int backendFd)
    {
        SysResult client = listener.Accept(out long arrivedMs);
        if (!client.Ok)
        {
            // Nobody there (another instance was faster), gone already, or no descriptor: the connection is a spare.
            _spares.Add(backendFd, _loop.NowMs);
            if (client.Errno.IsShortage())
                Starve(client.Errno);
            return;
        }
        long waitedMs = _loop.NowMs - arrivedMs;
        _phase = ServicePhase.Warm;
        Action<long>? firstByte = _episode.Answered(waitedMs, _waiters.Count + 1);
        Service? retryAt = _settings.RetryUnanswered ? this : null;
        // Who waited may have given up; the queue hands out the dead too.
        if (waitedMs > 0 && Sockets.IsDead(client.Value))
        {
            Libc.close(client.Value);
            _spares.Add(backendFd, _loop.NowMs);
            _server.NoteClientDone(_settings);
        }
        else if (!_server.TryPlace(new(_settings, client.Value, listener.Kind == ListenerKind.Tcp, backendFd, firstByte, retryAt), Worker))
        {
            _spares.Add(backendFd, _loop.NowMs);
            Reject(client.Value);
        }
    }

    private void Reconnect(Replay replay, int backendFd)
    {
        long waitedMs = _loop.NowMs - replay.SinceMs;
        _phase = ServicePhase.Warm;
        replay.Resume(backendFd, _episode.Answered(waitedMs, _waiters.Count + 1));
    }

    private void RejectOldest(Listener listener)
    {
        SysResult client = listener.Accept(out _);
        if (client.Ok)
            Reject(client.Value);
        else if (client.Errno.IsShortage())
            Starve(client.Errno);
    }

    private void Reject(int clientFd)
    {
        Sockets.Reset(clientFd);
        _server.NoteRejected(_settings, _loop.NowMs);
    }

    /// <summary>After every change: reset whose time is up, publish the count, arm the timer.</summary>
    private void Settle()
    {
        if (_phase is ServicePhase.Stopped or ServicePhase.Paused)
            return;
        while (HoldDueMs() <= _loop.NowMs && ResetOldest() is { } sinceMs)
            _episode.Expired(_loop.NowMs - sinceMs, isTrying: _attempts.Count > 0);
        int waiting = _waiters.Count;
        if (waiting == 0)
            _episode.Over();
        if (waiting != _waiting)
        {
            _waiting = waiting;
            _server.NoteActivity();
        }
        long dueMs = Math.Min(SparesDueMs(), Math.Min(HoldDueMs(), RetryDueMs()));
        if (dueMs == long.MaxValue)
            _loop.Timers.Cancel(_timer);
        else
            _loop.Timers.Arm(_timer, dueMs);
    }

    /// <summary>Since when that client had waited; null if there was none.</summary>
    private long? ResetOldest()
    {
        SysResult reset = _waiters.ResetOldest(out long sinceMs);
        if (reset.Ok)
        {
            _server.NoteClientDone(_settings);
            return sinceMs;
        }
        if (reset.Errno.IsShortage())
            Starve(reset.Errno);
        return null;
    }

    private long HoldDueMs()
    {
        if (_settings.HoldTimeoutMs is not { } holdMs || _phase == ServicePhase.Starved || _waiters.Count == 0)
            return long.MaxValue;
        // A hold of 0 means "try once": that one attempt, and the resolver before it, may take their time.
        return holdMs == 0 && _attempts.IsUndecided ? long.MaxValue : _waiters.OldestMs + holdMs;
    }

    /// <summary>While starved, a spare may be what an accept without descriptors left over: its client still waits, so it is kept.</summary>
    private long SparesDueMs() => _phase == ServicePhase.Starved ? long.MaxValue : _spares.NextDueMs;

    private long RetryDueMs() =>
        _waiters.Count == 0 || _isShut || _phase == ServicePhase.Warm || (_attempts.Count > 0 && _phase != ServicePhase.Starved)
            ? long.MaxValue
            : _pace.NextMs;

    private void OnTimer()
    {
        if (_phase != ServicePhase.Starved)
            _spares.CloseDue(_loop.NowMs);
        else if (_loop.NowMs >= _pace.NextMs)
            _phase = ServicePhase.Cold;
        Advance();
    }
}
