using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>A service's attempts to reach its backend: all addresses in order, and those that are on their way.</summary>
/// <param name="worker">The service's worker.</param>
/// <param name="addresses">The backend's.</param>
/// <param name="onlyOne">No second attempt follows (a hold of 0), so the first gets its whole time on loopback, too.</param>
/// <param name="concluded">Called when an attempt that was in progress stands, or has failed at the last address.</param>
internal sealed class Attempts(Worker worker, AddressList addresses, bool onlyOne, Action<DialResult> concluded)
{
    private readonly List<Attempt> _inProgress = [];
    private int _loopbackTimeoutMs = RelayLimits.LoopbackConnectMinMs;

    internal AddressList Addresses { get; } = addresses;

    /// <summary>How many are in progress.</summary>
    internal int Count => _inProgress.Count;

    /// <summary>The first attempt has not been decided yet, or not even begun for want of an address.</summary>
    internal bool IsUndecided => Count > 0 || Addresses.IsAwaited;

    /// <summary>Begins one attempt; what is in progress is reported when it concludes.</summary>
    internal DialResult Dial()
    {
        Addresses.Freshen(failed: false, worker.NowMs);
        return DialFrom(Addresses.Current, 0);
    }

    /// <summary>Gives up all without a report: they carry no client.</summary>
    internal void DropAll()
    {
        foreach (Attempt attempt in _inProgress)
            attempt.Drop();
        _inProgress.Clear();
    }

    /// <summary>Tries the addresses from <paramref name="first"/> on, until one stands or is in progress.</summary>
    private DialResult DialFrom(SocketAddress[] all, int first)
    {
        DialResult result = DialResult.Failure(Errno.None);
        for (int i = first; i < all.Length; i++)
        {
            result = Dialer.Begin(all[i], worker.Limits.DescriptorCeiling);
            if (result.Status == DialStatus.InProgress)
                Follow(result.Fd, all, i);
            else if (all[i].IsLoopback)
                _loopbackTimeoutMs = RelayLimits.LoopbackConnectMinMs;
            if (result.Status != DialStatus.Failed || result.Error.IsShortage())
                break;
        }
        return result;
    }

    /// <remarks>A function of its own: its closure is made only here, never for an attempt that is decided at once.</remarks>
    private void Follow(int fd, SocketAddress[] all, int index)
    {
        int timeoutMs = all[index].IsLoopback && !onlyOne ? _loopbackTimeoutMs : worker.Limits.ConnectTimeoutMs;
        _inProgress.Add(new(worker.Loop, fd, all[index], timeoutMs, (a, r) =>
        {
            // Once for all that were on their way together.
            if (r.Error.IsBusy() && timeoutMs == _loopbackTimeoutMs)
                _loopbackTimeoutMs = Math.Min(timeoutMs * 2, RelayLimits.LoopbackConnectMaxMs);
            OnConcluded(a, r, all, index + 1);
        }));
    }

    private void OnConcluded(Attempt attempt, DialResult result, SocketAddress[] all, int next)
    {
        _inProgress.Remove(attempt);
        if (result.Status == DialStatus.Failed && next < all.Length)
            result = DialFrom(all, next);
        if (result.Status != DialStatus.InProgress)
            concluded(result);
    }
}
