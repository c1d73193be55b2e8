using System.Globalization;

namespace ProxyD.Shell;

/// <summary>Evaluates <c>[ … ]</c>, <c>[[ … ]]</c> and test(1) in a <see cref="GuardRun"/>.</summary>
internal static class ShellTest
{
    /// <param name="arguments">Expanded, without the brackets.</param>
    internal static bool Evaluate(GuardRun run, IReadOnlyList<string> arguments)
    {
        int either = IndexOf(arguments, "||", "-o");
        if (either > 0)
            return Evaluate(run, [.. arguments.Take(either)]) | Evaluate(run, [.. arguments.Skip(either + 1)]);
        int both = IndexOf(arguments, "&&", "-a");
        if (both > 0)
            return Evaluate(run, [.. arguments.Take(both)]) & Evaluate(run, [.. arguments.Skip(both + 1)]);
        return arguments switch
        {
            ["!", ..] => !Evaluate(run, [.. arguments.Skip(1)]),
            [] => false,
            [var word] => IsThere(run, word),
            [var operation, var operand] => Unary(run, operation, operand),
            [var left, var operation, var right] => Binary(run, left, operation, right),
            _ => run.DoOther($"what '[ {string.Join(' ', arguments)} ]' tests is not understood") != 0,
        };
    }

    private static int IndexOf(IReadOnlyList<string> words, string first, string second)
    {
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == first || words[i] == second)
                return i;
        }
        return -1;
    }

    private static bool IsMark(string word) => word.Contains(GuardRun.Mark, StringComparison.Ordinal);

    private static bool IsThere(GuardRun run, string word) => IsMark(word) ? run.IsUp : ShellUnset.Plain(word).Length > 0;

    private static bool Unary(GuardRun run, string operation, string operand)
    {
        switch (operation)
        {
            case "-n":
                return IsThere(run, operand);
            case "-z":
                return !IsThere(run, operand);
            case "-S" or "-e" or "-p" or "-a":
                return run.Ask(new(ProbeKind.Unix, operand)) == 0;
            case "-f" or "-s" or "-r" or "-w" or "-x" or "-d":
                // Whoever waits for a file waits for something that a connection can't show.
                run.DoOther($"it looks for {operand}");
                return run.IsUp;
            default:
                run.DoOther($"what '[ {operation} {operand} ]' tests is not understood");
                return false;
        }
    }

    private static bool Binary(GuardRun run, string left, string operation, string right)
    {
        left = ShellUnset.Plain(left);
        right = ShellUnset.Plain(right);
        if (IsMark(left) || IsMark(right))
            return AnswerIs(run, operation, IsMark(left) ? right : left);
        bool? text = operation switch
        {
            "=" or "==" => left == right,
            "!=" => left != right,
            "=~" => ShellPattern.IsMatch(left, right),
            _ => null,
        };
        if (text is { } known)
            return known;
        bool areNumbers = long.TryParse(left, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long a)
            & long.TryParse(right, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long b);
        bool? number = operation switch
        {
            _ when !areNumbers => null,
            "-eq" => a == b,
            "-ne" => a != b,
            "-lt" or "<" => a < b,
            "-le" => a <= b,
            "-gt" or ">" => a > b,
            "-ge" => a >= b,
            _ => null,
        };
        if (number is null)
            run.DoOther($"what '[ {left} {operation} {right} ]' tests is not understood");
        return number ?? false;
    }

    /// <summary>Compares what a probe printed: with what only a backend that is up would print, or with what it prints before.</summary>
    private static bool AnswerIs(GuardRun run, string operation, string wanted)
    {
        bool isNothing = wanted is "" or "0" or "000" || (operation is "-lt" && wanted == "1");
        bool isNegative = operation is "!=" or "-ne" or "-lt" or "-le";
        if (operation is "=" or "==" or "-eq" or "!=" or "-ne" && !isNothing)
            GuardProbes.NoteWanted(run, wanted);
        bool holdsWhenUp = operation == "-lt" ? !isNothing : isNegative == isNothing;
        return holdsWhenUp == run.IsUp;
    }
}
