namespace ProxyD.EndToEnd;

/// <summary>Clients that come in the very moment in which proxyd puts its backend to sleep.</summary>
public sealed class SleepStormTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "doze.service";
    private const string Backend = "doze-backend.service";
    private const int Requests = 300;

    // Goal: whether it is stopped or frozen, and however soon: nobody is lost, because proxyd, unlike an idle exit, knows who comes.
    [Theory]
    [InlineData("--backend-idle-stop=100ms")]
    [InlineData("--backend-idle-freeze=100ms")]
    [InlineData("--backend-idle-freeze=100ms --idle-by=bytes")]
    public async Task Nobody_is_lost_who_comes_while_it_goes_to_sleep(string options)
    {
        const string Server = "Environment=PORT=18080\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs";
        Trio trio = Install(UnitFiles
            .Resident("doze", PublicAddress, $"127.0.0.1:18080 --log-level=debug {options}", Server)
            .WithService(Proxy, "LogRateLimitIntervalSec=0")
            .KeepingLoaded(Backend, Proxy));
        int seed = Storm.NewSeed();
        Say($"PROXYD_SEED={seed} repeats the load");

        StormResult storm = await new Storm(Lab, PublicAddress, seed).Run(Requests);

        int sleeps = trio.Journal.LinesOf(Proxy).Count(line => line.Message.Contains("Retiring\" -> ", StringComparison.Ordinal));
        Say($"{storm.Requests.Count} requests, {sleeps} times asleep, {storm.Lost.Count} lost");
        Assert.Empty(storm.Lost);
        Assert.InRange(sleeps, 5, int.MaxValue);
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
    }
}
