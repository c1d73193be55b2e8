using System.Diagnostics;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>The steps of verify, one after the other, against the real units.</summary>
/// <param name="control">Stops and starts them.</param>
/// <param name="target">Which.</param>
/// <param name="client">Asks.</param>
/// <param name="check">What counts as an answer.</param>
/// <param name="patience">How long a client waits; also how long a backend that didn't answer cold may take to become warm.</param>
/// <param name="live">Counts who would be cut by a stop; null when nobody is asked (--yes).</param>
internal sealed class VerifyRun(VerifyControl control, VerifyTarget target, VerifyClient client, VerifyCheck check, TimeSpan patience, VerifyLive? live)
{
    /// <summary>How many clients meet a cold backend together.</summary>
    internal const int ClientsAtOnce = 10;

    private const string Cold = "cold";
    private const string Warm = "warm";
    private const string Again = "killed, and again";
    private const string Many = "ten at once, cold";

    private const string Unless = "expected none, or --yes";

    private static readonly TimeSpan s_pauseMax = TimeSpan.FromSeconds(1);

    private readonly List<VerifyStep> _steps = [];
    private readonly List<string> _closedAt = [];

    /// <summary>Runs them all; whatever happens, the units are left as they were found, or what is otherwise is said.</summary>
    /// <exception cref="ToolException">Systemd does not even do what the first step needs.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    internal async Task<VerifyResult> RunAsync(CancellationToken stop)
    {
        control.Remember();
        List<string> failures = [];
        IReadOnlyList<string> unrestored = [];
        string? broken = null;
        bool isInterrupted = false;
        try
        {
            await TryAllAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ToolException or OperationCanceledException)
        {
            // Ctrl-C reaches systemctl too, which then fails.
            isInterrupted = stop.IsCancellationRequested;
            control.HasAbandonedClients |= isInterrupted;
            broken = isInterrupted ? null : e.Message;
        }
        finally
        {
            failures.AddRange(control.Failures());
            unrestored = await RestoreAsync().ConfigureAwait(false);
        }
        string different = unrestored.Count == 0 ? "" : $"; not all is as it was found: {string.Join("; ", unrestored)}";
        if (isInterrupted)
            throw different.Length > 0 ? new ToolException($"{target.Socket}: interrupted{different}") : new OperationCanceledException(stop);
        if (broken is not null && _steps.Count == 0)
            throw new ToolException(broken + different);
        if (broken is not null)
            failures.Add(broken);
        failures.AddRange(unrestored.Select(line => $"not as it was found: {line}"));
        return new(_steps, failures, IsComplete: broken is null && unrestored.Count == 0);
    }

    private async Task TryAllAsync(CancellationToken stop)
    {
        await ColdAsync(Cold, 1, stop).ConfigureAwait(false);
        await WarmAsync(stop).ConfigureAwait(false);
        if (await MayStopAsync(Again, stop).ConfigureAwait(false))
        {
            await control.ForceStopAsync(stop).ConfigureAwait(false);
            await AskAsync(Again, 1, stop).ConfigureAwait(false);
        }
        await ColdAsync(Many, ClientsAtOnce, stop).ConfigureAwait(false);
        string seen = _closedAt.Count == 0 ? "listening" : $"closed at: {string.Join("; ", _closedAt)}";
        _steps.Add(new("public socket", "", "listening", seen, null, _closedAt.Count == 0));
    }

    /// <summary>Looks again: a client may have come since the last stop.</summary>
    /// <returns>False when somebody would be cut; the step has failed then.</returns>
    private async Task<bool> MayStopAsync(string step, CancellationToken stop)
    {
        int clients = live is null ? 0 : await live.CountAsync(control.HasAbandonedClients, stop).ConfigureAwait(false);
        if (clients == 0)
            return true;
        _steps.Add(new(step, control.BackendState(), VerifyJudge.Expected(check), $"not tried: {VerifyLive.Text(clients)}; {Unless}", null, false));
        return false;
    }

    /// <summary>As they were found; who has come meanwhile is not cut for that.</summary>
    private async Task<IReadOnlyList<string>> RestoreAsync()
    {
        int clients = 0;
        try
        {
            clients = live is null ? 0 : await live.CountAsync(control.HasAbandonedClients, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ToolException)
        {
            // Systemd doesn't answer; what is asked of it next says so.
        }
        string? inUse = clients == 0 ? null : $"{VerifyLive.Text(clients)}; {Unless}";
        return await control.RestoreAsync(keepsFailures: _steps.Exists(step => !step.IsPassed), inUse).ConfigureAwait(false);
    }

    private async Task ColdAsync(string name, int clients, CancellationToken stop)
    {
        if (!await MayStopAsync(name, stop).ConfigureAwait(false))
            return;
        if (await control.MakeColdAsync(stop).ConfigureAwait(false))
            await AskAsync(name, clients, stop).ConfigureAwait(false);
        else
            _steps.Add(new(name, control.BackendState(), VerifyJudge.Expected(check), $"{target.BackendName} is started before a client comes", null, false));
    }

    /// <summary>A backend that has not answered cold comes up meanwhile, or never: only its next answer after one is a warm one.</summary>
    private async Task WarmAsync(CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan pause = TimeSpan.FromMilliseconds(100);
        bool isWarm = _steps[^1].IsPassed;
        while (!isWarm)
        {
            isWarm = VerifyJudge.IsUp(await AskOneAsync(stop).ConfigureAwait(false));
            // One that isn't even starting has no use for more clients.
            if (isWarm || Stopwatch.GetElapsedTime(start) >= patience || control.BackendState() is not ("active" or "activating"))
                break;
            await Task.Delay(pause, stop).ConfigureAwait(false);
            pause = pause * 2 < s_pauseMax ? pause * 2 : s_pauseMax;
        }
        await AskAsync(Warm, 1, stop).ConfigureAwait(false);
    }

    private async Task AskAsync(string name, int clients, CancellationToken stop)
    {
        string before = control.BackendState(), since = control.BackendStart();
        VerifyAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => AskOneAsync(stop))).ConfigureAwait(false);
        bool isPassed = answers.All(answer => VerifyJudge.IsGood(check, answer));
        string seen = clients == 1 ? VerifyJudge.Seen(answers[0]) : VerifyJudge.Seen(check, answers);
        if (isPassed && control.IsStillAsleep(since))
            (isPassed, seen) = (false, $"{seen}, but {target.BackendName} was not started for it; expected --backend to name the one that answers");
        _steps.Add(new(name, before, VerifyJudge.Expected(check), seen, answers.Max(answer => answer.ElapsedMs), isPassed));
        if (control.IsListening())
            return;
        _closedAt.Add(name);
        control.Reopen();
    }

    private async Task<VerifyAnswer> AskOneAsync(CancellationToken stop)
    {
        VerifyAnswer answer = await client.AskAsync(stop).ConfigureAwait(false);
        if (answer.Kind == AnswerKind.TimedOut)
            control.HasAbandonedClients = true;
        return answer;
    }
}
