using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>One spell of waiting: from the first attempt that failed until the backend answers or nobody waits any more.</summary>
/// <remarks>However many clients wait and attempts fail, the control plane hears of its beginning and its end, once each.</remarks>
internal sealed class Episode(int service, Action<RelayEvent> report)
{
    /// <summary>The last spell ended without an answer, so the next one must be told whatever it ends.</summary>
    private bool _answerIsOwed;

    internal bool IsOpen { get; private set; }

    /// <summary>Why the last attempt failed; None when there was no address to try.</summary>
    internal Errno LastError { get; private set; }

    internal void Failed(Errno error)
    {
        LastError = error;
        if (IsOpen)
            return;
        IsOpen = true;
        report(new(RelayEventKind.WaitBegan, service) { Error = error });
    }

    /// <param name="waitedMs">How long the client had waited that is served first.</param>
    /// <param name="clients">How many wait, that one included.</param>
    internal void Answered(long waitedMs, int clients)
    {
        if (!IsOpen && !_answerIsOwed)
            return;
        (IsOpen, _answerIsOwed) = (false, false);
        report(new(RelayEventKind.WaitAnswered, service) { Error = LastError, WaitedMs = waitedMs, Clients = clients });
        LastError = Errno.None;
    }

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
