namespace ProxyD.Backend;

/// <summary>Asks a probe again and again until the backend is ready: one try at a time, and none when nobody asks.</summary>
internal sealed class ReadinessLoop(IReadinessProbe probe, ISchedule schedule)
{
    private static readonly TimeSpan s_pauseMin = TimeSpan.FromMilliseconds(1);

    private Action? _cancel;
    private int _run;

    /// <summary>Why the last try failed, in words; null when it did not.</summary>
    internal string? Problem { get; private set; }

    /// <summary>Called once the backend answers something, ready or not.</summary>
    internal Action? Answers { get; set; }

    /// <summary>Called when it is ready; the loop has ended by then.</summary>
    internal Action? Ready { get; set; }

    /// <summary>Begins to ask, unless it does already.</summary>
    internal void Begin()
    {
        if (_cancel is not null)
            return;
        CancellationTokenSource stop = new();
        _cancel = stop.Cancel;
        _ = RunAsync(++_run, stop.Token);
    }

    /// <summary>Stops asking; what a try that is on its way brings is of no interest any more.</summary>
    internal void Stop()
    {
        _cancel?.Invoke();
        _cancel = null;
        _run++;
    }

    private async Task RunAsync(int run, CancellationToken stop)
    {
        for (TimeSpan pause = s_pauseMin; !stop.IsCancellationRequested; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, probe.PauseMax.Ticks)))
        {
            ProbeResult result = await probe.TryAsync(stop).ConfigureAwait(false);
            schedule.Post(() => OnResult(run, result));
            if (result.IsReady)
                return;
            await Task.Delay(pause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void OnResult(int run, ProbeResult result)
    {
        if (_run != run)
            return;
        Problem = result.Problem;
        if (result.Answers)
            Answers?.Invoke();
        if (!result.IsReady)
            return;
        _cancel = null;
        Ready?.Invoke();
    }
}
