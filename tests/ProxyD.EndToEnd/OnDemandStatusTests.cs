using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace ProxyD.EndToEnd;

/// <summary>What systemctl status and the journal say of a backend that comes and goes.</summary>
public sealed partial class OnDemandStatusTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8011";
    private const string BackendAddress = "127.0.0.1:18011";
    private const string Proxy = "tell.service";
    private const string Backend = "tell-backend.service";
    private const int Informational = 6;

    // Goal: asleep, waking (which unit, how many wait), ready (how many are connected), and asleep again.
    [Fact]
    public void The_status_tells_how_the_backend_is()
    {
        Install(Units("LISTEN_MS=1500"));
        Lab.Systemctl("start", Proxy);
        WaitForStatus(Asleep());

        using (Socket client = Lab.Connect(PublicAddress))
        {
            client.Ask("patient");
            WaitForStatus(Waking());
            Assert.Equal(200, client.Answer().Status);
        }
        using (Lab.Connect(PublicAddress))
            WaitForStatus(Ready());

        Lab.Systemctl("stop", Backend);
        WaitForStatus(Asleep());
    }

    // Goal: why it failed, and when the next try is.
    [Fact]
    public void The_status_tells_why_it_failed_and_when_it_tries_again()
    {
        Install(UnitFiles.Resident("tell", PublicAddress, BackendAddress, "ExecStart=/bin/false"));
        for (int failures = 0; failures < 4; failures++)
            Lab.HeldUntilReset(PublicAddress);
        WaitForStatus(Failed());
    }

    // Goal: each wake is one line of information with its timeline, and a warm request is none.
    [Fact]
    public void Each_wake_is_one_line_with_its_timeline()
    {
        Trio trio = Install(Units(""));
        for (int wake = 1; wake <= 2; wake++)
        {
            MustServe(PublicAddress, "cold");
            MustServe(PublicAddress, "warm");
            Wait.Until(() => Wakes(trio) >= wake, "the journal tells of the wake");
            Assert.Equal(wake, Wakes(trio));
            Lab.Systemctl("stop", Backend);
        }
        foreach (JournalLine line in trio.Journal.LinesOf(Proxy))
            Say($"<{line.Priority}> {line.Message}");
    }

    private static int Wakes(Trio trio) =>
        trio.Journal.LinesOf(Proxy).Count(line => line.Priority == Informational && Timeline().IsMatch(line.Message));

    private static UnitFiles Units(string environment) => UnitFiles.Resident(
        "tell", PublicAddress, BackendAddress, $"Environment=PORT=18011 {environment}\nExecStart=/usr/bin/node /srv/late/late.cjs");

    private void WaitForStatus(Regex expected) => Wait.Until(() => expected.IsMatch(Status()), () => $"{expected} in \"{Status()}\"");

    private string Status() => Lab.Property(Proxy, "StatusText");

    [GeneratedRegex("asleep", RegexOptions.IgnoreCase)]
    private static partial Regex Asleep();

    [GeneratedRegex(@"waking tell-backend\.service, 1 waiting", RegexOptions.IgnoreCase)]
    private static partial Regex Waking();

    [GeneratedRegex("ready, 1 connection", RegexOptions.IgnoreCase)]
    private static partial Regex Ready();

    [GeneratedRegex(@"failed: .*tell-backend\.service.*next try in", RegexOptions.IgnoreCase)]
    private static partial Regex Failed();

    [GeneratedRegex(@"^127\.0\.0\.1:18011 answered after \d+ ms; 1 client waited; start ordered \d+, .*, first byte \d+")]
    private static partial Regex Timeline();
}
