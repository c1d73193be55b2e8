namespace ProxyD.EndToEnd;

/// <summary>A backend that listens long before it can serve, and says 503 until then.</summary>
public sealed class ReadyTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8010";
    private const string Backend = "late-backend.service";
    private const string ReadyFile = "/run/late-is-ready";

    // Goal: nobody is let through before the backend says that it is ready, in each of the ways in which it can say so.
    [Theory]
    [InlineData("http:/health", "")]
    [InlineData("http:/health,204", "READY_STATUS=204")]
    [InlineData("unit", "")]
    [InlineData($"exec:/usr/bin/test -e {ReadyFile}", $"READY_FILE={ReadyFile}")]
    public void Clients_wait_until_the_backend_is_ready(string ready, string environment)
    {
        File.Delete(Lab.PathOf(ReadyFile));
        UnitFiles files = Units($"--ready=\"{ready}\"", environment);
        Install(ready == "unit" ? files.WithService(Backend, "Type=notify", "NotifyAccess=all") : files);

        MustServe(PublicAddress, "cold");
        MustServe(PublicAddress, "warm");
    }

    // Goal: the test can tell: without --ready the first client is let through to a backend that only listens.
    [Fact]
    public void Without_it_the_first_client_meets_a_backend_that_only_listens()
    {
        Install(Units("", ""));
        Assert.Equal(503, Lab.Get(PublicAddress).Status);
    }

    // Goal: a name that has become another unit's alias is followed: the end of its start and its state are heard of, and clients are let in.
    [Fact]
    public void A_backend_whose_name_becomes_an_alias_is_followed()
    {
        Install(Units("--ready=http:/health", ""));
        MustServe(PublicAddress, "first");
        Lab.Systemctl("stop", Backend);

        string file = Lab.PathOf($"/etc/systemd/system/{Backend}");
        string other = Lab.PathOf("/etc/systemd/system/late-other.service");
        File.Move(file, other, overwrite: true);
        try
        {
            File.CreateSymbolicLink(file, "late-other.service");
            Lab.Systemctl("daemon-reload");
            MustServe(PublicAddress, "alias");
            Wait.Until(() => Lab.Property("late.service", "StatusText").StartsWith("ready", StringComparison.Ordinal), "the unit is seen running");
        }
        finally
        {
            Lab.Systemctl("stop", Backend);
            File.Delete(other);
        }
    }

    private static UnitFiles Units(string option, string environment) => UnitFiles.Resident(
        "late", PublicAddress, $"127.0.0.1:18010 {option}", $"Environment=PORT=18010 READY_MS=500 {environment}\nExecStart=/usr/bin/node /srv/late/late.cjs");
}
