using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>proxyd as a service: what it tells systemd, and how it comes and goes.</summary>
public sealed class LifeCycleTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8000";
    private const string Proxy = "life.service";
    private const string Backend = "life-backend.service";

    // Goal: systemd believes READY=1, and status shows how many connections there are.
    [Fact]
    public void Type_notify_shows_the_connections_in_systemctl_status()
    {
        Install(Units("127.0.0.1:18000").WithService(Proxy, "Type=notify"));
        MustServe(PublicAddress, "warm-up");

        using Socket client = Lab.Connect(PublicAddress);
        Wait.Until(() => StatusText().Contains("1 connection", StringComparison.Ordinal), () => $"1 connection in \"{StatusText()}\"");

        Assert.Contains($"Status: \"{StatusText()}\"", Lab.Systemctl("status", Proxy), StringComparison.Ordinal);
    }

    // Goal: the type that a unit file without Type= has.
    [Fact]
    public void Type_simple_serves()
    {
        Install(Units("127.0.0.1:18000").WithService(Proxy, "Type=simple"));

        MustServe(PublicAddress, "cold");
        MustServe(PublicAddress, "warm");

        Assert.Equal("active (running)", Lab.StateOf(Proxy));
    }

    // Goal: a client that waits for the backend outlives the proxyd that noticed it, however that one ends.
    [Theory]
    [InlineData("stop")]
    [InlineData("restart")]
    [InlineData("kill --signal=KILL")]
    public void A_waiting_client_is_served_by_the_next_proxyd(string end)
    {
        Install(Units("127.0.0.1:18000 --wait-bind=1min").WithoutBackendTies(Proxy).WithService(Proxy, "Type=notify"));
        using Socket client = Lab.Connect(PublicAddress);
        client.Ask("patient");
        Wait.Until(() => StatusText().Contains("1 waiting", StringComparison.Ordinal), () => $"1 waiting in \"{StatusText()}\"");
        string first = Instance();

        Lab.Systemctl([.. end.Split(' '), Proxy]);
        Wait.Until(() => Lab.IsInState(Proxy, "active (running)") && Instance() != first, "the next proxyd runs");
        Lab.Systemctl("start", Backend);

        Answer answer = client.Answer();
        Assert.Equal(200, answer.Status);
        Assert.Equal("patient", answer.Body.Trim());
    }

    // Goal: nobody for a second: proxyd leaves with 0, the backend that nobody needs follows, and the next client starts both.
    [Fact]
    public void Exit_idle_time_ends_the_process_and_keeps_the_socket()
    {
        Trio trio = Install(Units("127.0.0.1:18000 --exit-idle-time=1s"));
        MustServe(PublicAddress, "cold");

        Lab.WaitForState(Proxy, "inactive (dead)");
        Assert.Equal("success", Lab.Property(Proxy, "Result"));
        Assert.Equal("0", Lab.Property(Proxy, "ExecMainStatus"));
        Lab.WaitForState(trio.Socket, "active (listening)");

        MustServe(PublicAddress, "again");
    }

    // Goal: proxyd feeds the watchdog: alive after more than its span, with the same process.
    [Fact]
    public void The_watchdog_is_fed()
    {
        Install(Units("127.0.0.1:18000").WithService(Proxy, "Type=notify", "WatchdogSec=6s", "Restart=on-watchdog"));
        MustServe(PublicAddress, "cold");
        string process = Lab.Property(Proxy, "MainPID");
        // When it was fed, as often as that is seen to change.
        HashSet<long> fed = [LastFed()];

        Wait.While(TimeSpan.FromSeconds(7), TimeSpan.FromMilliseconds(250), () =>
        {
            Assert.Equal("active (running)", Lab.StateOf(Proxy));
            fed.Add(LastFed());
        });
        Wait.Until(() => fed.Count > 2 || (fed.Add(LastFed()) && fed.Count > 2), "the watchdog fed twice");

        Assert.Equal(process, Lab.Property(Proxy, "MainPID"));
        Assert.Equal("0", Lab.Property(Proxy, "NRestarts"));
    }

    private static UnitFiles Units(string proxyArguments) =>
        UnitFiles.Seed("life", PublicAddress, proxyArguments, "Environment=PORT=18000\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs");

    private string StatusText() => Lab.Property(Proxy, "StatusText");

    private string Instance() => Lab.Property(Proxy, "InvocationID");

    private long LastFed() => long.Parse(Lab.Property(Proxy, "WatchdogTimestampMonotonic"), CultureInfo.InvariantCulture);
}
