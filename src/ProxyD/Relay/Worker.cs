using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ProxyD.Relay;

/// <summary>A client and its standing backend connection, both non-blocking, ready to be relayed.</summary>
/// <param name="Service">The service they belong to.</param>
/// <param name="ClientIsTcp">False on a Unix socket, and where one can't tell.</param>
/// <param name="FirstByte">Called with the time at which the client was sent the backend's first byte; null when nobody asks.</param>
/// <param name="RetryAt">Where the connection waits for another backend when this one resets it unanswered; null when it then ends.</param>
internal readonly record struct Pair(
    ServiceSettings Service, int ClientFd, bool ClientIsTcp, int BackendFd, Action<long>? FirstByte = null, Service? RetryAt = null);

/// <summary>One data-plane thread with what its connections share: loop, scratch buffer, pipes.</summary>
internal sealed unsafe class Worker
{
    private readonly ConcurrentQueue<Pair> _handed = new();
    private readonly Stack<Connection> _reusable = new();
    private readonly Action _takeHanded;
    private readonly Action? _ending;
    private Action? _nextMove;
    private readonly Action<Connection> _ended;
    private readonly ServiceTotals[] _endedTotals;
    private int _connections;

    /// <param name="limits">Bounds of the data plane.</param>
    /// <param name="ended">Called for each connection that ended, on the worker's thread; the object is reused afterwards.</param>
    /// <param name="ending">Called before, when its descriptors are about to be closed.</param>
    /// <param name="services">How many there are.</param>
    /// <exception cref="Interop.SysException">No descriptors for an epoll.</exception>
    internal Worker(RelayLimits limits, Action<Connection> ended, Action? ending = null, int services = 1)
    {
        Limits = limits;
        _endedTotals = new ServiceTotals[services];
        Loop = new EventLoop();
        Pipes = new PipePool(limits.PipesPerThreadMax, limits.KeptPipesPerThreadMax, limits.DescriptorCeiling);
        Scratch = (byte*)NativeMemory.AlignedAlloc(RelayLimits.ScratchBytes, 4096);
        _takeHanded = TakeHanded;
        _ending = ending;
        _ended = ended;
    }

    internal RelayLimits Limits { get; }

    internal EventLoop Loop { get; }

    internal PipePool Pipes { get; }

    internal ReplayBuffers ReplayBuffers { get; } = new();

    /// <summary><see cref="RelayLimits.ScratchBytes"/> that hold bytes only within one call, never across turns.</summary>
    internal byte* Scratch { get; }

    internal long NowMs => Loop.NowMs;

    /// <summary>Connections placed here and not ended; read by whoever places the next one.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    internal void Start(string name) => new Thread(Loop.Run) { Name = name, IsBackground = true }.Start();

    /// <summary>Relays a pair from now on. On this worker's thread.</summary>
    internal void Take(Pair pair)
    {
        Interlocked.Increment(ref _connections);
        Begin(pair);
    }

    /// <summary>Gives a pair to this worker. From another worker's thread.</summary>
    internal void Hand(Pair pair)
    {
        Interlocked.Increment(ref _connections);
        _handed.Enqueue(pair);
        Loop.Post(_takeHanded);
    }

    /// <summary>Before the close: a client that has seen the end finds room when it comes back at once.</summary>
    internal void OnEnding()
    {
        Interlocked.Decrement(ref _connections);
        _ending?.Invoke();
    }

    internal void OnEnded(Connection connection, bool reusable)
    {
        ref ServiceTotals totals = ref _endedTotals[connection.Service.Index];
        totals = totals.With(connection);
        _ended(connection);
        if (reusable && _reusable.Count < RelayLimits.SpareConnectionObjectsMax)
            _reusable.Push(connection);
    }

    /// <summary>What each service's connections here have done. On this worker's thread; costs a look at each live connection.</summary>
    internal ServiceTotals[] Totals()
    {
        ServiceTotals[] totals = [.. _endedTotals];
        foreach (EventSink sink in Loop.Sinks)
        {
            if (sink is Connection { Service.Index: var service } connection)
                totals[service] = totals[service].With(connection);
        }
        return totals;
    }

    /// <summary>Calls back once, at the next byte that any connection here moves; null never.</summary>
    internal void TellNextMove(Action? tell) => _nextMove = tell;

    /// <summary>A connection has moved bytes.</summary>
    internal void OnMove()
    {
        if (_nextMove is not { } tell)
            return;
        _nextMove = null;
        tell();
    }

    private void TakeHanded()
    {
        if (_handed.TryDequeue(out Pair pair))
            Begin(pair);
    }

    private void Begin(Pair pair)
    {
        if (!_reusable.TryPop(out Connection? connection))
            connection = new Connection(this);
        connection.Start(pair);
    }
}
