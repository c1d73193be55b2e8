namespace ProxyD.Shell;

/// <summary>The loops of a script in a <see cref="GuardRun"/>; each gives the status of its last round.</summary>
internal static class ShellLoops
{
    internal static int Run(GuardRun run, ShellWhile loop) => Loop(run, () => run.Run(loop.Condition) == 0 != loop.IsUntil, loop.Body, () => { });

    internal static int Run(GuardRun run, ShellFor loop)
    {
        Queue<string> values = new(loop.Words.SelectMany(word => ShellExpansion.Expand(word, run)).Where(word => !ShellUnset.IsGone(word)));
        return Loop(
            run,
            () =>
            {
                bool goesOn = values.TryDequeue(out string? value);
                run.Variables[loop.Name] = value ?? "";
                return goesOn;
            },
            loop.Body,
            () => { });
    }

    internal static int Run(GuardRun run, ShellCountingFor loop)
    {
        run.Calculate(loop.First);
        return Loop(run, () => string.IsNullOrWhiteSpace(loop.Condition) || run.Calculate(loop.Condition) != 0, loop.Body, () => run.Calculate(loop.Step));
    }

    private static int Loop(GuardRun run, Func<bool> goesOn, ShellNode body, Action step)
    {
        int status = 0;
        while (run.Flow == ShellFlow.Next && goesOn() && run.Flow == ShellFlow.Next)
        {
            status = run.Run(body);
            run.CountRound();
            if (run.Flow == ShellFlow.Break)
            {
                run.Flow = ShellFlow.Next;
                break;
            }
            if (run.Flow == ShellFlow.Continue)
                run.Flow = ShellFlow.Next;
            step();
        }
        return status;
    }
}
