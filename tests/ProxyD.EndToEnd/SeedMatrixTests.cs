namespace ProxyD.EndToEnd;

/// <summary>The pattern for which proxyd was made: a daemon that binds its own port, woken by whoever connects.</summary>
public sealed class SeedMatrixTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Node = "/usr/bin/node /srv/brainstorm/server.cjs";
    private const string Python = "/usr/bin/python3 /srv/python/server.py 18080";

    /// <summary>The brainstorm trio with the README's one line in it, and no guard.</summary>
    internal static UnitFiles Brainstorm { get; } = UnitFiles.OfTrio("brainstorm")
        .WithoutGuard("brainstorm.service")
        .WithExecStart("brainstorm.service", $"{Lab.Proxyd} 127.0.0.1:18080 --wait-bind 5s");

    // Goal: cold, warm, and cold again after the backend died or was stopped: all answered, and the public socket stays.
    [Theory]
    [InlineData(Node, "kill --signal=KILL")]
    [InlineData(Node, "stop")]
    [InlineData(Python, "kill --signal=KILL")]
    [InlineData(Python, "stop")]
    public void Cold_warm_stopped_and_cold_again_are_all_answered(string backend, string end)
    {
        Trio trio = Install(Brainstorm.WithExecStart("brainstorm-backend.service", backend));
        Lab.WaitForState(trio.Socket, "active (listening)");

        Answer cold = MustServe(PublicAddress, "cold");
        Answer warm = MustServe(PublicAddress, "warm");
        Lab.Systemctl([.. end.Split(' '), "brainstorm-backend.service"]);
        Lab.WaitForState("brainstorm.service", "inactive (dead)");
        Lab.WaitForState(trio.Socket, "active (listening)");
        Answer again = MustServe(PublicAddress, "again");

        Lab.Systemctl([.. end.Split(' '), "brainstorm-backend.service"]);
        Lab.WaitForState(trio.Socket, "active (listening)");
        Say($"cold {cold.Elapsed.TotalMilliseconds:F1} ms, warm {warm.Elapsed.TotalMilliseconds:F1} ms, again {again.Elapsed.TotalMilliseconds:F1} ms");
    }
}
