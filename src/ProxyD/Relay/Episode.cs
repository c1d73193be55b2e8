using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>One spell of waiting: from the first attempt that failed until the backend answers or nobody waits any more.</summary>
/// <remarks>However many clients wait and attempts fail, the control plane hears of its beginning and its end, once each.</remarks>
internal sealed class Episode(int service, Action<RelayEvent> report)
{
    /// <summary>The last spell ended without an answer, so the next one must be told whatever it ends.</summary>
    private bool _answerIsOwed;

    internal bool IsOpen { get; private set; }

    /// <summary>Why the last attempt failed, "busy" only if all have been; None when there was no address to try, or nothing was to be tried yet.</summary>
    internal Errno LastError { get; private set; }

    /// <summary>A client waits for whom nothing has been tried: the service is shut.</summary>
    /// <param name="arrivedMs">When the client came that has waited longest.</param>
    internal void Began(long arrivedMs)
    {
        if (!IsOpen)
            Failed(Errno.None, arrivedMs, again: false);
    }

    /// <param name="error">Why the attempt failed.</param>
    /// <param name="arrivedMs">When the client came that has waited longest.</param>
    /// <param name="again">Tell of it even if the spell has begun already: somebody must open the service again.</param>
    internal void Failed(Errno error, long arrivedMs, bool again)
    {
        // Where nobody listens, an attempt from a port that the backend's side still holds in TIME_WAIT is answered with an ACK first and refused
        // only 10 to 20 ms later (tcp_v4_rcv in the kernel's tcp_ipv4.c; measured). Given up before, it looks like one that met a full queue:
        // that does not unsay that others were refused.
        if (!error.IsBusy() || LastError == Errno.None)
            LastError = error;
        if (IsOpen && !again)
            return;
        IsOpen = true;
        long nowMs = EventLoop.ClockMs();
        report(new(RelayEventKind.WaitBegan, service) { Error = error, AtMs = nowMs, WaitedMs = nowMs - arrivedMs });
    }

    /// <param name="waitedMs">How long the client had waited that is served first.</param>
    /// <param name="clients">How many wait, that one included.</param>
    /// <returns>What to call with the time of that client's first byte back; null when nobody asks.</returns>
    internal Action<long>? Answered(long waitedMs, int clients)
    {
        if (!IsOpen && !_answerIsOwed)
            return null;
        (IsOpen, _answerIsOwed) = (false, false);
        long nowMs = EventLoop.ClockMs();
        report(new(RelayEventKind.WaitAnswered, service) { Error = LastError, AtMs = nowMs, WaitedMs = waitedMs, Clients = clients });
        LastError = Errno.None;
        return FirstByteAfter(nowMs);
    }

    /// <remarks>A function of its own: its closure is made only here, never for a client of a backend that is up.</remarks>
    private Action<long> FirstByteAfter(long answeredMs) =>
        atMs => report(new(RelayEventKind.FirstByte, service) { AtMs = atMs, WaitedMs = atMs - answeredMs });

    /// <summary>A client's hold ended and it was reset.</summary>
    /// <param name="waitedMs">How long it had waited.</param>
    /// <param name="isTrying">An attempt is on its way: a first one has no error yet, but it has had its time.</param>
    internal void Expired(long waitedMs, bool isTrying) => report(new(RelayEventKind.WaitExpired, service)
    {
        Error = isTrying && LastError == Errno.None ? Errno.ETIMEDOUT : LastError,
        WaitedMs = waitedMs,
    });

    /// <summary>Nobody waits any more.</summary>
    internal void Over()
    {
        if (!IsOpen)
            return;
        (IsOpen, _answerIsOwed) = (false, true);
        report(new(RelayEventKind.WaitOver, service));
        LastError = Errno.None;
    }
}
