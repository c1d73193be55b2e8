namespace ProxyD.EndToEnd;

/// <summary>A backend that is stopped and needed again, faster than systemd's start limit (5 in 10 s) allows.</summary>
public sealed class BackToBackTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "again.service";
    private const string Backend = "again-backend.service";
    private const int Warning = 4;

    // Goal: a client that comes right after a stop wakes the backend again, twenty times, with nothing left in a failed state:
    // where systemd counts the starts, and where it unloads the unit in between and forgets them.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Twenty_stops_with_a_client_right_behind_each_are_all_answered(bool counted)
    {
        UnitFiles files = UnitFiles.Resident(
            "again", PublicAddress, "127.0.0.1:18080", "Environment=PORT=18080\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs");
        Trio trio = Install(counted ? files.KeepingLoaded(Backend, Proxy) : files);
        MustServe(PublicAddress, "first");
        string process = Lab.Property(Proxy, "MainPID");

        for (int i = 0; i < 20; i++)
        {
            Lab.Systemctl("stop", Backend);
            MustServe(PublicAddress, $"after-{i}");
        }

        Assert.Equal(process, Lab.Property(Proxy, "MainPID"));
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
        Assert.Equal("active (running)", Lab.StateOf(Backend));
        Assert.Equal("success", Lab.Property(Backend, "Result"));
        Assert.DoesNotContain(trio.Journal.LinesOf(Proxy), line => line.Priority <= Warning);
    }

    // Goal: an instance of a template is a unit like any other.
    [Fact]
    public void An_instance_is_woken_under_its_own_name()
    {
        const string Instance = "again-backend@18080.service";
        Keep(new LabFile(
            Lab, "/etc/systemd/system/again-backend@.service", "[Service]\nEnvironment=PORT=%i\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs\n"));
        UnitFiles files = UnitFiles.Resident("again", PublicAddress, "", "").Without(Backend);
        Install(files.WithExecStart(Proxy, $"{Lab.Proxyd} 127.0.0.1:18080 --backend-unit=again-backend@18080"));

        for (int i = 0; i < 2; i++)
        {
            MustServe(PublicAddress, $"cold-{i}");
            Assert.Equal("active (running)", Lab.StateOf(Instance));
            Lab.Systemctl("stop", Instance);
        }
    }
}
