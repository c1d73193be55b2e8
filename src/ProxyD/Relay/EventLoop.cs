using System.Collections.Concurrent;
using System.Diagnostics;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>One thread, one epoll: tells sinks of their events, fires timers, runs what other threads post.</summary>
/// <remarks>
/// It knows nothing of connections. Descriptors are registered once and edge-triggered; sinks remember what they were told.
/// Nothing here or below may throw: an exception is a bug and ends the process with a message, because a daemon that has
/// silently stopped serving is worse than one that systemd restarts.
/// </remarks>
internal sealed unsafe class EventLoop
{
    private const int EventsPerWait = 256;
    private const ulong WakeData = ulong.MaxValue;

    private readonly int _epollFd;
    private readonly int _wakeFd;
    private readonly byte[] _events = GC.AllocateArray<byte>(EventsPerWait * epoll_event.Size, pinned: true);
    private readonly SlotTable _slots = new();
    private readonly ConcurrentQueue<Action> _posted = new();
    private Queue<EventSink> _again = new();
    private Queue<EventSink> _turn = new();
    private volatile bool _stopping;

    /// <summary>1 from just before the loop may block until it runs again: only then a post must wake it.</summary>
    private int _mayBlock;

    /// <exception cref="SysException">No descriptors for an epoll.</exception>
    internal EventLoop()
    {
        _epollFd = SysResult.From(Libc.epoll_create1(EPOLL_CLOEXEC)).OrThrow("epoll_create1");
        _wakeFd = SysResult.From(Libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)).OrThrow("eventfd");
        NowMs = ClockMs();
        // Edge-triggered: each write is an event of its own, so the counter is never read.
        Control(EPOLL_CTL_ADD, _wakeFd, EPOLLIN | EPOLLET, WakeData).OrThrow("epoll_ctl");
    }

    /// <summary>Monotonic milliseconds, read once a turn.</summary>
    internal long NowMs { get; private set; }

    internal TimerQueue Timers { get; } = new();

    /// <summary>Everybody who is registered now; for draining. On the loop's thread only.</summary>
    internal EventSink[] Sinks => _slots.Snapshot();

    /// <summary>CLOCK_MONOTONIC in milliseconds. Not <c>Environment.TickCount64</c>, whose coarse clock moves in steps of up to 4 ms.</summary>
    internal static long ClockMs() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    internal LoopSlot TakeSlot(EventSink sink) => _slots.Take(sink);

    /// <summary>Events for the slot's former owner that are still on their way are dropped from now on.</summary>
    internal void ReleaseSlot(LoopSlot slot) => _slots.Release(slot);

    /// <summary>Registers a descriptor, edge-triggered. Closing the last copy of it ends the registration.</summary>
    /// <param name="events">EPOLLIN, EPOLLOUT, EPOLLRDHUP as wanted; EPOLLERR and EPOLLHUP always come.</param>
    internal SysResult Watch(int fd, uint events, LoopSlot slot, int tag) =>
        Control(EPOLL_CTL_ADD, fd, events | EPOLLET, slot.ToEventData(tag));

    /// <summary>Ends a registration whose descriptor stays open, here or in another process (a listener that systemd holds too).</summary>
    internal void Unwatch(int fd) => Control(EPOLL_CTL_DEL, fd, 0, 0);

    /// <summary>Runs the sink's <see cref="EventSink.OnTurn"/> in the next turn, after the events that are there by then.</summary>
    internal void RunAgain(EventSink sink) => _again.Enqueue(sink);

    /// <summary>Runs the action on the loop's thread. May be called from any thread; writes to the kernel only when the loop may be blocked.</summary>
    internal void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _mayBlock, 0) == 1)
            WakeUp();
    }

    /// <summary>Makes <see cref="Run"/> return. May be called from any thread.</summary>
    internal void Stop()
    {
        _stopping = true;
        WakeUp();
    }

    /// <summary>Serves until <see cref="Stop"/>; the body of a data-plane thread.</summary>
    internal void Run()
    {
        try
        {
            while (!_stopping)
                Turn();
            Libc.close(_epollFd);
            Libc.close(_wakeFd);
        }
        catch (Exception e)
        {
            Environment.FailFast("proxyd: bug in the data plane", e);
        }
    }

    private void Turn()
    {
        Interlocked.Exchange(ref _mayBlock, 1);
        int timeoutMs = _posted.IsEmpty && _again.Count == 0 ? TimeoutMs() : 0;
        int count;
        fixed (byte* events = _events)
        {
            // An error here can only be EINTR (the runtime's own signals): then there are no events, and the next turn waits again.
            count = Libc.epoll_wait(_epollFd, events, EventsPerWait, timeoutMs);
            Volatile.Write(ref _mayBlock, 0);
            NowMs = ClockMs();
            for (int i = 0; i < count; i++)
                Dispatch(epoll_event.Read(events + (i * epoll_event.Size)));
        }
        Timers.FireDue(NowMs);
        RunAgainTurn();
        while (_posted.TryDequeue(out Action? action))
            action();
    }

    private void Dispatch((uint Events, ulong Data) happened)
    {
        if (happened.Data == WakeData)
            return;
        (LoopSlot slot, int tag) = LoopSlot.FromEventData(happened.Data);
        _slots.Find(slot)?.OnEvents(happened.Events, tag);
    }

    private void RunAgainTurn()
    {
        // Who asks again while it runs goes into the next turn: two queues, swapped.
        (_turn, _again) = (_again, _turn);
        while (_turn.TryDequeue(out EventSink? sink))
            sink.OnTurn();
    }

    private int TimeoutMs()
    {
        long next = Timers.NextDueMs;
        return next == long.MaxValue ? -1 : (int)Math.Clamp(next - ClockMs(), 0, int.MaxValue);
    }

    private void WakeUp()
    {
        ulong one = 1;
        Libc.write(_wakeFd, (byte*)&one, sizeof(ulong));
    }

    private SysResult Control(int operation, int fd, uint events, ulong data)
    {
        byte* item = stackalloc byte[epoll_event.Size];
        epoll_event.Write(item, events, data);
        return SysResult.From(Libc.epoll_ctl(_epollFd, operation, fd, item));
    }
}
