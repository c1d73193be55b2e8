using System.Diagnostics;
using System.Globalization;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>Brings a trio into the state that a step of verify needs, and back into the one it was found in.</summary>
internal sealed class VerifyControl(Systemctl systemctl, VerifyTarget target)
{
    private const string Active = "active";
    private const string Inactive = "inactive";
    private const string Failed = "failed";

    /// <summary>How long units may take to end: a little more than systemd lets them by default (DefaultTimeoutStopSec=90s).</summary>
    private static readonly TimeSpan s_settleTime = TimeSpan.FromSeconds(100);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>How often a backend that somebody starts again at once is stopped again.</summary>
    private const int ColdTries = 3;

    private readonly Dictionary<string, bool> _wasUp = [];
    private bool _isTouched;

    /// <summary>A client has given up, or was made to, and may still be in the listen queue, from where it would wake everything again.</summary>
    internal bool HasAbandonedClients { get; set; }

    /// <summary>Notes what runs, and has systemd forget how often it was started: a second run right after the first must not meet StartLimitBurst=.</summary>
    internal void Remember()
    {
        foreach (string unit in Units())
            _wasUp[unit] = IsUp(StateOf(unit));
        _wasUp[target.BackendName] = IsUp(BackendState());
        Forget();
    }

    /// <summary>ActiveState of the backend, of a unit or a child.</summary>
    internal string BackendState()
    {
        if (target.Backend is not null)
            return StateOf(target.Backend);
        Dictionary<string, string> proxy = systemctl.Show(target.Proxy, "ActiveState", "MainPID");
        int pid = int.Parse(proxy.GetValueOrDefault("MainPID", "0"), CultureInfo.InvariantCulture);
        return proxy["ActiveState"] != Active ? proxy["ActiveState"] : pid > 0 && KernelTables.HasChildren(pid) ? Active : Inactive;
    }

    /// <summary>When the backend was last started, in words to compare; of a child of the proxy nothing, for it is nobody else's.</summary>
    internal string BackendStart() => target.Backend is null
        ? ""
        : systemctl.Show(target.Backend, "InactiveExitTimestampMonotonic").GetValueOrDefault("InactiveExitTimestampMonotonic", "");

    /// <summary>Whether the backend is a unit that stayed asleep while somebody was answered.</summary>
    /// <param name="since">What <see cref="BackendStart"/> was before.</param>
    internal bool IsStillAsleep(string since) => target is { IsBackendSaid: true, Backend: not null } && !IsUp(BackendState()) && BackendStart() == since;

    /// <summary>Whether the public socket listens.</summary>
    internal bool IsListening() => StateOf(target.Socket) == Active;

    /// <summary>Puts the backend to sleep, as the trio itself would.</summary>
    /// <remarks>
    /// A proxy that wakes its backend itself stays as it is. Where systemd starts the backend together with the proxy, both go, and
    /// the hooks between them: nobody would start the backend again for a proxy that runs.
    /// </remarks>
    /// <returns>Whether it sleeps; false when something starts it at once.</returns>
    internal async Task<bool> MakeColdAsync(CancellationToken stop)
    {
        if (HasAbandonedClients)
            await DropQueueAsync(stop).ConfigureAwait(false);
        for (int i = 0; i < ColdTries; i++)
        {
            if (target.Waker == BackendWaker.ProxyAsChild)
                Must("restart", target.Proxy);
            else
                Must(["stop", .. target.Waker == BackendWaker.Proxy ? [target.Backend!] : target.Services]);
            await SettleAsync(stop).ConfigureAwait(false);
            if (!IsUp(BackendState()))
                return true;
        }
        return false;
    }

