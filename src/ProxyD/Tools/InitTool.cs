using System.Diagnostics;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>What init is to do beside showing.</summary>
internal enum InitMode
{
    /// <summary>Nothing: it says what it would do.</summary>
    Show,

    /// <summary>Write the files into a folder.</summary>
    WriteOnly,

    /// <summary>Write them where they belong, and start to listen.</summary>
    Install,
}

/// <summary>Makes a trio: shows what would be, and writes it when told to.</summary>
internal sealed class InitTool(TrioRequest request, InitTarget target, InitSystem system, TextWriter output)
{
    /// <summary>How long polkitd may take to notice a new rule; it watches the folder.</summary>
    private static readonly TimeSpan s_ruleBound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_rulePause = TimeSpan.FromMilliseconds(50);

    /// <param name="asJson">One JSON document instead of text.</param>
    /// <exception cref="ToolException">It can't be done; when it says nothing else, nothing was written.</exception>
    internal void Run(InitMode mode, bool asJson)
    {
        if (mode == InitMode.Install)
            system.RequireInstallable(request);
        InitPlan plan = InitPlan.Make(request, target, system);
        InitReport report = new(plan, request, target);
        // What changes is shown before it does.
        if (!asJson)
            output.Write(report.Files());
        output.Flush();
        UnitInstaller installer = new(TimeProvider.System);
        IReadOnlyList<WrittenFile>? written = mode == InitMode.Show ? null : installer.Write(plan.Files.Select(file => file.Change));
        if (mode == InitMode.Install)
            CarryOut(plan);
        output.Write(asJson ? report.Json(written) : report.Outcome(written));
    }

    private void CarryOut(InitPlan plan)
    {
        // The rule first: the socket may have a client as soon as it listens.
        bool isRuled = false;
        foreach (string[] step in plan.Steps)
        {
            if (step.Contains("enable") && !isRuled)
            {
                AwaitRule(plan);
                isRuled = true;
            }
            (int status, _, string error) = OtherProgram.Run(step[0], step[1..]);
            if (status != 0)
                throw new ToolException($"{string.Join(' ', step)}: {error.Split('\n')[0]}; the files are written, this and what follows is not done");
        }
    }

    /// <summary>Asks polkitd about a process of the proxy's user, as systemd will when proxyd wakes the backend.</summary>
    private void AwaitRule(InitPlan plan)
    {
        if (request.ProxyUser is not { } user || !plan.Files.Any(file => file.File.Home == FileHome.Polkit && file.Change.IsNeeded))
            return;
        // Not runuser(1), which stays root and waits for its child: polkit looks at whose the process itself is.
        using Process process = OtherProgram.Start("setpriv", $"--reuid={user}", "--clear-groups", "sleep", "60");
        try
        {
            string[] question =
            [
                "--action-id", PolkitRuleText.Action, "--process", $"{process.Id}", "--detail", "unit", request.BackendUnit, "--detail", "verb", "start",
            ];
            for (long start = Stopwatch.GetTimestamp(); ; Task.Delay(s_rulePause).Wait())
            {
                (int status, _, string error) = OtherProgram.Run("pkcheck", question);
                if (status == 0)
                    return;
                if (Stopwatch.GetElapsedTime(start) > s_ruleBound)
                    throw new ToolException($"polkit does not let {user} start {request.BackendUnit}: {error.Split('\n')[^1]}; the files are written");
            }
        }
        finally
        {
            process.Kill();
        }
    }
}
