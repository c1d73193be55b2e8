namespace ProxyD.Backend;

/// <summary>One way to ask a backend whether it is ready to serve, for those that listen before they can.</summary>
internal interface IReadinessProbe
{
    /// <summary>The longest pause between two tries; the first is 1 ms, doubled each time.</summary>
    TimeSpan PauseMax { get; }

    /// <summary>Asks once. Never throws; ends soon after it was cancelled.</summary>
    Task<ProbeResult> TryAsync(CancellationToken stop);
}

/// <summary>What one try brought.</summary>
/// <param name="IsReady">Clients may be let through.</param>
/// <param name="Answers">Somebody answered, ready or not.</param>
/// <param name="Problem">Why it is not ready, in words.</param>
internal readonly record struct ProbeResult(bool IsReady, bool Answers, string? Problem)
{
    internal static readonly ProbeResult Ready = new(true, true, null);
}

/// <summary><c>--ready=unit</c>: the unit is active, which for Type=notify means that it has said so itself.</summary>
internal sealed class UnitProbe(IActivator activator) : IReadinessProbe
{
    public TimeSpan PauseMax { get; } = TimeSpan.FromMilliseconds(10);

    public Task<ProbeResult> TryAsync(CancellationToken stop) =>
        Task.FromResult(activator.IsActive ? ProbeResult.Ready : new(false, false, $"{activator.Name} is not active yet"));
}
