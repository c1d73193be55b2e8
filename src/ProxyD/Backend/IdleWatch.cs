namespace ProxyD.Backend;

/// <summary>Notices when nobody has needed a backend for the rule's time.</summary>
/// <param name="rule">When that is.</param>
/// <param name="gate">Where its clients are.</param>
/// <param name="schedule">The control queue.</param>
/// <param name="idle">Called when it has been idle for the time; whoever acts on it shuts the gate first and asks <see cref="HoldsFor"/>.</param>
internal sealed class IdleWatch(SleepRule rule, IGate gate, ISchedule schedule, Action idle)
{
    private long _activeMs = schedule.NowMs;
    private long _upSinceMs = schedule.NowMs;
    private bool _isArmed;

    internal SleepRule Rule { get; } = rule;

    /// <summary>Clients came, went, or may have.</summary>
    internal void OnActivity()
    {
        _activeMs = schedule.NowMs;
        Arm();
    }

    /// <summary>The backend has begun to serve.</summary>
    internal void OnUp()
    {
        _upSinceMs = schedule.NowMs;
        OnActivity();
    }

    /// <summary>Whether it is idle by what is to be seen at the shut gate; otherwise the time goes on from what was seen.</summary>
    internal bool HoldsFor(GateView seen)
    {
        if (seen.Waiting == 0 && (seen.Live == 0 || (Rule.ByBytes && schedule.NowMs - seen.LastMoveMs >= Rule.AfterIdle.TotalMilliseconds)))
            return true;
        _activeMs = Rule.ByBytes && seen.Waiting == 0 ? seen.LastMoveMs : schedule.NowMs;
        Arm();
        return false;
    }

    private void Arm()
    {
        if (_isArmed)
            return;
        _isArmed = true;
        // At least a moment: a time that is over by a rounding would be asked for again and again.
        schedule.PostAfter(TimeSpan.FromMilliseconds(Math.Max(DueMs() - schedule.NowMs, 1)), OnTimer);
    }

    private long DueMs() => Math.Max(_activeMs + (long)Rule.AfterIdle.TotalMilliseconds, _upSinceMs + (long)Rule.MinUp.TotalMilliseconds);

    private void OnTimer()
    {
        _isArmed = false;
        if (schedule.NowMs < DueMs())
            Arm();
        // While somebody is connected nothing is over: the end of the last connection is an activity, and the time starts anew.
        else if (gate.Waiting == 0 && (gate.Live == 0 || Rule.ByBytes))
            idle();
    }
}
