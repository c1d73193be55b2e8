using System.Diagnostics;

namespace ProxyD.Tools;

/// <summary>The steps of verify, one after the other, against the real units.</summary>
/// <param name="control">Stops and starts them.</param>
/// <param name="target">Which.</param>
/// <param name="client">Asks.</param>
/// <param name="check">What counts as an answer.</param>
/// <param name="patience">How long a client waits; also how long a backend that didn't answer cold may take to become warm.</param>
internal sealed class VerifyRun(VerifyControl control, VerifyTarget target, VerifyClient client, VerifyCheck check, TimeSpan patience)
{
    /// <summary>How many clients meet a cold backend together.</summary>
    internal const int ClientsAtOnce = 10;

    private const string Cold = "cold";
    private const string Warm = "warm";
    private const string Again = "killed, and again";
    private const string Many = "ten at once, cold";

    private static readonly TimeSpan s_pauseMax = TimeSpan.FromSeconds(1);

    private readonly List<VerifyStep> _steps = [];
    private readonly List<string> _closedAt = [];

    /// <summary>Runs them all; whatever happens, the units are left as they were found.</summary>
    /// <exception cref="ToolException">Systemd does not do what a step needs.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    internal async Task<VerifyResult> RunAsync(CancellationToken stop)
    {
        control.Remember();
        IReadOnlyList<string> failures = [];
        try
        {
            await ColdAsync(Cold, 1, stop).ConfigureAwait(false);
            await WarmAsync(stop).ConfigureAwait(false);
            await control.ForceStopAsync(stop).ConfigureAwait(false);
            await AskAsync(Again, 1, stop).ConfigureAwait(false);
            await ColdAsync(Many, ClientsAtOnce, stop).ConfigureAwait(false);
            string seen = _closedAt.Count == 0 ? "listening" : $"closed at: {string.Join("; ", _closedAt)}";
            _steps.Add(new("public socket", "", "listening", seen, null, _closedAt.Count == 0));
        }
        catch (OperationCanceledException)
        {
            control.HasAbandonedClients = true;
            throw;
        }
        finally
        {
            failures = control.Failures();
            await control.RestoreAsync(keepsFailures: _steps.Exists(step => !step.IsPassed)).ConfigureAwait(false);
        }
        return new(_steps, failures);
    }

    private async Task ColdAsync(string name, int clients, CancellationToken stop)
    {
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
        string before = control.BackendState();
        VerifyAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => AskOneAsync(stop))).ConfigureAwait(false);
        bool isPassed = answers.All(answer => VerifyJudge.IsGood(check, answer));
        string seen = clients == 1 ? VerifyJudge.Seen(answers[0]) : VerifyJudge.Seen(check, answers);
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
