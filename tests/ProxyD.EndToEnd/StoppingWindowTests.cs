using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>A backend on its way out: its listener is closed, its process and its unit are still there.</summary>
public sealed class StoppingWindowTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8012";
    private const string BackendAddress = "127.0.0.1:18012";
    private const string Backend = "slow-backend.service";

    // Goal: a client that comes while the old one is still stopping, by systemd's will or by its own, is served by the new one.
    [Theory]
    [InlineData("systemctl --no-block stop " + Backend)]
    [InlineData("kill -TERM {0}")]
    public void A_client_that_comes_while_the_backend_stops_is_served_by_the_next(string stop)
    {
        Install(UnitFiles.Resident("slow", PublicAddress, BackendAddress, "Environment=PORT=18012 STOP_MS=700\nExecStart=/usr/bin/node /srv/late/late.cjs"));
        MustServe(PublicAddress, "first");
        string old = Lab.Property(Backend, "MainPID");

        Lab.Run(string.Format(CultureInfo.InvariantCulture, stop, old).Split(' ')).Expect();
        Wait.Until(() => !Listens(), "the old backend's listener is closed");
        Assert.Equal(old, Lab.Property(Backend, "MainPID"));

        MustServe(PublicAddress, "second");
        Assert.NotEqual(old, Lab.Property(Backend, "MainPID"));
    }

    // Goal: a stop in the middle of a wake cancels the start but not the client, who waits for another.
    [Fact]
    public async Task A_stop_while_it_is_being_woken_costs_the_client_time_and_nothing_else()
    {
        Install(UnitFiles.Resident(
            "slow", PublicAddress, $"{BackendAddress} --wait-bind=1min", "Environment=PORT=18012 LISTEN_MS=700\nExecStart=/usr/bin/node /srv/late/late.cjs"));
        Task<Answer> answer = Lab.GetAsync(PublicAddress, "patient");
        Wait.Until(() => Lab.IsInState(Backend, "active (running)"), "the backend's process runs");

        Lab.Systemctl("stop", Backend);

        Assert.Equal("patient", (await answer).Body.Trim());
    }

    private bool Listens()
    {
        try
        {
            Lab.Connect(BackendAddress).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
