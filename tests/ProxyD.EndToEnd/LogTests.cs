namespace ProxyD.EndToEnd;

/// <summary>What an administrator reads in the journal.</summary>
public sealed class LogTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "brainstorm.service";
    private const int Informational = 6;

    // Goal: at the default level a cold start is one line of information, and ordinary connections are silent.
    [Fact]
    public void A_cold_start_is_one_line_and_warm_requests_are_none()
    {
        // Late enough to be met asleep even where proxyd, which starts beside it, is held up.
        Trio trio = Install(SeedMatrixTests.Brainstorm
            .WithExecStart("brainstorm-backend.service", "/usr/bin/node /srv/late/late.cjs")
            .WithService("brainstorm-backend.service", "Environment=LISTEN_MS=500"));

        MustServe(PublicAddress, "cold");
        Wait.Until(() => trio.Journal.LinesOf(Proxy).Count > 0, "the journal tells of the cold start");
        for (int i = 0; i < 50; i++)
            MustServe(PublicAddress, $"warm-{i}");

        JournalLine line = Assert.Single(trio.Journal.LinesOf(Proxy));
        Say($"<{line.Priority}> {line.Message}");
        Assert.Equal(Informational, line.Priority);
        // The prefix is for journald, not for people.
        Assert.DoesNotMatch("^<[0-7]>", line.Message);
    }
}
