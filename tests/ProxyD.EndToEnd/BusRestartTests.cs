using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>The message bus comes and goes under a proxyd that stays.</summary>
public sealed class BusRestartTests : EndToEndTest
{
    private const string PublicAddress = "127.0.0.1:8006";
    private const string Proxy = "bus.service";
    private const string Backend = "bus-backend.service";

    private readonly Trio _trio;

    public BusRestartTests(Lab lab)
        : base(lab)
    {
        _trio = Install(UnitFiles.Resident(
            "bus", PublicAddress, "127.0.0.1:18006 --wait-bind=1min", "Environment=PORT=18006\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs"));
        MustServe(PublicAddress, "first");
    }

    // Goal: dbus-daemon restarted in the middle, with the backend asleep or awake: the next wake works, with the same proxyd.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_a_restart_of_the_bus_the_next_wake_works(bool asleep)
    {
        string process = Lab.Property(Proxy, "MainPID");
        for (int i = 0; i < 3; i++)
        {
            if (asleep)
                Lab.Systemctl("stop", Backend);
            Lab.RestartBus();
            if (!asleep)
                Lab.Systemctl("stop", Backend);
            MustServe(PublicAddress, $"after-{i}");
        }
        Assert.Equal(process, Lab.Property(Proxy, "MainPID"));
    }

    // Goal: without a bus a backend that is up is relayed to; who needs a wake is held, the log says why, and is served when the bus is back.
    [Fact]
    public void While_the_bus_is_away_clients_are_held_and_then_served()
    {
        Lab.StopBus();
        try
        {
            MustServe(PublicAddress, "without-bus");
            Lab.Systemctl("stop", Backend);
            using Socket client = Lab.Connect(PublicAddress);
            client.Ask("patient");
            Wait.Until(
                () => _trio.Journal.LinesOf(Proxy).Any(line => line.Message.Contains("the system bus can't be reached", StringComparison.Ordinal)),
                "the journal says that there is no bus");
            Assert.False(client.Poll(TimeSpan.FromSeconds(0.5), SelectMode.SelectRead), "the client was let go");

            Lab.StartBus();
            Answer answer = client.Answer();
            Assert.Equal(200, answer.Status);
            Assert.Equal("patient", answer.Body.Trim());
        }
        finally
        {
            // The other tests need it, whatever happened here.
            Lab.StartBus();
        }
    }
}
