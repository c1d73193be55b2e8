using Microsoft.Extensions.Logging;
using ProxyD.Observability;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>Tells how many connections a backend had accepted and ended without a byte: those that proxyd could not save.</summary>
/// <remarks>At once for the first, then at most once in <see cref="s_pause"/>, each time for all since: a port scanner fills no log.</remarks>
internal sealed class UnansweredReporter(RelayServer relay, IReadOnlyList<Destination> destinations, ControlQueue control, ILogger log)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    private readonly string _destinations = string.Join(", ", destinations.Select(d => d.Address.Text));
    private int _untold;
    private bool _isPausing;

    /// <summary>Connections may have ended.</summary>
    internal void Look()
    {
        _untold += relay.TakeUnanswered();
        if (_untold == 0 || _isPausing)
            return;
        log.Unanswered(_destinations, Words.Count(_untold, "connection"));
        (_untold, _isPausing) = (0, true);
        control.PostAfter(s_pause, () =>
        {
            _isPausing = false;
            Look();
        });
    }
}
