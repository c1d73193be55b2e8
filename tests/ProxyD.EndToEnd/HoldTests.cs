namespace ProxyD.EndToEnd;

/// <summary>A backend that never listens.</summary>
public sealed class HoldTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8001";
    private const string BackendAddress = "127.0.0.1:18001";
    private const string Proxy = "deaf.service";

    // Goal: after --wait-bind the client gets a reset, the journal one line with the destination, and proxyd goes on.
    [Fact]
    public void A_client_whose_wait_expires_is_reset_and_the_next_one_waits_anew()
    {
        Trio trio = Install(UnitFiles.Seed("deaf", PublicAddress, $"{BackendAddress} --wait-bind 1s", "ExecStart=/bin/sleep infinity"));

        TimeSpan held = Lab.HeldUntilReset(PublicAddress);
        Wait.Until(() => Complaints(trio) > 0, "the journal tells of the expired wait");
        string process = Lab.Property(Proxy, "MainPID");
        Assert.Equal(1, Complaints(trio));
        Assert.True(held >= TimeSpan.FromSeconds(0.9), $"the client was held {held.TotalMilliseconds:F0} ms instead of 1 s");
        Assert.Equal("active (running)", Lab.StateOf(Proxy));
        Assert.Equal("active (running)", Lab.StateOf(trio.Socket));

        held = Lab.HeldUntilReset(PublicAddress);
        Wait.Until(() => Complaints(trio) > 1, "the journal tells of the second expired wait");
        Assert.Equal(2, Complaints(trio));
        Assert.True(held >= TimeSpan.FromSeconds(0.9), $"the second client was held {held.TotalMilliseconds:F0} ms instead of 1 s");
        Assert.Equal(process, Lab.Property(Proxy, "MainPID"));
    }

    private static int Complaints(Trio trio) =>
        trio.Journal.LinesOf(Proxy).Count(line => line.Message.Contains(BackendAddress, StringComparison.Ordinal));
}
