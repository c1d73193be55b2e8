using System.Globalization;

namespace ProxyD.Tests.Pure;

/// <summary>Runs a randomised test so that a failure can be had again: <c>PROXYD_SEED=N</c> replays it.</summary>
internal static class Seeded
{
    internal static void Run(Action<Random> test)
    {
        string? given = Environment.GetEnvironmentVariable("PROXYD_SEED");
        int seed = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
        string replay = $"PROXYD_SEED={seed} replays this run";
        TestContext.Current.TestOutputHelper?.WriteLine(replay);
        try
        {
            test(new(seed));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{replay}: {e.Message}", e);
        }
    }
}
