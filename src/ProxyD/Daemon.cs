using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ProxyD.Activation;
using ProxyD.Backend;
using ProxyD.Interop;
using ProxyD.Observability;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD;

/// <summary>The daemon: where the data plane, the backends and the service manager meet.</summary>
/// <remarks>
/// <see cref="Start"/> brings the data plane up before anything else, for a client may be waiting already. What it
/// reports is handled on one <see cref="ControlQueue"/>; the host only adds signals and orderly ends.
/// </remarks>
internal sealed class Daemon : IHostedService, IDisposable
{
    /// <summary>How often the service manager is told that a drain goes on.</summary>
    private const int StillStoppingEveryMs = 10_000;

    /// <summary>At a second signal, for the RSTs to go out.</summary>
    private static readonly TimeSpan s_lastMoment = TimeSpan.FromMilliseconds(200);

    private readonly RunOptions _options;
    private readonly OwnListeners _ownListeners;
    private readonly RelayServer _relay;
    private readonly ControlQueue _control = new();
    private readonly ServiceManager _manager = new();
    private readonly ILogger _log;
    private readonly Backend.Backend[] _backends;
    private readonly StatusReporter _status;
    private readonly StatusReport _report;
    private readonly UnansweredReporter _unanswered;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StatusServer? _statusServer;

    private Daemon(RunOptions options, OwnListeners ownListeners, List<List<PassedSocket>> plan, ILogger log)
    {
        _options = options;
        _ownListeners = ownListeners;
        _log = log;
        _manager.Failed = cause => _control.Post(() => log.NotifyFailed(cause));
        RelayLimits limits = new() { ConnectionsMax = options.ConnectionsMax, Threads = options.Threads };
        limits = FitDescriptors(limits);
        ServiceSettings[] settings =
        [
            .. plan.Select((sockets, i) => ServicePlan.Settings(i, options.Destinations[i], sockets, options.WaitBind) with
            {
                IsGated = options.Ready is not null,
                RetryUnanswered = options.RetryUnanswered,
            }),
        ];
        _relay = new(limits, settings, e => _control.Post(() => OnRelayEvent(e)), reportEnds: options.LogLevel == "debug");
        _backends = BackendFactory.Create(options, _relay, _control, log);
        _status = new(_relay, _backends, _manager, _control, options.ExitIdleTime, () => _ = EndIfIdleAsync());
        foreach (Backend.Backend backend in _backends)
            backend.Moved = _status.Report;
        _report = new(options, _relay, _backends, _status, _control);
        _unanswered = new(_relay, options.Destinations, _control, log);
    }

    /// <summary>What the process will exit with.</summary>
    internal int ExitCode { get; private set; }

    /// <summary>Completes when the daemon has nothing left to do, which may be before the host is up.</summary>
    internal Task Done => _done.Task;

    /// <summary>Takes the listeners, starts to relay, says READY.</summary>
    /// <exception cref="StartupException">What was passed or asked for can't be served.</exception>
    internal static Daemon Start(RunOptions options, ILogger log)
    {
        // A write to a connection that is gone is an error code for us, not a signal.
        Libc.signal(SIGPIPE, SIG_IGN);
        List<PassedSocket> sockets = ListenFds.Take(foreignIsFine: options.Listen.Count > 0);
        OwnListeners ownListeners = OwnListeners.Bind(options.Listen);
        Daemon daemon;
        try
        {
            daemon = new(options, ownListeners, ServicePlan.Assign(options.Destinations, [.. sockets, .. ownListeners.Sockets]), log);
        }
        catch
        {
            ownListeners.Dispose();
            throw;
        }
        daemon._relay.Start();
        daemon._manager.Ready(daemon._status.Text);
        daemon._control.Start();
        return daemon;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // From here on the listeners have been looked at, and who waits there counts.
        await _relay.PingAsync().ConfigureAwait(false);
        _control.Post(_status.Changed);
        if (_options.Listen.Count > 0)
            _log.Listening(string.Join(", ", _options.Listen.Select(a => a.Text)), string.Join(", ", _options.Destinations.Select(d => d.Address.Text)));
        OpenControlSocket();
        if (ServiceManager.WatchdogInterval(Environment.GetEnvironmentVariable, Environment.ProcessId) is { } interval)
            _ = FeedWatchdogAsync(interval);
    }

