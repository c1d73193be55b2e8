using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>Many cold starts in a row, at the pace that systemd's start limit allows.</summary>
public sealed class SeedCyclesTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string GuardedAddress = "127.0.0.1:8082";

    /// <summary>The same as it was before proxyd: systemd-socket-proxyd, and a loop in bash that holds it back until the backend listens.</summary>
    private static UnitFiles Guarded { get; } = UnitFiles
        .Seed("guarded", GuardedAddress, "127.0.0.1:18082", "Environment=PORT=18082\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs")
        .WithExecStart("guarded.service", "/lib/systemd/systemd-socket-proxyd 127.0.0.1:18082")
        .WithService("guarded.service",
            "ExecStartPre=/bin/bash -c 'for i in {1..50}; do ss -tln | grep -q \"127.0.0.1:18082 \" && exit 0; sleep 0.1; done; exit 1'");

    // StartLimitBurst=5 in 10 s belongs to systemd, not to proxyd: at a faster pace the units themselves refuse to start.
    private static readonly TimeSpan s_spacing = TimeSpan.FromSeconds(2.2);

    /// <summary>What a cold start may take beyond the backend's own: the start of proxyd, its first attempts, and systemd's work for both.</summary>
    private const double ProxyCostMsMax = 25;

    // Goal: twenty cold starts (or $PROXYD_E2E_CYCLES), no request lost, the public socket listening after each, and none much
    // slower than the backend itself.
    [Fact]
    public void Twenty_cold_starts_lose_no_request()
    {
        int cycles = int.Parse(Environment.GetEnvironmentVariable("PROXYD_E2E_CYCLES") ?? "20", CultureInfo.InvariantCulture);
        Trio trio = Install(SeedMatrixTests.Brainstorm);
        // The same server without a proxy, to tell how much of a cold start is the backend's own.
        Install(BackendAlone.Units);
        Install(Guarded);
        List<double> coldMs = [], warmMs = [], ownMs = [], guardedMs = [];
        List<string> losses = [];

        for (int cycle = 0; cycle < cycles; cycle++)
        {
            Time(PublicAddress, $"cold-{cycle}", coldMs, losses);
            Time(PublicAddress, $"warm-{cycle}", warmMs, losses);
            Lab.Systemctl("kill", "--signal=KILL", "brainstorm-backend.service");
            Lab.WaitForState("brainstorm.service", "inactive (dead)");
            Lab.WaitForState(trio.Socket, "active (listening)");
            ownMs.Add(BackendAlone.Start(Lab).TotalMilliseconds);
            // For comparison; what it loses is not ours to answer for.
            Time(GuardedAddress, $"guarded-{cycle}", guardedMs, []);
            Lab.Systemctl("kill", "--signal=KILL", "guarded-backend.service");
            Lab.WaitForState("guarded.service", "inactive (dead)");
            // The whole time after the last cold start, not what is left of it since this cycle began: a late start counts late.
            Wait.For(s_spacing);
        }

        Say($"medians of {cycles} cycles: cold {coldMs.Median():F1} ms, backend alone {ownMs.Median():F1} ms, "
            + $"systemd-socket-proxyd behind a loop in bash {guardedMs.Median():F1} ms, warm {warmMs.Median():F2} ms");
        Say($"cold starts in ms: {string.Join(' ', coldMs.Select(ms => ms.ToString("F0", CultureInfo.InvariantCulture)))}");
        Assert.Empty(losses);
        // Medians of interleaved samples: a machine that stalls now and then moves neither, and one that is slow moves both.
        Assert.InRange(coldMs.Median() - ownMs.Median(), double.MinValue, ProxyCostMsMax);
    }

    private void Time(string address, string token, List<double> elapsedMs, List<string> losses)
    {
        try
        {
            elapsedMs.Add(MustServe(address, token).Elapsed.TotalMilliseconds);
        }
        catch (Exception loss) when (loss is SocketException or EndOfStreamException or OperationCanceledException)
        {
            losses.Add($"{token}: {loss.Message}");
        }
    }
}
