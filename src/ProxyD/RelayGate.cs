using ProxyD.Backend;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>One service of the data plane, as its backend sees it.</summary>
internal sealed class RelayGate(RelayServer relay, int service, ControlQueue control) : IGate
{
    public int Waiting => relay.WaitingFor(service);

    public int Live => relay.Live;

    public void Shut(Action<GateView>? shut) => _ = ShutAsync(shut);

    public void Open() => relay.Open(service);

    public void ExpectSoon(bool soon) => relay.SetSlow(service, !soon);

    public void ResetWaiting() => relay.ResetWaiting(service);

    public void TellNextMove(Action? tell) => relay.TellNextMove(tell is null ? null : () => control.Post(tell));

    private async Task ShutAsync(Action<GateView>? shut)
    {
        int waiting = await relay.ShutAsync(service).ConfigureAwait(false);
        if (shut is null)
            return;
        // Only now: nobody is paired any more who would not be seen.
        long[] lastMovesMs = await relay.LastMovesAsync().ConfigureAwait(false);
        GateView view = new(waiting, relay.Live, lastMovesMs.Max());
        control.Post(() => shut(view));
    }
}
