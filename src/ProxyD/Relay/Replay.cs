namespace ProxyD.Relay;

/// <summary>A connection that a backend has reset unanswered, and that waits at its service for another.</summary>
/// <remarks>
/// The connection stays with its worker, the wait belongs to the service's: each tells the other by a post, never by a call. What
/// is told may be late, so the connection knows by this object whether it still waits, and a backend connection that comes too
/// late goes back.
/// </remarks>
/// <param name="connection">Who waits.</param>
/// <param name="worker">The connection's.</param>
/// <param name="service">Where it waits.</param>
/// <param name="bytes">How many bytes of the client's are kept.</param>
internal sealed class Replay(Connection connection, Worker worker, Service service, int bytes)
{
    internal int Bytes => bytes;

    /// <summary>When the service took it. On the service's thread, as its place in the queue.</summary>
    internal long SinceMs { get; set; }

    internal LinkedListNode<Replay>? Place { get; set; }

    /// <summary>The wait begins. From the connection's thread, as the next two.</summary>
    internal void Begin() => service.Worker.Loop.Post(() => service.TakeBack(this));

    /// <summary>The connection has ended; it waits no more.</summary>
    internal void Withdraw() => service.Worker.Loop.Post(() => service.Withdraw(this));

    /// <summary>The connection ended before this came; another client will use it.</summary>
    internal void Refuse(int backendFd) => service.Worker.Loop.Post(() => service.TakeSpare(backendFd));

    /// <summary>Another backend connection stands. From the service's thread, as the next one.</summary>
    internal void Resume(int backendFd, Action<long>? firstByte) => worker.Loop.Post(() => connection.Resume(this, backendFd, firstByte));

    /// <summary>None will come.</summary>
    internal void GiveUp() => worker.Loop.Post(() => connection.GiveUp(this));
}

/// <summary>The connections that wait at one service for another backend, oldest first.</summary>
/// <param name="goOn">Called in the next turn after <see cref="EventLoop.RunAgain"/>.</param>
internal sealed class ReplayQueue(Action goOn) : EventSink
{
    private readonly LinkedList<Replay> _waiting = new();

    internal int Count => _waiting.Count;

    internal Replay? Oldest => _waiting.First?.Value;

    /// <summary>Since when the oldest waits; <see cref="long.MaxValue"/> when none does.</summary>
    internal long OldestMs => Oldest?.SinceMs ?? long.MaxValue;

    internal void Add(Replay replay, long nowMs)
    {
        replay.SinceMs = nowMs;
        replay.Place = _waiting.AddLast(replay);
    }

    /// <summary>Takes it out; one that is out already is left alone.</summary>
    internal void Remove(Replay replay)
    {
        if (replay.Place?.List is not null)
            _waiting.Remove(replay.Place);
    }

    internal Replay TakeOldest()
    {
        Replay oldest = _waiting.First!.Value;
        _waiting.RemoveFirst();
        return oldest;
    }

    internal void GiveUpAll()
    {
        while (Count > 0)
            TakeOldest().GiveUp();
    }

    internal override void OnEvents(uint events, int tag) { }

    internal override void OnTurn() => goOn();
}
