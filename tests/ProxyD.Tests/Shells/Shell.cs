using System.Diagnostics;
using ProxyD.Testing;

namespace ProxyD.Tests.Shells;

/// <summary>A real shell that is asked what it offers, with our completions and the systemctl in the folder programs.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>What a shell offers at the end of a line, without blanks and '=' behind.</summary>
    /// <param name="shell">bash, zsh or fish.</param>
    /// <param name="line">From the program's name on.</param>
    internal static async Task<string[]> OfferAsync(string shell, string line)
    {
        string program = $"/usr/bin/{shell}";
        Assert.True(File.Exists(program), $"{program} is missing: run tests/install-deps.sh");
        DirectoryInfo home = Directory.CreateTempSubdirectory("proxyd-shell-");
        try
        {
            string scripts = Path.Combine(Repository.Root, "tests/ProxyD.Tests/Shells");
            string noConfiguration = shell switch { "bash" => "--norc", "zsh" => "-f", _ => "--no-config" };
            ProcessStartInfo start = new(program, [
                noConfiguration, $"{scripts}/complete.{shell}", Path.Combine(Repository.Root, "packaging/completions"), line,
            ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["PATH"] = $"{scripts}/programs:/usr/local/bin:/usr/bin:/bin";
            start.Environment["HOME"] = home.FullName;
            start.Environment["TERM"] = "xterm";
            return await RunAsync(start);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static async Task<string[]> RunAsync(ProcessStartInfo start)
    {
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
        Assert.Equal("", await errors);
        IEnumerable<string> words = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(word => word.TrimEnd(' ', '='));
        return [.. words.Distinct().Order(StringComparer.Ordinal)];
    }
}
