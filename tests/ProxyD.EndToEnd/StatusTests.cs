using System.Net.Sockets;
using System.Text.Json;

namespace ProxyD.EndToEnd;

/// <summary><c>proxyd status</c> by the names of units, in a real systemd.</summary>
public sealed class StatusTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "example.service";
    private const string Backend = "example-backend.service";

    // Goal: the trio that we recommend, asleep, awake and asleep again, by each of its names; exit status 0 throughout.
    [Fact]
    public void The_example_trio_is_told_by_each_of_its_names()
    {
        Install(UnitFiles.OfDeploy()
            .WithExecStart(Proxy, $"{Lab.Proxyd} 127.0.0.1:18080 --wait-bind=5s --exit-idle-time=2s")
            .WithExecStart(Backend, "/usr/bin/node /srv/late/late.cjs")
            .WithService(Backend, "Environment=PORT=18080 LISTEN_MS=400"));
        const string Asleep = "example.service: asleep; example.socket is active, and the next client starts it\n";
        Assert.Equal(Asleep, Status("example"));
        Assert.Equal(Asleep, Status("example.socket"));
        Assert.Contains("\nexample.service  -            asleep ", Status("--all"), StringComparison.Ordinal);

        MustServe(PublicAddress, "cold");
        using (Socket client = Lab.Connect(PublicAddress))
        {
            Wait.Until(() => Destination().GetProperty("live").GetInt32() == 1, "the client shows");
            foreach (string name in (string[])["example", "example.service", "example.socket"])
                AssertShowsAWake(Status(name));
            Assert.Contains("\nexample.service  127.0.0.1:18080  ready  ", Status(), StringComparison.Ordinal);
        }
        Lab.WaitForState(Proxy, "inactive (dead)");
        Assert.Equal(Asleep, Status("example"));
        Assert.False(Path.Exists(Lab.PathOf("/run/example")));
    }

    // Goal: who is neither root nor the proxy's user learns that, and nothing else.
    [Fact]
    public void Others_are_turned_away()
    {
        Install(UnitFiles.OfDeploy());
        MustServe(PublicAddress);
        CommandResult refused = Lab.RunAs("nobody", Lab.Proxyd, "status", "example");
        Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
        Assert.StartsWith("proxyd: example.service can't be asked: /run/example-proxy/control is for root", refused.Errors, StringComparison.Ordinal);
        // systemctl show is for everybody: the table tells what systemd knows.
        CommandResult all = Lab.RunAs("nobody", Lab.Proxyd, "status");
        Assert.Equal(2, all.ExitCode);
        Assert.Contains("it has told systemd \"", all.Output, StringComparison.Ordinal);
    }

    // Goal: a backend that can't be started is told with its cause, and by exit status 1.
    [Fact]
    public void A_failed_backend_is_told_with_its_cause()
    {
        Install(UnitFiles.Resident("fails", "127.0.0.1:8081", "127.0.0.1:18081", "ExecStart=/bin/false")
            .WithService("fails.service", "RuntimeDirectory=%N"));
        Lab.HeldUntilReset("127.0.0.1:8081");
        CommandResult failed = Lab.Run(Lab.Proxyd, "status", "fails");
        Say(failed.Output);
        Assert.Equal(1, failed.ExitCode);
        Assert.Matches(@"127\.0\.0\.1:18081: failed for .*: .*fails-backend\.service", failed.Output);
        Assert.Matches(@"\n +starts +fails-backend\.service\n", failed.Output);
        Assert.Matches(@"\n +wakes +0 answered, 1 failed\n", failed.Output);
        Assert.Matches(@" ago +- +\d+  failed: .*fails-backend\.service", failed.Output);
    }

    // Goal: a unit that forbids AF_UNIX serves as before; one line of log, and the tool says what is missing.
    [Fact]
    public void A_unit_that_forbids_unix_sockets_serves_all_the_same()
    {
        Trio trio = Install(UnitFiles.OfDeploy().WithService(Proxy, "RestrictAddressFamilies=", "RestrictAddressFamilies=AF_INET AF_INET6", "Type=simple"));
        MustServe(PublicAddress);
        Wait.Until(() => Told(trio) > 0, "the journal tells of it");
        MustServe(PublicAddress);
        Assert.Equal(1, Told(trio));
        CommandResult status = Lab.Run(Lab.Proxyd, "status", "example");
        Assert.Equal(2, status.ExitCode);
        Assert.Contains("there is no /run/example-proxy/control", status.Errors, StringComparison.Ordinal);
    }

    // Goal: a user's own units are found in the user's runtime directory.
    [Fact]
    public void Under_a_user_manager_the_users_own_units_are_asked()
    {
        UserManager manager = Keep(new UserManager(Lab, "marge"));
        manager.Start(UnitFiles.Resident(
            "home", "127.0.0.1:8082", "127.0.0.1:18082", "Environment=PORT=18082\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs")
            .WithService("home.service", "RuntimeDirectory=%N"));
        MustServe("127.0.0.1:8082", "cold");
        string status = manager.Run(Lab.Proxyd, "status", "--user", "home.socket").Expect();
        Assert.StartsWith("home.service: proxyd ", status, StringComparison.Ordinal);
        Assert.Matches(@"\n +starts +home-backend\.service\n", status);
        Assert.Contains("\nhome.service  127.0.0.1:18082  ready", manager.Run(Lab.Proxyd, "status", "--user").Expect(), StringComparison.Ordinal);
    }

    // Goal: names that are no proxy's are one line on stderr each.
    [Theory]
    [InlineData("nothing-of-this-name", "there is no unit nothing-of-this-name.service (not-found)")]
    [InlineData("nothing-of-this-name.socket", "nothing-of-this-name.socket starts no service")]
    [InlineData("dbus", "dbus.service is no proxyd")]
    [InlineData("app@", "app@.service is a template, and only its instances run; expected the name of one, such as app@1.service")]
    public void What_is_no_proxy_is_told(string name, string expected)
    {
        CommandResult status = Lab.Run(Lab.Proxyd, "status", name);
        Assert.Equal((2, ""), (status.ExitCode, status.Output));
        Assert.StartsWith($"proxyd: {expected}", status.Errors, StringComparison.Ordinal);
        Assert.Equal(1, status.Errors.Count(c => c == '\n'));
    }

    // Goal: whoever sleeps can't be asked; by its command it is no proxyd, runtime directory or not.
    [Fact]
    public void What_sleeps_and_is_no_proxy_is_told()
    {
        const string Asleep = "/run/systemd/system/asleep.service";
        Lab.Write(Asleep, "[Service]\nRuntimeDirectory=asleep\nExecStart=/bin/sleep 60\n");
        try
        {
            CommandResult status = Lab.Run(Lab.Proxyd, "status", "asleep");
            Assert.Equal((2, ""), (status.ExitCode, status.Output));
            Assert.StartsWith("proxyd: asleep.service is no proxyd", status.Errors, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(Lab.PathOf(Asleep));
        }
    }

    private static int Told(Trio trio) =>
        trio.Journal.LinesOf(Proxy).Count(line => line.Message.Contains("proxyd status can't ask this process", StringComparison.Ordinal));

    private static void AssertShowsAWake(string status)
    {
        Say(status);
        Assert.StartsWith("example.service: proxyd ", status, StringComparison.Ordinal);
        Assert.Matches(@"\n  127\.0\.0\.1:18080: ready for .*\n", status);
        Assert.Matches(@"\n +connections +1 live, 0 waiting, 2 served\n", status);
        Assert.Matches(@" ago +1 +\d+  [oarb]+\n", status);
    }

    private string Status(params IEnumerable<string> arguments) => Lab.Run([Lab.Proxyd, "status", .. arguments]).Expect();

    private JsonElement Destination() =>
        JsonDocument.Parse(Status("example", "--json")).RootElement.GetProperty("status").GetProperty("destinations")[0];
}
