namespace ProxyD.Backend;

/// <summary>The control queue, as backends see it: everything of theirs runs on it, one thing after another.</summary>
internal interface ISchedule
{
    /// <summary>Monotonic milliseconds.</summary>
    long NowMs { get; }

    /// <summary>Runs the action soon. From any thread.</summary>
    void Post(Action action);

    /// <summary>Runs the action after a while. From any thread.</summary>
    void PostAfter(TimeSpan delay, Action action);
}
