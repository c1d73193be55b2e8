using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace ProxyD;

/// <summary>The signals that ask us to end: the first begins the drain, a second SIGTERM or SIGINT ends at once.</summary>
/// <remarks>Registered before the first client can be served, so that no moment exists in which a stop would be a crash.</remarks>
internal sealed class Signals : IDisposable
{
    /// <summary>SIGHUP and SIGQUIT too: their default would end us and leave a child backend behind.</summary>
    private static readonly PosixSignal[] s_signals = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _asked;

    internal Signals()
    {
        foreach (PosixSignal signal in s_signals)
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Completes with the first signal.</summary>
    internal Task First => _first.Task;

    /// <summary>What to do when we are asked a second time, before the process ends.</summary>
    internal Action? AtSecond { get; set; }

    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        _first.TrySetResult();
        // A hang-up that comes with SIGTERM, even before it, is no second wish: SendSIGHUP= in a unit, the end of a session.
        if (context.Signal is not (PosixSignal.SIGTERM or PosixSignal.SIGINT) || Interlocked.Increment(ref _asked) == 1)
            return;
        AtSecond?.Invoke();
        Environment.Exit(0);
    }
}

/// <summary>Tells the host when to stop: at the first signal, or when the daemon has nothing left to do.</summary>
/// <remarks>
/// In place of the package's SystemdLifetime: that one says READY only when the whole host is up (ours is said as soon as the
/// listeners are ours), knows no second signal, and throws where the unit forbids AF_UNIX.
/// </remarks>
internal sealed class DaemonLifetime(IHostApplicationLifetime application, Daemon daemon, Signals signals) : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _ = StopWhenOverAsync();
        return Task.CompletedTask;
    }

    private async Task StopWhenOverAsync()
    {
        // A host that is told to stop while it starts throws; what happens before waits until it is up.
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = application.ApplicationStarted.Register(started.SetResult);
        await started.Task.ConfigureAwait(false);
        await Task.WhenAny(signals.First, daemon.Done).ConfigureAwait(false);
        application.StopApplication();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
