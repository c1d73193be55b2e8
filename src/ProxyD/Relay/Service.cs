using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>How a service stands towards its backend.</summary>
internal enum ServicePhase
{
    /// <summary>The last attempt stood: each client is paired as it comes.</summary>
    Warm,

    /// <summary>The last attempt failed: one attempt at a time, with a pause between, while anyone waits.</summary>
    Cold,

    /// <summary>No descriptors: nothing is opened until a connection ends or <see cref="RelayLimits.ShortageRetryMs"/> has passed.</summary>
    Starved,

    /// <summary>proxyd may be about to end: whoever comes now waits for what is decided.</summary>
    Paused,

    /// <summary>proxyd is ending: the queue is left to the next instance.</summary>
    Stopped,
}

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
    private readonly ListenerSet _listeners;
    private readonly SpareConnections _spares;
    private readonly Attempts _attempts;
    private readonly LoopTimer _timer;
    private readonly Episode _episode;
    private volatile ServicePhase _phase = ServicePhase.Warm;
    private bool _isShut;
    private long _nextTryMs;
    private int _retryMs;
    private volatile int _waiting;

    internal Service(ServiceSettings settings, RelayServer server, Worker worker)
    {
        _settings = settings;
        _server = server;
        Worker = worker;
        _loop = worker.Loop;
        _limits = worker.Limits;
        _listeners = new(settings.Listeners);
        _spares = new(_limits.SpareLifetimeMs);
        _attempts = new(worker, new AddressList(settings, server.Report), onlyOne: settings.HoldTimeoutMs == 0, OnConcluded);
        _episode = new(settings.Index, server.Report);
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
    internal void Start() => _listeners.Watch(_loop, Advance);

    /// <summary>Leaves all queues alone from now on. Attempts and spares carry no client and are closed.</summary>
    internal void Stop()
    {
        _phase = ServicePhase.Stopped;
        _listeners.Leave();
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
        _listeners.Look();
        return _listeners.Waiting == 0;
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
            _listeners.Look();
        return _listeners.Waiting;
    }

    /// <summary>After <see cref="Shut"/>, and for a gated service after each wait that began: an attempt is worth while.</summary>
    internal void Open()
    {
        _isShut = false;
        // A gated service may be opened after each attempt that fails: the pause between two of them holds all the same.
        if (_phase is not (ServicePhase.Stopped or ServicePhase.Paused))
            Advance();
    }

    /// <summary>Resets everybody who waits now: what they wait for cannot come.</summary>
    internal void ResetWaiting()
    {
        if (_phase is ServicePhase.Stopped or ServicePhase.Paused)
            return;
        _listeners.Look();
        for (int left = _listeners.Waiting; left > 0 && _phase != ServicePhase.Starved && _listeners.Oldest is { } listener; left--)
            ResetOldest(listener);
        Settle();
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
        _nextTryMs = 0;
        Advance();
    }

    /// <summary>Pairs whoever waits, as far as that goes now.</summary>
    private void Advance()
    {
        for (int taken = 0; _listeners.Oldest is { } listener; taken++)
        {
            if (taken == _limits.AcceptsPerTurnMax)
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
            if (_isShut)
            {
                _episode.Began(listener.OldestMs);
                break;
            }
            int backendFd = _spares.Take();
            if (backendFd < 0 && !MayDial())
                break;
            DialResult dialled = backendFd < 0 ? _attempts.Dial() : new(DialStatus.Standing, backendFd, Errno.None);
            if (dialled.Status == DialStatus.Standing)
                Pair(listener, dialled.Fd);
            else if (dialled.Status == DialStatus.Failed)
                OnFailure(dialled.Error);
        }
        Settle();
    }

    private bool MayDial() => _phase switch
    {
        ServicePhase.Warm => _attempts.Count < Math.Min(_listeners.Waiting, _limits.ConnectsInFlightMax),
        // A new wait begins with an attempt at once; the pause is for those after it.
        ServicePhase.Cold => _attempts.Count == 0 && (!_episode.IsOpen || _loop.NowMs >= _nextTryMs),
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
            _retryMs = _limits.RetryMinMs;
        }
        _nextTryMs = _loop.NowMs + _retryMs;
        _retryMs = Math.Min(_retryMs * 2, _limits.RetryMaxMs);
        _isShut = _settings.IsGated;
        _episode.Failed(error, _listeners.Oldest?.OldestMs ?? _loop.NowMs, again: _isShut);
        _attempts.Addresses.Freshen(failed: true, _loop.NowMs);
    }

    private void Starve(Errno error)
    {
        _phase = ServicePhase.Starved;
        _nextTryMs = _loop.NowMs + _limits.ShortageRetryMs;
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
        Action<long>? firstByte = _episode.Answered(waitedMs, _listeners.Waiting + 1);
        // Who waited may have given up; the queue hands out the dead too.
        if (waitedMs > 0 && Sockets.IsDead(client.Value))
        {
            Libc.close(client.Value);
            _spares.Add(backendFd, _loop.NowMs);
            _server.NoteClientDone(_settings);
        }
        else if (!_server.TryPlace(new(_settings, client.Value, listener.Kind == ListenerKind.Tcp, backendFd, firstByte), Worker))
        {
            _spares.Add(backendFd, _loop.NowMs);
            Reject(client.Value);
        }
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
        while (_phase != ServicePhase.Starved && HoldDueMs() <= _loop.NowMs)
            ExpireOldest(_listeners.Oldest!);
        int waiting = _listeners.Waiting;
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

    private void ExpireOldest(Listener listener)
    {
        if (ResetOldest(listener) is not { } arrivedMs)
            return;
        _server.Report(new(RelayEventKind.WaitExpired, _settings.Index)
        {
            // A first attempt that is still on its way has no error yet, but it has had its time.
            Error = _attempts.Count > 0 && _episode.LastError == Errno.None ? Errno.ETIMEDOUT : _episode.LastError,
            WaitedMs = _loop.NowMs - arrivedMs,
        });
    }

    /// <summary>When that client had come; null if there was none.</summary>
    private long? ResetOldest(Listener listener)
    {
        SysResult client = listener.Accept(out long arrivedMs);
        if (client.Ok)
        {
            Sockets.Reset(client.Value);
            _server.NoteClientDone(_settings);
            return arrivedMs;
        }
        if (client.Errno.IsShortage())
            Starve(client.Errno);
        return null;
    }

    private long HoldDueMs()
    {
        if (_settings.HoldTimeoutMs is not { } holdMs || _phase == ServicePhase.Starved || _listeners.Oldest is not { } oldest)
            return long.MaxValue;
        // A hold of 0 means "try once": that one attempt, and the resolver before it, may take their time.
        return holdMs == 0 && _attempts.IsUndecided ? long.MaxValue : oldest.OldestMs + holdMs;
    }

    /// <summary>While starved, a spare may be what an accept without descriptors left over: its client still waits, so it is kept.</summary>
    private long SparesDueMs() => _phase == ServicePhase.Starved ? long.MaxValue : _spares.NextDueMs;

    private long RetryDueMs() =>
        _listeners.Waiting == 0 || _isShut || _phase == ServicePhase.Warm || (_attempts.Count > 0 && _phase != ServicePhase.Starved)
            ? long.MaxValue
            : _nextTryMs;

    private void OnTimer()
    {
        if (_phase != ServicePhase.Starved)
            _spares.CloseDue(_loop.NowMs);
        else if (_loop.NowMs >= _nextTryMs)
            _phase = ServicePhase.Cold;
        Advance();
    }
}
