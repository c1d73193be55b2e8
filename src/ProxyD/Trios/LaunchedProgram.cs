using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>The program that a command line comes to, behind env(1) and a shell's <c>-c</c>.</summary>
/// <param name="Command">As written, where a variable stands in it.</param>
/// <param name="Variables">What is set on the way, in order.</param>
internal sealed record LaunchedProgram(ExecCommand Command, IReadOnlyList<(string Name, string Value)> Variables)
{
    /// <summary>A shell that runs env that runs a shell; nobody writes more.</summary>
    private const int StepsMax = 4;

    /// <summary>Options of env(1) that take a word more.</summary>
    private static readonly string[] s_withValue = ["-u", "--unset", "-C", "--chdir"];

    /// <returns>The command itself, where it is neither; of several commands of a shell the one that stays.</returns>
    internal static LaunchedProgram Of(ExecCommand command)
    {
        LaunchedProgram program = new(command, []);
        for (int step = 0; step < StepsMax && (BehindEnv(program.Command) ?? BehindShell(program.Command)) is { } next; step++)
            program = next with { Variables = [.. program.Variables, .. next.Variables] };
        return program;
    }

    private static LaunchedProgram? BehindEnv(ExecCommand command)
    {
        if (command.FileName != "env")
            return null;
        List<(string, string)> set = [];
        int at = 0;
        for (; at < command.Arguments.Count; at++)
        {
            string word = command.Arguments[at];
            if (s_withValue.Contains(word))
                at++;
            else if (word.IndexOf('=', StringComparison.Ordinal) is > 0 and int equals && word[0] != '-')
                set.Add((word[..equals], word[(equals + 1)..]));
            else if (!word.StartsWith('-'))
                break;
        }
        return Made([.. command.Arguments.Skip(at)], set);
    }

    /// <summary>What a shell ends with, which is what stays: before it are only preparations and variables.</summary>
    private static LaunchedProgram? BehindShell(ExecCommand command)
    {
        if (ShellText.Of(command, _ => null, out string? path) is not { } text || path is not null)
            return null;
        ShellCommand[] commands = [.. ShellText.Commands(text)];
        if ((Array.FindLast(commands, shell => shell.IsExec) ?? commands.LastOrDefault()) is not { } last)
            return null;
        // PORT=8080; export PORT, and export PORT=8080; what stands before another command is that one's.
        IEnumerable<(string, string)> before = commands.TakeWhile(shell => shell != last)
            .SelectMany(shell => shell.Words is ["export", ..] ? ShellText.Assignments(shell.Words.Skip(1)) : shell.Words.Count == 0 ? shell.Variables : []);
        return Made(last.Words, [.. before, .. last.Variables]);
    }

    private static LaunchedProgram? Made(IReadOnlyList<string> words, IReadOnlyList<(string, string)> variables) =>
        words is [var program, ..] ? new(new("", program, [.. words.Skip(1)]), variables) : null;
}