    /// <summary>Leaves the queues to the next instance, lets live connections end, then ends the backends we started.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _control.Post(() => _report.IsDraining = true);
        _log.Stopping(_status.Text);
        _manager.Stopping($"draining, {_status.Text}");
        _ownListeners.Dispose();
        _relay.StopAccepting();
        await _relay.PingAsync().ConfigureAwait(false);
        await DrainAsync().ConfigureAwait(false);
        await Task.WhenAll(_backends.Select(b => _control.RunAsync(b.EndAsync))).ConfigureAwait(false);
    }

    /// <summary>Lets proxyd status ask, where the service manager has given us a directory.</summary>
    private void OpenControlSocket()
    {
        if (StatusServer.Directory(Environment.GetEnvironmentVariable) is not { } directory)
            return;
        _statusServer = StatusServer.TryStart(directory, _report.Ask, out string? problem);
        if (problem is not null)
            _log.NoControlSocket(problem);
    }

    private async Task DrainAsync()
    {
        long startMs = EventLoop.ClockMs();
        long toldMs = long.MinValue / 2;
        while (_relay.Live > 0)
        {
            long nowMs = EventLoop.ClockMs();
            if (_options.DrainTime is { } limit && nowMs - startMs >= limit.TotalMilliseconds)
            {
                _log.DrainCut((long)limit.TotalMilliseconds, Words.Count(_relay.Live, "connection"));
                await _relay.AbortAllAsync().ConfigureAwait(false);
                return;
            }
            // Without this a drain longer than TimeoutStopSec= would be cut by SIGKILL (sd_notify(3), EXTEND_TIMEOUT_USEC).
            if (nowMs - toldMs >= StillStoppingEveryMs)
            {
                toldMs = nowMs;
                _manager.StillStopping(2 * StillStoppingEveryMs);
            }
            await Task.Delay(10, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _statusServer?.Dispose();
        _status.Dispose();
        _manager.Dispose();
        _ownListeners.Dispose();
    }

    /// <summary>For a second signal: ends what we started without ceremony.</summary>
    internal void Kill()
    {
        foreach (Backend.Backend backend in _backends)
            backend.Kill();
        _ownListeners.Dispose();
        _statusServer?.Dispose();
        // A stream that is cut must not look finished.
        _relay.StopAccepting();
        _relay.AbortAllAsync().Wait(s_lastMoment);
    }

    /// <summary>Ends, unless somebody came in this very moment: with the door closed there is time to look.</summary>
    private async Task EndIfIdleAsync()
    {
        bool[] nobodyWaits = await _relay.PauseAsync().ConfigureAwait(false);
        if (_relay.Live > 0 || !nobodyWaits.All(nobody => nobody))
        {
            _relay.Resume();
            return;
        }
        _log.IdleExit((long)_options.ExitIdleTime!.Value.TotalMilliseconds);
        _done.TrySetResult();
    }

    private RelayLimits FitDescriptors(RelayLimits limits)
    {
        long connections = RelayLimits.DescriptorReserve + (2L * limits.Threads) + (2L * limits.ConnectionsMax);
        long needed = connections + (2L * limits.KeptPipesPerThreadMax * limits.Threads);
        long allowed = DescriptorLimit.Provide(needed, () => !DescriptorLimit.HasSyscallFilter());
        if (allowed < RelayLimits.DescriptorsLeast)
            throw new StartupException($"{allowed} open files are allowed; expected at least {RelayLimits.DescriptorsLeast} (LimitNOFILE=, ulimit -n)");
        if (allowed < connections)
            _control.Post(() => _log.DescriptorsShort(limits.ConnectionsMax, connections, allowed));
        // Connections come first; pipes have what is left of the descriptors, and flows copy when there is none.
        return limits with
        {
            PipesPerThreadMax = (int)Math.Clamp((allowed - connections) / 2 / limits.Threads, 1, limits.PipesPerThreadMax),
            DescriptorCeiling = (int)Math.Min(allowed - RelayLimits.DescriptorsKeptBack, int.MaxValue),
        };
    }

    private void OnRelayEvent(RelayEvent e)
    {
        Backend.Backend backend = _backends[e.Service];
        string destination = backend.Address.Text;
        switch (e.Kind)
        {
            case RelayEventKind.Activity:
                OnActivity();
                // At most four looks a second, however many connections come and go.
                _control.PostAfter(TimeSpan.FromMilliseconds(250), () =>
                {
                    _relay.ListenForActivity();
                    OnActivity();
                });
                break;
            case RelayEventKind.WaitBegan:
                _log.WaitBegan(destination, CauseOf(e, backend));
                backend.OnWaitBegan(e.AtMs - e.WaitedMs);
                break;
            case RelayEventKind.WaitAnswered:
                // Looking up a name is no cold start, nor is a backend that was busy for a moment.
                backend.OnAnswered(e.AtMs, e.Clients, isColdStart: e.Error != Errno.None && !e.Error.IsBusy());
                break;
            case RelayEventKind.FirstByte:
                backend.OnFirstByte(e.AtMs, e.AtMs - e.WaitedMs);
                break;
            case RelayEventKind.WaitExpired:
                string cause = CauseOf(e, backend);
                _log.HoldExpired(destination, e.WaitedMs, cause);
                backend.OnExpired(cause);
                ExitCode = _relay.ServesOneClient ? Cli.CommandLine.ExitFailure : ExitCode;
                break;
            case RelayEventKind.WaitOver:
                backend.OnWaitOver();
                break;
            case RelayEventKind.AddressWanted:
                _ = ResolveAsync(e.Service);
                break;
            case RelayEventKind.LimitReached:
                _log.LimitReached(_options.ConnectionsMax, Words.Count(e.Clients, "client"));
                break;
            case RelayEventKind.Shortage:
                _log.Shortage(e.Error.Text());
                break;
            case RelayEventKind.ConnectionEnded:
                _log.ConnectionEnded(destination, e.Reason, e.UpBytes, e.DownBytes);
                break;
            case RelayEventKind.ConnectionRetried:
                _log.ConnectionRetried(destination, e.UpBytes);
                break;
            case RelayEventKind.ConnectedDone:
                _done.TrySetResult();
                break;
        }
    }

    private void OnActivity()
    {
        _status.Changed();
        _unanswered.Look();
        foreach (Backend.Backend backend in _backends)
            backend.OnActivity();
    }

    private static string CauseOf(RelayEvent e, Backend.Backend backend)
    {
        string? error = e.Error == Errno.None ? null : e.Error.Text();
        return (error, backend.Cause) switch
        {
            (null, null) => backend.Address.Literal is null ? "its name is not resolved yet" : "no answer yet",
            (null, { } cause) => cause,
            ({ } text, null) => text,
            ({ } text, { } cause) => $"{text}; {cause}",
        };
    }

    private async Task ResolveAsync(int service)
    {
        (SocketAddress[] addresses, string? problem) = await NameResolver.ResolveAsync(_backends[service].Address).ConfigureAwait(false);
        _control.Post(() => _backends[service].OnResolved(problem));
        _relay.SetAddresses(service, addresses);
    }

    /// <summary>Tells the manager that we live, but only when every thread of ours has just proved it.</summary>
    private async Task FeedWatchdogAsync(TimeSpan interval)
    {
        using PeriodicTimer timer = new(interval);
        do
        {
            Task alive = Task.WhenAll(_relay.PingAsync(), _control.PingAsync());
            if (await Task.WhenAny(alive, Task.Delay(interval)).ConfigureAwait(false) == alive)
                _manager.Alive();
            else
                _log.ThreadHangs((long)interval.TotalMilliseconds);
        }
        while (await timer.WaitForNextTickAsync().ConfigureAwait(false));
    }
}
