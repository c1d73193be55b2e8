using System.Globalization;
using System.Text.RegularExpressions;

namespace ProxyD.EndToEnd;

/// <summary>A backend that exits whenever nobody has come for a moment, and clients that come at exactly such moments.</summary>
public sealed partial class ChaosTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string BackendAddress = "127.0.0.1:18080";
    private const string Proxy = "chaos.service";
    private const string Backend = "chaos-backend.service";
    private const string EventLog = "/var/log/chaos-events";
    private const string Program = "/usr/bin/node /srv/chaos/chaos.cjs";

    // Goal: 3,000 requests (or $PROXYD_E2E_REQUESTS) over 200 wakes: lost is only who had been taken by the backend that then exited,
    // and proxyd says so of each.
    [Fact]
    public async Task A_backend_that_exits_idle_loses_only_clients_that_it_had_taken()
    {
        Trio trio = Install(Resident("exit", $"{BackendAddress} --log-level=debug"));

        StormResult storm = await Weather("proxyd, exits at once", Requests());

        int unanswered = trio.Journal.LinesOf(Proxy).Count(line => UnansweredLine().IsMatch(line.Message));
        Say($"reported as Unanswered: {unanswered}");
        Assert.Equal(storm.Lost.Count, unanswered);
        AssertEnoughWakes(storm);
        MustStillServe(trio);
    }

    // Goal: the same load on a backend that closes its listener before it exits: with --retry-unanswered nobody is lost.
    [Fact]
    public async Task With_retry_unanswered_a_backend_that_closes_its_listener_first_loses_nobody()
    {
        Trio trio = Install(Resident("close", $"{BackendAddress} --retry-unanswered"));

        // Half of the load, for the sake of the suite's time; $PROXYD_E2E_REQUESTS is halved too.
        StormResult storm = await Weather("proxyd, closes first", Requests() / 2);

        Assert.Empty(storm.Lost);
        AssertEnoughWakes(storm);
        MustStillServe(trio);
    }

    // Goal: what the table compares with: systemd-socket-proxyd with the bash guard loses most of the same load.
    [Fact]
    public async Task The_bash_guard_trio_loses_most()
    {
        Install(UnitFiles.OfIncumbent("brainstorm").WithExecStart("brainstorm-backend.service", Program)
            .WithService("brainstorm-backend.service", $"Environment=MANNER=exit EVENT_LOG={EventLog}"));

        StormResult storm = await Weather("socket-proxyd, bash guard", 300);

        Assert.InRange(storm.Lost.Count, storm.Requests.Count / 2, storm.Requests.Count);
    }

    [GeneratedRegex("connection ended, \"?Unanswered")]
    private static partial Regex UnansweredLine();

    private static int Requests() => int.Parse(Environment.GetEnvironmentVariable("PROXYD_E2E_REQUESTS") ?? "3000", CultureInfo.InvariantCulture);

    private static UnitFiles Resident(string manner, string arguments) => UnitFiles
        .Resident("chaos", PublicAddress, arguments, $"Environment=PORT=18080 MANNER={manner} EVENT_LOG={EventLog}\nExecStart={Program}")
        // journald would drop lines that the test counts.
        .WithService(Proxy, "LogRateLimitIntervalSec=0")
        // Three starts in a second: most wakes meet the start limit.
        .KeepingLoaded(Backend, Proxy);

    private async Task<StormResult> Weather(string what, int requests)
    {
        File.Delete(Lab.PathOf(EventLog));
        int seed = Storm.NewSeed();
        Say($"PROXYD_SEED={seed} repeats the load");

        StormResult storm = await new Storm(Lab, PublicAddress, seed).Run(requests);

        BackendEvents events = BackendEvents.Load(Lab.PathOf(EventLog));
        Say("| trio | requests | served | lost | of these seen by the backend | wakes | s |");
        Say(string.Create(CultureInfo.InvariantCulture, $"| {what} | {storm.Requests.Count} | {storm.Requests.Count - storm.Lost.Count} | {storm.Lost.Count} "
            + $"| {storm.Lost.Count(request => events.HasSeen(request.Token))} | {events.Starts} | {storm.Elapsed.TotalSeconds:F0} |"));
        foreach (StormRequest lost in storm.Lost.Take(20))
            Say($"{lost.Token}: {lost.Loss}; the backend {(events.HasSeen(lost.Token) ? "had seen" : "never saw")} it");
        return storm;
    }

    // One wake for each fifteen requests, 200 of 3,000: with fewer the storm would prove little.
    private void AssertEnoughWakes(StormResult storm) =>
        Assert.InRange(BackendEvents.Load(Lab.PathOf(EventLog)).Starts, storm.Requests.Count / 15, int.MaxValue);

    private void MustStillServe(Trio trio)
    {
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
        MustServe(PublicAddress, "after-the-storm");
    }
}
