using System.Diagnostics;

namespace ProxyD.Tests.Machine;

/// <summary>Owner and mode of a file, which .NET tells only half of.</summary>
internal static class Stat
{
    /// <summary>As <c>MODE UID GID</c>.</summary>
    internal static string Of(string path) => Run("stat", "-c", "%a %u %g", path);

    internal static void ChangeOwner(string path, string owner) => Run("chown", owner, path);

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
