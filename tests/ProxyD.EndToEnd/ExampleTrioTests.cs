namespace ProxyD.EndToEnd;

/// <summary>The trio in deploy/trio, which people will copy: hardened, and up whatever its backend does.</summary>
public sealed class ExampleTrioTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "example.service";
    private const string Backend = "example-backend.service";

    // Goal: the units as they are start, serve, and pass systemd's own checks.
    [Fact]
    public void As_it_is_it_serves_and_passes_verify()
    {
        Install(UnitFiles.OfDeploy());
        MustServe(PublicAddress);
        MustServe(PublicAddress);
        Lab.WaitForState(Proxy, "active (running)");
        Assert.Equal("", Lab.Run("systemd-analyze", "verify", Proxy, Backend).Expect().Trim());
    }

    // Goal: however the backend ends, again and again, the next client is served while the proxy stays.
    [Theory]
    [InlineData("kill --signal=KILL")]
    [InlineData("kill --signal=TERM")]
    [InlineData("stop")]
    public void However_the_backend_ends_the_next_client_is_served(string end)
    {
        Trio trio = Install(UnitFiles.OfDeploy().WithExecStart(Backend, "/usr/bin/python3 /srv/python/server.py 18080"));
        MustServe(PublicAddress, "first");
        string proxy = Lab.Property(Proxy, "MainPID");
        for (int i = 0; i < 8; i++)
        {
            string backend = Lab.Property(Backend, "MainPID");
            Lab.Systemctl([.. end.Split(' '), Backend]);
            // Until the process is gone its own listen queue still takes clients, and takes them with it.
            Wait.Until(() => Lab.Property(Backend, "MainPID") != backend, "the backend's process has ended");
            MustServe(PublicAddress, $"after-{i}");
        }
        Assert.Equal(proxy, Lab.Property(Proxy, "MainPID"));
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
    }

    // Goal: when nobody comes any more, both go to sleep, and the next client wakes both.
    [Fact]
    public void Both_sleep_when_nobody_comes_and_wake_again()
    {
        UnitFiles quick = UnitFiles.OfDeploy().WithExecStart(Proxy, $"{Lab.Proxyd} 127.0.0.1:18080 --wait-bind=5s --exit-idle-time=1s");
        Trio trio = Install(quick);
        MustServe(PublicAddress);
        Lab.WaitForState(Proxy, "inactive (dead)");
        Lab.WaitForState(Backend, "inactive (dead)");
        Lab.WaitForState(trio.Socket, "active (listening)");
        MustServe(PublicAddress);
    }
}
