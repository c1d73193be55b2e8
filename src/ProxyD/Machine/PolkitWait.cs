using System.Diagnostics;
using ProxyD.Trios;

namespace ProxyD.Machine;

/// <summary>polkitd notices a new rule by itself, but a client may be faster.</summary>
internal static class PolkitWait
{
    /// <summary>How long polkitd may take to notice a new rule; it watches the folder.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks polkitd about a process of the proxy's user, as systemd will when proxyd wakes the backend, until it is allowed.</summary>
    /// <exception cref="ToolException">It is not allowed within five seconds.</exception>
    internal static void Until(string user, string unit)
    {
        // Not runuser(1), which stays root and waits for its child: polkit looks at whose the process itself is.
        using Process process = OtherProgram.Start("setpriv", $"--reuid={user}", "--clear-groups", "sleep", "60");
        try
        {
            string[] question = ["--action-id", PolkitRuleText.Action, "--process", $"{process.Id}", "--detail", "unit", unit, "--detail", "verb", "start"];
            for (long start = Stopwatch.GetTimestamp(); ; Task.Delay(s_pause).Wait())
            {
                (int status, _, string error) = OtherProgram.Run("pkcheck", question);
                if (status == 0)
                    return;
                if (Stopwatch.GetElapsedTime(start) > s_bound)
                    throw new ToolException($"polkit does not let {user} start {unit}: {error.Split('\n')[^1]}");
            }
        }
        finally
        {
            process.Kill();
        }
    }
}
