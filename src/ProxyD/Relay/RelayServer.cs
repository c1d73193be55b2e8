using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>The data plane as the rest of the program sees it: workers, services, the connection limit.</summary>
/// <remarks>Public members may be called from any thread; those for the data plane say so.</remarks>
internal sealed class RelayServer
{
    /// <summary>A limit or shortage that lasts is reported once in this time.</summary>
    private const int ReportPauseMs = 10_000;

    private readonly RelayLimits _limits;
    private readonly Worker[] _workers;
    private readonly ServiceSettings[] _settings;
    private readonly Service[] _services;
    private readonly bool _reportEnds;
    private int _live;
    private int _activityReported;
    private int _rejectedUnreported;
    private int _rejected;
    private int _unanswered;
    private long _limitReportedMs = long.MinValue / 2;
    private long _shortageReportedMs = long.MinValue / 2;

    /// <param name="limits">Bounds of the data plane.</param>
    /// <param name="settings">The services, each at its own index.</param>
    /// <param name="report">Takes what the data plane tells; called on its threads, so it must neither block nor throw.</param>
    /// <param name="reportEnds">Also report the end of each connection, and what is retried.</param>
    /// <exception cref="SysException">No descriptors for the workers.</exception>
    internal RelayServer(
        RelayLimits limits, IReadOnlyList<ServiceSettings> settings, Action<RelayEvent> report, bool reportEnds = false)
    {
        _limits = limits;
        Report = report;
        _reportEnds = reportEnds;
        _settings = [.. settings];
        _workers = new Worker[limits.Threads];
        for (int i = 0; i < _workers.Length; i++)
            _workers[i] = new(limits, OnEnded, () => Interlocked.Decrement(ref _live), _settings.Length);
        _services = new Service[_settings.Length];
        for (int i = 0; i < _services.Length; i++)
            _services[i] = new(_settings[i], this, _workers[i % _workers.Length]);
    }

    internal Action<RelayEvent> Report { get; }

    /// <summary>Connections that are relayed now.</summary>
    internal int Live => Volatile.Read(ref _live);

    internal bool AtLimit => Live >= _limits.ConnectionsMax;

    /// <summary>The one client was accepted before us (<c>Accept=yes</c>), and no other will come.</summary>
    internal bool ServesOneClient => Array.Exists(_settings, s => s.IsConnected);

    /// <summary>Clients that were reset because of the connection limit, so far.</summary>
    internal int Rejected => Volatile.Read(ref _rejected);

    /// <summary>Clients known to wait for this service's backend.</summary>
    internal int WaitingFor(int service) => _services[service].Waiting;

    internal void Start()
    {
        for (int i = 0; i < _workers.Length; i++)
            _workers[i].Start($"relay-{i}");
        foreach (Service service in _services)
            service.Worker.Loop.Post(service.Start);
    }

    /// <summary>Stops taking clients; those that wait stay in their queues. Live connections go on.</summary>
    internal void StopAccepting()
    {
        foreach (Service service in _services)
            service.Worker.Loop.Post(service.Stop);
    }

    /// <summary>Takes nobody more for now; completes when no worker does. Each result says whether nobody waits at that service.</summary>
    internal Task<bool[]> PauseAsync() => Task.WhenAll(_services.Select(service => Ask(service.Worker, _ => service.Pause())));

    /// <summary>After <see cref="PauseAsync"/>: goes on, with those who came meanwhile first.</summary>
    internal void Resume()
    {
        foreach (Service service in _services)
            service.Worker.Loop.Post(service.Resume);
    }

    /// <summary>Resets every connection that is still live; completes when that is done.</summary>
    internal Task AbortAllAsync() => AskEachWorker(worker =>
    {
        foreach (EventSink sink in worker.Loop.Sinks)
            (sink as Connection)?.Abort(CloseReason.Drained);
        return true;
    });

    /// <summary>Nobody is taken to this service's backend until <see cref="Open"/>; completes when that holds.</summary>
    /// <returns>How many wait.</returns>
    internal Task<int> ShutAsync(int service) => Ask(_services[service].Worker, _ => _services[service].Shut());

    /// <summary>After <see cref="ShutAsync"/>, and for a gated service after each wait that began: clients are let through.</summary>
    internal void Open(int service) => _services[service].Worker.Loop.Post(_services[service].Open);

    /// <summary>The backend will not come soon (or may any moment): it is tried seldom (or at once, and often).</summary>
    internal void SetSlow(int service, bool isSlow) => _services[service].Worker.Loop.Post(() => _services[service].SetSlow(isSlow));

    /// <summary>Resets everybody who waits for this service now.</summary>
    internal void ResetWaiting(int service) => _services[service].Worker.Loop.Post(_services[service].ResetWaiting);

    /// <summary>For each thread, when one of its live connections last moved bytes, by <see cref="EventLoop.ClockMs"/>; 0 when it has none.</summary>
    internal Task<long[]> LastMovesAsync() => AskEachWorker(worker => worker.Loop.Sinks.OfType<Connection>().Max(c => (long?)c.LastMoveMs) ?? 0);

    /// <summary>Calls back on a data-plane thread, at the next byte that a live connection moves, once for each thread; null never.</summary>
    internal void TellNextMove(Action? tell)
    {
        foreach (Worker worker in _workers)
            worker.Loop.Post(() => worker.TellNextMove(tell));
    }

    /// <summary>Connections that ended with <see cref="CloseReason.Unanswered"/> since the last call.</summary>
    internal int TakeUnanswered() => Interlocked.Exchange(ref _unanswered, 0);

