namespace ProxyD.EndToEnd;

/// <summary>The trio in deploy/resident, which people will copy: unprivileged, hardened, and the backend only there while it is needed.</summary>
public sealed class ResidentExampleTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "example.service";
    private const string Backend = "example-backend.service";
    private const string User = "example-proxy";
    private const string SecurityGoal = "1.5";

    // Goal: as its files say, with the user and the rule that they name, it serves, sleeps, wakes, and passes systemd's own checks.
    [Fact]
    public void As_it_is_it_serves_sleeps_and_passes_the_checks()
    {
        Lab.Write("/etc/sysusers.d/example-proxy.conf", File.ReadAllText(Lab.DeployFile("resident/example-proxy.conf")));
        Lab.Run("systemd-sysusers").Expect();
        Keep(Lab.AddPolkitRule(User, Backend));
        Lab.Systemctl("restart", "polkit.service");
        Trio trio = Install(UnitFiles.OfDeploy("resident").WithExecStart(Backend, "/usr/bin/python3 /srv/python/server.py 18080"));

        MustServe(PublicAddress, "cold");
        MustServe(PublicAddress, "warm");
        Lab.Systemctl("stop", Backend);
        MustServe(PublicAddress, "again");

        Lab.WaitForState(Proxy, "active (running)");
        Assert.Equal(User, Lab.Property(Proxy, "User"));
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
        Assert.Equal("", Lab.Run("systemd-analyze", "verify", Proxy, Backend).Expect().Trim());
        CommandResult security = Lab.Run("systemd-analyze", "security", $"--threshold={SecurityGoal.Replace(".", "", StringComparison.Ordinal)}", Proxy);
        Assert.True(security.ExitCode == 0, $"exposure above {SecurityGoal}:\n{security.Output}");
    }
}
