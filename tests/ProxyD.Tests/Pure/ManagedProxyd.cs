using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ProxyD.Tests.Pure;

/// <summary>The managed build of the program, which lies beside the tests, as a process on the runtime that runs them.</summary>
internal static class ManagedProxyd
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs it to its end; one that does not end is killed and fails the test.</summary>
    internal static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "proxyd"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        foreach (string variable in (string[])["LISTEN_FDS", "NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM"])
            start.Environment.Remove(variable);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            process.Kill();
        }
        return (process.ExitCode, await output, await errors);
    }
}
