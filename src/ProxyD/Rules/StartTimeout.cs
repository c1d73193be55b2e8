using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>How long a service's start may take; systemd.service(5).</summary>
internal static class StartTimeout
{
    /// <summary>DefaultTimeoutStartSec= as systemd comes (systemd-system.conf(5)).</summary>
    private const double DefaultMs = 90_000;

    /// <param name="limit">The assignment that says so; null for the default.</param>
    /// <returns>Milliseconds, or null for no limit.</returns>
    internal static double? Of(Unit service, out Setting? limit)
    {
        Setting? start = service.Last("Service", "TimeoutStartSec");
        Setting? both = service.Last("Service", "TimeoutSec");
        limit = start ?? both;
        if (limit is null || !TimeSpanParser.TryParse(limit.Value, out TimeSpan? span))
            return service.Last("Service", "Type")?.Value == "oneshot" ? null : DefaultMs;
        return span is { Ticks: > 0 } time ? time.TotalMilliseconds : null;
    }
}
