using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>A backend without an idle exit of its own, which proxyd puts to sleep.</summary>
public sealed class IdleStopTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8009";
    private const string BackendAddress = "127.0.0.1:18009";
    private const string Proxy = "nap.service";
    private const string Backend = "nap-backend.service";
    private const string Node = "/usr/bin/node /srv/brainstorm/server.cjs";

    // Goal: stopped after its idle time, woken by the next client, and stopped again; proxyd and the socket stay.
    [Fact]
    public void A_unit_sleeps_when_nobody_comes_and_wakes_again()
    {
        Trio trio = Install(Units("--backend-idle-stop=300ms"));
        for (int i = 0; i < 2; i++)
        {
            MustServe(PublicAddress, $"cold-{i}");
            Lab.WaitForState(Backend, "inactive (dead)");
        }
        Assert.Equal("success", Lab.Property(Backend, "Result"));
        Assert.Equal("active (running)", Lab.StateOf(Proxy));
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
    }

    // Goal: a connection on which nothing moves is somebody too, and counts as long as it is there.
    [Fact]
    public void Nobody_who_is_connected_loses_the_backend()
    {
        Install(Units("--backend-idle-stop=300ms"));
        MustServe(PublicAddress, "first");
        using (Socket client = Lab.Connect(PublicAddress))
        {
            Lab.WaitForState(Backend, "active (running)");
            Wait.While(TimeSpan.FromSeconds(1.5), TimeSpan.FromMilliseconds(100), () => Assert.Equal("active (running)", Lab.StateOf(Backend)));
            client.Ask("late");
            Assert.Equal(200, client.Answer().Status);
        }
        Lab.WaitForState(Backend, "inactive (dead)");
    }

    // Goal: with --idle-by=bytes a silent connection counts for nothing, and one on which bytes move does.
    [Fact]
    public void By_bytes_a_silent_connection_does_not_keep_the_backend_awake()
    {
        Install(Units("--backend-idle-stop=700ms --idle-by=bytes"));
        using Socket client = Lab.Connect(PublicAddress);
        Lab.WaitForState(Backend, "active (running)");

        // Not a whole request: the server waits for more, and so bytes move while the connection stays.
        client.Send("GET / HTTP/1.1\r\n"u8);
        Wait.While(TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(100), () =>
        {
            client.Send("X: y\r\n"u8);
            Assert.Equal("active (running)", Lab.StateOf(Backend));
        });

        Lab.WaitForState(Backend, "inactive (dead)");
    }

    // Goal: --backend-min-up is kept, whatever the idle time.
    [Fact]
    public void It_is_never_put_to_sleep_before_its_minimum_up_time()
    {
        Install(Units("--backend-idle-stop=100ms --backend-min-up=2s"));
        MustServe(PublicAddress, "first");
        Lab.WaitForState(Backend, "inactive (dead)");

        long upUs = Timestamp("InactiveEnterTimestampMonotonic") - Timestamp("ActiveEnterTimestampMonotonic");
        Say($"up for {upUs / 1000} ms");
        Assert.InRange(upUs, 2_000_000, long.MaxValue);
    }

    // Goal: what proxyd has started with --exec it also ends, and starts again.
    [Fact]
    public void A_child_of_proxyd_sleeps_and_wakes_too()
    {
        Install(Units("").Without(Backend).WithExecStart(
            Proxy, $"{Lab.Proxyd} {BackendAddress} --backend-idle-stop=300ms --exec=\"/usr/bin/env PORT=18009 {Node}\""));
        for (int i = 0; i < 2; i++)
        {
            MustServe(PublicAddress, $"cold-{i}");
            Wait.Until(() => ProcessesOfProxy() == 1, () => $"proxyd is alone, and not one of {ProcessesOfProxy()} processes");
        }
        Assert.Equal("active (running)", Lab.StateOf(Proxy));
    }

    // Kept loaded, because with the unit systemd would forget how and when it ended.
    private static UnitFiles Units(string options) => UnitFiles
        .Resident("nap", PublicAddress, $"{BackendAddress} {options}", $"Environment=PORT=18009\nExecStart={Node}")
        .KeepingLoaded(Backend, Proxy);

    private int ProcessesOfProxy() =>
        File.ReadAllLines(Lab.PathOf($"/sys/fs/cgroup{Lab.Property(Proxy, "ControlGroup")}/cgroup.procs")).Length;

    private long Timestamp(string property) => long.Parse(Lab.Property(Backend, property), CultureInfo.InvariantCulture);
}
