using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>A backend's addresses. A literal has one, for ever; a name's are asked for when needed and kept for a while.</summary>
internal sealed class AddressList(ServiceSettings settings, Action<RelayEvent> report)
{
    /// <summary>Addresses older than this are asked for anew at the next connection, which still uses the old ones.</summary>
    internal const int FreshMs = 30_000;

    /// <summary>While the backend can't be reached, or has no address, ask again after this.</summary>
    internal const int FailedFreshMs = 1_000;

    private long _setMs = long.MinValue / 2;
    private bool _asked;

    /// <summary>To be tried in this order; empty until a name was resolved.</summary>
    internal SocketAddress[] Current { get; private set; } = settings.Addresses;

    /// <summary>The resolver was asked and there is nothing to try before it answers.</summary>
    internal bool IsAwaited => _asked && Current.Length == 0;

    /// <summary>Asks the control plane to resolve the name when that is due. Costs a comparison for a literal.</summary>
    /// <param name="failed">No address could be connected to.</param>
    /// <param name="nowMs">The loop's time.</param>
    internal void Freshen(bool failed, long nowMs)
    {
        if (!settings.NeedsResolver || _asked)
            return;
        int freshMs = failed || Current.Length == 0 ? FailedFreshMs : FreshMs;
        if (nowMs - _setMs < freshMs)
            return;
        _asked = true;
        report(new(RelayEventKind.AddressWanted, settings.Index));
    }

    /// <summary>Takes the resolver's answer; an empty one leaves what is known.</summary>
    internal void Set(SocketAddress[] addresses, long nowMs)
    {
        if (addresses.Length > 0)
            Current = addresses;
        _setMs = nowMs;
        _asked = false;
    }
}
