using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>A connection attempt that is on its way: to another machine, or to a full queue on this one. One address; it reports once.</summary>
internal sealed class Attempt : EventSink
{
    private readonly EventLoop _loop;
    private readonly SocketAddress _address;
    private readonly LoopTimer _timeout;
    private readonly LoopSlot _slot;
    private readonly int _fd;
    private readonly Action<Attempt, DialResult> _concluded;

    /// <param name="loop">The loop whose thread this is.</param>
    /// <param name="fd">A socket in progress.</param>
    /// <param name="address">Where it goes.</param>
    /// <param name="timeoutMs">After this it counts as ETIMEDOUT; on loopback as EAGAIN, for there somebody listens who is busy.</param>
    /// <param name="concluded">Called once, unless <see cref="Drop"/> comes first.</param>
    internal Attempt(
        EventLoop loop, int fd, SocketAddress address, int timeoutMs, Action<Attempt, DialResult> concluded)
    {
        _loop = loop;
        _fd = fd;
        _address = address;
        _concluded = concluded;
        _slot = loop.TakeSlot(this);
        _timeout = new(_ => TimeOut());
        loop.Timers.Arm(_timeout, loop.NowMs + timeoutMs);
        loop.Watch(fd, EPOLLOUT, _slot, 0);
    }

    internal override void OnEvents(uint events, int tag)
    {
        DialResult result = Dialer.Conclude(_fd, _address);
        if (result.Status == DialStatus.InProgress)
            return;
        if (result.Status == DialStatus.Standing)
            // The connection will be registered anew, maybe in another loop.
            _loop.Unwatch(_fd);
        Leave();
        _concluded(this, result);
    }

    /// <summary>Gives up without a report.</summary>
    internal void Drop()
    {
        Libc.close(_fd);
        Leave();
    }

    private void TimeOut()
    {
        Drop();
        _concluded(this, DialResult.Failure(_address.IsLoopback ? Errno.EAGAIN : Errno.ETIMEDOUT));
    }

    private void Leave()
    {
        _loop.Timers.Cancel(_timeout);
        _loop.ReleaseSlot(_slot);
    }
}