    /// <summary>For each thread and then each service, what the connections have done so far.</summary>
    internal Task<ServiceTotals[][]> TotalsAsync() => AskEachWorker(worker => worker.Totals());

    /// <summary>Completes when every worker has run something: proof that none of them hangs.</summary>
    internal Task PingAsync() => AskEachWorker(_ => true);

    /// <summary>Gives a service the addresses of its backend; an empty list means that none were found.</summary>
    internal void SetAddresses(int service, SocketAddress[] addresses) =>
        _services[service].Worker.Loop.Post(() => _services[service].SetAddresses(addresses));

    /// <summary>From now on <see cref="RelayEventKind.Activity"/> is reported again, once.</summary>
    internal void ListenForActivity() => Interlocked.Exchange(ref _activityReported, 0);

    /// <summary>For each thread, how many replay buffers connections hold; for tests, which look for what was never given back.</summary>
    internal Task<int[]> ReplayBuffersLentAsync() => AskEachWorker(worker => worker.ReplayBuffers.LentCount);

    /// <summary>For each thread, how many bytes it has allocated so far, or -1 until it answers; for tests. Answering allocates nothing there.</summary>
    internal long[] AskAllocatedBytes()
    {
        long[] answers = new long[_workers.Length];
        Array.Fill(answers, -1);
        for (int i = 0; i < _workers.Length; i++)
        {
            int index = i;
            _workers[i].Loop.Post(() => Volatile.Write(ref answers[index], GC.GetAllocatedBytesForCurrentThread()));
        }
        return answers;
    }

    /// <summary>Ends all workers' threads; for tests, which run many servers in one process.</summary>
    internal void StopWorkers()
    {
        foreach (Worker worker in _workers)
            worker.Loop.Stop();
    }

    /// <summary>Data plane: a pair stands; the worker with the fewest connections gets it, the caller's own when in doubt.</summary>
    /// <returns>False when services on other threads have just used up the limit; the descriptors are still the caller's.</returns>
    internal bool TryPlace(Pair pair, Worker own)
    {
        int live = Live;
        // Never above the limit, not even for a moment: that would reset another thread's client.
        while (live < _limits.ConnectionsMax && Interlocked.CompareExchange(ref _live, live + 1, live) is var seen && seen != live)
            live = seen;
        if (live >= _limits.ConnectionsMax)
            return false;
        Worker worker = own;
        foreach (Worker other in _workers)
        {
            if (other.Connections < worker.Connections)
                worker = other;
        }
        if (worker == own)
            own.Take(pair);
        else
            worker.Hand(pair);
        NoteActivity();
        return true;
    }

    /// <summary>Data plane: something changed that the status line shows. Costs one read while a report is on its way.</summary>
    internal void NoteActivity()
    {
        // Against ListenForActivity: either we see that it listens, or it sees what we changed.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _activityReported) == 0 && Interlocked.Exchange(ref _activityReported, 1) == 0)
            Report(new(RelayEventKind.Activity, 0));
    }

    /// <summary>Data plane: a client was reset because of the connection limit.</summary>
    internal void NoteRejected(ServiceSettings service, long nowMs)
    {
        Interlocked.Increment(ref _rejected);
        int rejected = Interlocked.Increment(ref _rejectedUnreported);
        if (nowMs - Volatile.Read(ref _limitReportedMs) >= ReportPauseMs)
        {
            Volatile.Write(ref _limitReportedMs, nowMs);
            Interlocked.Add(ref _rejectedUnreported, -rejected);
            Report(new(RelayEventKind.LimitReached, service.Index) { Clients = rejected });
        }
        NoteClientDone(service);
    }

    /// <summary>Data plane: descriptors or socket memory ran out.</summary>
    internal void NoteShortage(int service, Errno error, long nowMs)
    {
        if (nowMs - Volatile.Read(ref _shortageReportedMs) < ReportPauseMs)
            return;
        Volatile.Write(ref _shortageReportedMs, nowMs);
        Report(new(RelayEventKind.Shortage, service) { Error = error });
    }

    /// <summary>Data plane: a connection waits for another backend.</summary>
    internal void NoteRetried(ServiceSettings service, Replay replay)
    {
        if (_reportEnds)
            Report(new(RelayEventKind.ConnectionRetried, service.Index) { UpBytes = replay.Bytes });
    }

    /// <summary>Data plane: a client of the service was served or reset.</summary>
    internal void NoteClientDone(ServiceSettings service)
    {
        if (service.IsConnected)
            Report(new(RelayEventKind.ConnectedDone, service.Index));
    }

    private void OnEnded(Connection connection)
    {
        if (connection.Reason == CloseReason.Unanswered)
            Interlocked.Increment(ref _unanswered);
        NoteActivity();
        if (_reportEnds)
        {
            Report(new(RelayEventKind.ConnectionEnded, connection.Service.Index)
            {
                Reason = connection.Reason!.Value,
                UpBytes = connection.UpBytes,
                DownBytes = connection.DownBytes,
            });
        }
        foreach (Service service in _services)
        {
            if (service.IsStarved)
                service.Worker.Loop.Post(service.Retry);
        }
        NoteClientDone(connection.Service);
    }

    private Task<T[]> AskEachWorker<T>(Func<Worker, T> question) => Task.WhenAll(_workers.Select(worker => Ask(worker, question)));

    private static Task<T> Ask<T>(Worker worker, Func<Worker, T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.Loop.Post(() => answer.SetResult(question(worker)));
        return answer.Task;
    }
}
