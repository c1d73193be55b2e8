using System.Text.Json;

namespace ProxyD.EndToEnd;

/// <summary>What <c>proxyd verify --json</c> said in the lab.</summary>
internal sealed class Verification
{
    private readonly Dictionary<string, JsonElement> _steps;

    private Verification(CommandResult result)
    {
        Result = result;
        JsonElement root = JsonDocument.Parse(result.Output).RootElement;
        Backend = root.GetProperty("backend").GetString();
        Failures = [.. root.GetProperty("failures").EnumerateArray().Select(line => line.GetString()!)];
        _steps = root.GetProperty("steps").EnumerateArray().ToDictionary(step => step.GetProperty("step").GetString()!);
    }

    public CommandResult Result { get; }

    public string? Backend { get; }

    public string[] Failures { get; }

    /// <summary>The names of the steps that failed.</summary>
    public string[] Failed => [.. _steps.Keys.Where(name => !_steps[name].GetProperty("passed").GetBoolean())];

    public string Seen(string step) => _steps[step].GetProperty("seen").GetString()!;

    public string Before(string step) => _steps[step].GetProperty("backendWas").GetString()!;

    /// <summary>Verifies a socket; that it could be tried is taken for granted.</summary>
    public static Verification Of(Lab lab, string socket, params IEnumerable<string> options)
    {
        CommandResult result = lab.Run([Lab.Proxyd, "verify", socket, "--json", .. options]);
        return result.ExitCode is 0 or 1 ? new(result) : throw new InvalidOperationException(result.ToString());
    }

    /// <summary>All steps passed, and each cold one met a backend that slept.</summary>
    /// <param name="warm">The state of a backend that has just answered: null for one that nobody needs between two clients: it may sleep.</param>
    public void ExpectPassed(string? warm = "active")
    {
        Assert.True(Result.ExitCode == 0 && Failed.Length == 0, Result.ToString());
        Assert.Equal(5, _steps.Count);
        Assert.Contains(Before("cold"), (string[])["inactive", "failed"]);
        Assert.Contains(Before("ten at once, cold"), (string[])["inactive", "failed"]);
        if (warm is not null)
            Assert.Equal(warm, Before("warm"));
    }
}
