using System.Text;

namespace ProxyD.Shell;

/// <summary>A command split into words as a shell splits it, where that needs no shell: quotes and backslashes, nothing that is looked up.</summary>
internal static class ShellWords
{
    /// <summary>What a shell would act on; as words of their own they are always meant for one.</summary>
    private static readonly string[] s_operators = ["|", "||", "&", "&&", ">", ">>", "<", "2>", "2>&1", "&>", ">/dev/null", "2>/dev/null"];

    /// <summary>Splits it. <c>$</c>, <c>*</c>, <c>~</c> and a lone <c>;</c> are characters like others.</summary>
    /// <param name="problem">What can't be read without a shell; null when all is well.</param>
    /// <returns>Empty when there is a problem, or no word.</returns>
    internal static IReadOnlyList<string> Split(string command, out string? problem)
    {
        problem = null;
        List<string> words = [];
        StringBuilder word = new();
        for (int i = 0; i < command.Length;)
        {
            int start = i;
            if (char.IsWhiteSpace(command[i]))
            {
                i++;
                continue;
            }
            word.Clear();
            while (i < command.Length && !char.IsWhiteSpace(command[i]))
            {
                int part = i;
                bool isClosed = TakePart(command, ref i, word);
                problem = isClosed ? Substitution(command[part..i]) : $"{command[i]} is never closed";
                if (problem is not null)
                    return [];
            }
            if (s_operators.Contains(command[start..i]))
            {
                problem = $"{command[start..i]} is for a shell, and none runs it";
                return [];
            }
            words.Add(word.ToString());
        }
        return words;
    }

    /// <summary>One character, or what one pair of quotes holds.</summary>
    /// <param name="i">Moved behind it; stays at a quote that is never closed.</param>
    private static bool TakePart(string command, ref int i, StringBuilder word)
    {
        char c = command[i];
        if (c is '\'' or '"')
        {
            int end = ClosingQuote(command, i);
            if (end < 0)
                return false;
            string quoted = command[(i + 1)..end];
            word.Append(c == '\'' ? quoted : Unescape(quoted));
            i = end + 1;
            return true;
        }
        bool isEscape = c == '\\' && i + 1 < command.Length;
        word.Append(isEscape ? command[i + 1] : c);
        i += isEscape ? 2 : 1;
        return true;
    }

    /// <summary>Where a shell would put in what a command prints, also in double quotes.</summary>
    private static string? Substitution(string part)
    {
        if (part[0] is '\'' or '\\')
            return null;
        int tick = part.IndexOf('`', StringComparison.Ordinal);
        return tick >= 0 && (tick == 0 || part[tick - 1] != '\\') ? "` is for a shell, and none runs it" : null;
    }

    private static int ClosingQuote(string command, int open)
    {
        for (int i = open + 1; i < command.Length; i++)
        {
            if (command[i] == command[open])
                return i;
            if (command[i] == '\\' && command[open] == '"')
                i++;
        }
        return -1;
    }

    /// <summary>Inside double quotes a backslash escapes only what would mean something there.</summary>
    private static string Unescape(string quoted)
    {
        StringBuilder text = new();
        for (int i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] == '\\' && i + 1 < quoted.Length && quoted[i + 1] is '"' or '\\' or '$' or '`')
                i++;
            text.Append(quoted[i]);
        }
        return text.ToString();
    }
}
