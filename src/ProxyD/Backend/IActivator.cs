namespace ProxyD.Backend;

/// <summary>A way to bring a backend up. All calls come from the control plane, one at a time.</summary>
internal interface IActivator
{
    /// <summary>Up already, or somebody else's business.</summary>
    bool IsRunning { get; }

    /// <summary>Orders the start; returns when it was carried out, which is before the backend listens.</summary>
    /// <param name="ended">Called once, on any thread, when what was started has ended.</param>
    /// <returns>Null, or why it can't be started.</returns>
    string? Start(Action<BackendEnd> ended);

    /// <summary>Ends what was started, if anything; completes when it is gone.</summary>
    Task StopAsync();

    /// <summary>Ends it now, without waiting, and whatever is started after that. From any thread.</summary>
    void Kill();
}

/// <summary>How a backend ended.</summary>
/// <param name="Cause">In words: "it was killed by signal 11".</param>
/// <param name="IsOrderly">It left of its own accord, with nothing to complain about.</param>
internal readonly record struct BackendEnd(string Cause, bool IsOrderly);

/// <summary>The backend is started by others: units that systemd orders, or nobody.</summary>
internal sealed class NoActivator : IActivator
{
    public bool IsRunning => true;

    public string? Start(Action<BackendEnd> ended) => null;

    public Task StopAsync() => Task.CompletedTask;

    public void Kill() { }
}
