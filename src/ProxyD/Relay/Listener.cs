using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>What kind of socket clients come from; decides how to ask who waits.</summary>
internal enum ListenerKind
{
    /// <summary>A listening TCP socket: the kernel tells how many wait.</summary>
    Tcp,

    /// <summary>A listening Unix socket, or any but TCP: the kernel tells only whether anyone waits.</summary>
    Other,

    /// <summary>A client's own socket, accepted by systemd (<c>Accept=yes</c>): one client, there from the start.</summary>
    Connected,
}

/// <summary>A socket that clients wait at, and since when each of them does.</summary>
/// <remarks>Edge-triggered: while the backend is cold, clients that wait don't wake the loop; only the arrival of another does.</remarks>
internal sealed unsafe class Listener : EventSink
{
    private readonly WaitQueue _waiting = new();
    private EventLoop? _loop;
    private Action? _arrived;
    private LoopSlot _slot;
    private long _lastEventMs;

    /// <summary>Somebody waits of whom no event has told; if one is on the way, it comes with the next turn.</summary>
    private bool _sawSomebody;

    /// <summary>Somebody was counted whose event may still come.</summary>
    private bool _wasSeenEarly;

    /// <summary>How many in the queue were there before us and so inherited nothing from <see cref="PrepareAccepted"/>.</summary>
    private int _cameBefore;

    internal Listener(int fd, ListenerKind kind)
    {
        Fd = fd;
        Kind = kind;
    }

    internal int Fd { get; }

    internal ListenerKind Kind { get; }

    internal int Waiting => _waiting.Count;

    internal long OldestMs => _waiting.OldestMs;

    /// <summary>Begins to watch. On the loop's thread.</summary>
    /// <param name="loop">The loop that will call.</param>
    /// <param name="arrived">Called after <see cref="Waiting"/> was brought up to date.</param>
    internal void Watch(EventLoop loop, Action arrived)
    {
        _loop = loop;
        _arrived = arrived;
        _slot = loop.TakeSlot(this);
        if (Kind != ListenerKind.Other)
            PrepareAccepted();
        if (Kind == ListenerKind.Connected)
        {
            _waiting.Add(loop.NowMs);
            loop.RunAgain(this);
        }
        else
        {
            // Clients that came before us are reported at once, as an event.
            loop.Watch(Fd, EPOLLIN, _slot, 0).OrThrow("watching a listener");
        }
    }

    /// <summary>Leaves the queue alone from now on; who waits there stays, for whoever holds the socket next.</summary>
    internal void Leave()
    {
        if (_loop is null)
            return;
        if (Kind != ListenerKind.Connected)
        {
            _loop.Unwatch(Fd);
            Libc.close(Fd);
        }
        else if (Waiting > 0)
        {
            // Accepted by systemd already, so no other instance can serve it.
            Sockets.Reset(Fd);
        }
        _loop.ReleaseSlot(_slot);
        _waiting.SyncTo(0, _loop.NowMs);
        _loop = null;
    }

    internal override void OnEvents(uint events, int tag)
    {
        _lastEventMs = _loop!.NowMs;
        _sawSomebody = false;
        // One that was seen before its event came has been counted.
        if (Kind == ListenerKind.Other && !_wasSeenEarly)
            _waiting.Add(_lastEventMs);
        _wasSeenEarly = false;
        Look();
        _arrived!();
    }

    internal override void OnTurn()
    {
        if (_loop is null)
            return;
        if (Kind != ListenerKind.Other || Waiting > 0)
            Look();
        else if (!FindHidden())
            return;
        _arrived!();
    }

    /// <summary>Dates a client that hid behind another's event: it came with that one.</summary>
    /// <remarks>One that has only just come looks the same until its own event tells, in the next turn: so look twice.</remarks>
    private bool FindHidden()
    {
        bool somebody = Sockets.PollNow(Fd, POLLIN) != 0;
        if (somebody && _sawSomebody)
            _waiting.Add(_lastEventMs);
        _sawSomebody = somebody && !_sawSomebody;
        if (_sawSomebody)
            _loop!.RunAgain(this);
        return Waiting > 0;
    }

    /// <summary>Brings <see cref="Waiting"/> up to date with what the kernel tells.</summary>
    internal void Look()
    {
        switch (Kind)
        {
            case ListenerKind.Tcp:
                _waiting.SyncTo(QueueLength(), _loop!.NowMs);
                break;
            case ListenerKind.Other when Sockets.PollNow(Fd, POLLIN) == 0:
                _waiting.SyncTo(0, _loop!.NowMs);
                break;
            case ListenerKind.Other when Waiting == 0:
                _waiting.Add(_loop!.NowMs);
                _wasSeenEarly = true;
                break;
            default:
                break;
        }
    }

    /// <summary>Takes the oldest client out of the queue.</summary>
    /// <param name="arrivedMs">When that client came.</param>
    internal SysResult Accept(out long arrivedMs)
    {
        arrivedMs = _waiting.OldestMs;
        SysResult client = Kind == ListenerKind.Connected
            ? SysResult.From(Fd)
            : SysResult.From(Libc.accept4(Fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client.WouldBlock)
            _waiting.SyncTo(0, _loop!.NowMs);
        else if (!client.Errno.IsShortage())
            AfterAccept(client);
        return client;
    }

    /// <summary>Set on the listener, so that a connection costs no call of its own; those that arrived already are set one by one.</summary>
    private void PrepareAccepted()
    {
        Prepare(Fd);
        _cameBefore = Kind == ListenerKind.Tcp ? QueueLength() : 0;
    }

    private static void Prepare(int fd)
    {
        TcpOptions.SendAtOnce(fd);
        // KeepAlive= in the .socket unit is the administrator's word on it, with times of its own.
        if (!TcpOptions.HasKeepAlive(fd))
            TcpOptions.KeepAlive(fd);
    }

    private void AfterAccept(SysResult client)
    {
        _waiting.RemoveOldest();
        if (_cameBefore > 0)
        {
            _cameBefore--;
            if (client.Ok)
                Prepare(client.Value);
        }
        // Another may hide behind this one's event. Seen now, it could as well have an event of its own on the way.
        if (Kind == ListenerKind.Other && Waiting == 0)
            _loop!.RunAgain(this);
    }

    private int QueueLength()
    {
        tcp_info info = default;
        uint length = (uint)sizeof(tcp_info);
        return Libc.getsockopt(Fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? (int)info.tcpi_unacked : 1;
    }
}
