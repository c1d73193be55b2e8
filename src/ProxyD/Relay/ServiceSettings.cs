using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>What the data plane must know of one service.</summary>
internal sealed record ServiceSettings
{
    /// <summary>Names the service in every <see cref="RelayEvent"/>.</summary>
    public required int Index { get; init; }

    /// <summary>Where its clients come from; at least one. The service closes them when it stops.</summary>
    public required Listener[] Listeners { get; init; }

    /// <summary>The backend's addresses; empty while a name is not resolved.</summary>
    public required SocketAddress[] Addresses { get; init; }

    /// <summary>The backend is a name, whose addresses the control plane supplies.</summary>
    public required bool NeedsResolver { get; init; }

    /// <summary>How long each client waits for the backend, in ms; 0 tries once; null waits for ever.</summary>
    public required int? HoldTimeoutMs { get; init; }

    /// <summary>Clients are let through only after the control plane has opened the service, and after a failed attempt only when it has again.</summary>
    public bool IsGated { get; init; }

    /// <summary>A connection that the backend reset before its first byte is taken to another, once, with what its client has sent.</summary>
    public bool RetryUnanswered { get; init; }

    /// <summary>A name's addresses are always Internet addresses.</summary>
    public bool BackendIsTcp => NeedsResolver || Addresses[0].Family != LibcConstants.AF_UNIX;

    /// <summary>The one client was accepted before us (<c>Accept=yes</c>); its end is reported.</summary>
    public bool IsConnected => Listeners[0].Kind == ListenerKind.Connected;
}
