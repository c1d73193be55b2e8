using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A daemon that has silently stopped serving is worse than one that systemd restarts: a bug ends the process.</summary>
[Collection(StartsProcesses.Name)]
public sealed class BugTests
{
    /// <summary>Tells this program, started once more, which thread is to meet a bug.</summary>
    private const string Variable = "PROXYD_TESTS_BUG_IN";

    /// <summary>128 plus SIGABRT, as a shell tells it: no unit's SuccessExitStatus= or Restart=on-failure takes that for an end as wanted.</summary>
    private const int Aborted = 134;

    [Theory]
    [InlineData("data plane")]
    [InlineData("control plane")]
    public async Task An_exception_in_a_thread_of_ours_ends_the_process_with_a_message(string where)
    {
        // Goal: neither loop swallows what must not happen, nor does the message keep to itself where it was.
        ProcessStartInfo start = new("sh", ["-c", "ulimit -c 0; exec \"$0\"", Environment.ProcessPath!]) { RedirectStandardError = true };
        start.Environment[Variable] = where;
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken)
                .WaitAsync(RelayHarness.Patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            process.Kill();
        }

        Assert.Contains($"proxyd: bug in the {where}", await errors, StringComparison.Ordinal);
        Assert.Equal(Aborted, process.ExitCode);
    }

    /// <summary>Runs before the test runner does, in each of its processes.</summary>
    /// <remarks>The bug is an action that is none: other threads can't run code of this assembly before this has returned.</remarks>
    [ModuleInitializer]
    internal static void MeetTheBug()
    {
        switch (Environment.GetEnvironmentVariable(Variable))
        {
            case "data plane":
                EventLoop loop = new();
                loop.Post(null!);
                loop.Run();
                break;
            case "control plane":
                ControlQueue queue = new();
                queue.Post(null!);
                queue.Start();
                Thread.Sleep(RelayHarness.Patience);
                break;
            default:
                break;
        }
    }
}