    /// <summary>Kills the backend, and stops what may have come up since: an end without warning, that systemd has been told of.</summary>
    internal async Task ForceStopAsync(CancellationToken stop)
    {
        // Its child dies with the proxy: they are one unit.
        string unit = target.Backend ?? target.Proxy;
        // One that doesn't run can't be killed.
        systemctl.Run("kill", "--signal=KILL", unit);
        Must("stop", unit);
        await SettleAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Starts a socket again that has stopped or failed: the next step is to tell something of its own, and the port must not stay shut.</summary>
    internal void Reopen()
    {
        Forget();
        Must("start", target.Socket);
    }

    /// <summary>What of the trio has failed, and how: lines for people.</summary>
    internal IReadOnlyList<string> Failures()
    {
        List<string> lines = [];
        foreach (string unit in Units().Prepend(target.Socket))
        {
            try
            {
                Dictionary<string, string> state = systemctl.Show(unit, "ActiveState", "Result");
                if (state.GetValueOrDefault("ActiveState") == Failed)
                    lines.Add($"{unit} has failed ({state.GetValueOrDefault("Result")})");
            }
            catch (ToolException e)
            {
                lines.Add(e.Message);
            }
        }
        return lines;
    }

    /// <summary>Leaves the trio as <see cref="Remember"/> found it. What can't be done is said, and the rest is done.</summary>
    /// <param name="keepsFailures">Leave failed units so: they are evidence.</param>
    /// <param name="inUse">Who would be cut by a stop, in words; null when units may be stopped.</param>
    /// <returns>What could not be done, a line each.</returns>
    internal async Task<IReadOnlyList<string>> RestoreAsync(bool keepsFailures, string? inUse)
    {
        List<string> problems = [];
        if (!_isTouched)
            return problems;
        if (!keepsFailures)
            await TryAsync(problems, () => Do(Forget)).ConfigureAwait(false);
        if (HasAbandonedClients && inUse is null)
            await TryAsync(problems, () => DropQueueAsync(CancellationToken.None)).ConfigureAwait(false);
        await TryAsync(problems, () => Do(() => StopSurplus(inUse))).ConfigureAwait(false);
        await TryAsync(problems, () => SettleAsync(CancellationToken.None)).ConfigureAwait(false);
        await TryAsync(problems, () => Do(ReopenIfShut)).ConfigureAwait(false);
        await TryAsync(problems, () => Do(StartMissing)).ConfigureAwait(false);
        return problems;
    }

    private static async Task TryAsync(List<string> problems, Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (ToolException e)
        {
            problems.Add(e.Message);
        }
    }

    private static Task Do(Action step)
    {
        step();
        return Task.CompletedTask;
    }

    private void StopSurplus(string? inUse)
    {
        bool backendWasUp = _wasUp[target.BackendName];
        string[] surplus = [.. Units().Where(unit => !_wasUp[unit] && IsUp(StateOf(unit)))];
        if (inUse is not null)
        {
            if (surplus.Length > 0)
                throw new ToolException($"{string.Join(", ", surplus)} did not run before, and runs on: {inUse}");
            return;
        }
        if (target.IsPerConnection && !backendWasUp)
            surplus = [target.Proxy, .. surplus];
        if (surplus.Length > 0)
            Must(["stop", .. surplus]);
        if (target.Backend is null && !backendWasUp && _wasUp[target.Proxy] && IsUp(BackendState()))
            Must("restart", target.Proxy);
    }

    private void ReopenIfShut()
    {
        if (!IsListening())
            Reopen();
    }

    private void StartMissing()
    {
        string[] missing = [.. Units().Where(unit => _wasUp[unit] && !IsUp(StateOf(unit)))];
        if (missing.Length > 0)
            Must(["start", .. missing]);
    }

    /// <summary>The queue goes with the socket: closed and opened again, it is empty.</summary>
    private async Task DropQueueAsync(CancellationToken stop)
    {
        Must(["stop", target.Socket, .. target.Services]);
        await SettleAsync(stop).ConfigureAwait(false);
        Must("start", target.Socket);
        HasAbandonedClients = false;
    }

    /// <summary>The services that are units of their own, without the pattern.</summary>
    private IEnumerable<string> Units() => target.Services.Where(unit => !unit.Contains('*', StringComparison.Ordinal));

    private static bool IsUp(string state) => state is not (Inactive or Failed);

    private string StateOf(string unit) => systemctl.Show(unit, "ActiveState").GetValueOrDefault("ActiveState", Inactive);

    /// <summary>Failures and the starts that count towards StartLimitBurst=; a unit that systemd has unloaded has none.</summary>
    private void Forget() => systemctl.Run(["reset-failed", target.Socket, .. target.Services]);

    /// <summary>Waits until no unit is on its way down: systemctl waits for the unit that it was told, not for those that go with it.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        while (Units().Prepend(target.Socket).FirstOrDefault(IsGoingDown) is { } unit)
        {
            if (Stopwatch.GetElapsedTime(start) > s_settleTime)
                throw new ToolException($"{unit} does not stop; expected it to within {s_settleTime.TotalSeconds:0} s");
            await Task.Delay(s_pause, stop).ConfigureAwait(false);
        }
    }

    /// <summary>A unit that runs and has a job is to be stopped, too, but after another.</summary>
    private bool IsGoingDown(string unit)
    {
        Dictionary<string, string> now = systemctl.Show(unit, "ActiveState", "Job");
        return now.GetValueOrDefault("ActiveState") == "deactivating"
            || (now.GetValueOrDefault("ActiveState") == Active && now.GetValueOrDefault("Job", "0") is not ("" or "0"));
    }

    private void Must(params string[] arguments)
    {
        (int status, _, string error) = systemctl.Run(arguments);
        if (status != 0)
        {
            string[] lines = error.Split('\n');
            string why = Array.Find(lines, line => line.StartsWith("Failed", StringComparison.Ordinal)) ?? lines[0];
            why = why.Length > 0 ? why.TrimEnd('.') : string.Create(CultureInfo.InvariantCulture, $"exit status {status}");
            throw new ToolException($"systemctl {string.Join(' ', arguments)}: {why}; expected the right to do that, and units that can");
        }
        _isTouched = true;
    }
}
