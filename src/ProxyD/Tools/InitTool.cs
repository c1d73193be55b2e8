using ProxyD.Machine;
using ProxyD.Trios;

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
    /// <param name="asJson">One JSON document instead of text.</param>
    /// <exception cref="ToolException">It can't be done; when it says nothing else, nothing was written.</exception>
    internal void Run(InitMode mode, bool asJson)
    {
        if (mode == InitMode.Install)
            system.RequireInstallable(request);
        InitPlan plan = InitPlan.Make(request, target, system);
        if (mode == InitMode.Install && plan.Findings.FirstOrDefault(InitCheck.IsFatal) is { } trap)
            throw new ToolException($"{trap.Unit} would not work ({trap.RuleId}): {trap.Why}; {trap.Fix}");
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
                throw new ToolException($"{string.Join(' ', step)}: {Reason(error)}; the files are written, this and what follows is not done");
        }
    }

    private void AwaitRule(InitPlan plan)
    {
        if (request.ProxyUser is { } user && plan.Files.Any(file => file.File.Home == FileHome.Polkit && file.Change.IsNeeded))
            PolkitWait.Until(user, request.BackendUnit);
    }

    /// <summary>What went well comes first: "Created symlink …".</summary>
    private static string Reason(string error) =>
        error.Split('\n').FirstOrDefault(line => line.Length > 0 && !line.StartsWith("Created symlink", StringComparison.Ordinal), "it failed");
}
