using ProxyD.Units;

namespace ProxyD.Shell;

/// <summary>One simple command of a shell text.</summary>
/// <param name="Words">Without assignments before it and without <c>exec</c>; quotes are gone, expansions stay as written.</param>
/// <param name="IsExec">Whether it replaces the shell.</param>
/// <param name="IsLast">Whether nothing comes after it. Neither is true of what the shell makes a child for: in a pipe, in the background, in round
/// brackets.</param>
internal sealed record ShellCommand(IReadOnlyList<string> Words, bool IsExec, bool IsLast)
{
    /// <summary>The assignments before it, which its program finds in its environment.</summary>
    internal IReadOnlyList<(string Name, string Value)> Variables { get; init; } = [];
}

/// <summary>As much of a shell's language as it takes to see which programs a wrapper or a guard calls.</summary>
internal static class ShellText
{
    private static readonly string[] s_shells = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash"];

    /// <summary>What may stand before a command and still let it run in the same process.</summary>
    private static readonly string[] s_keywords = ["do", "then", "else", "if", "while", "until", "elif", "!", "{", "time", "command", "exec"];

    internal static bool IsShell(string fileName) => s_shells.Contains(fileName);

    internal static bool IsShellWord(string word) => IsShell(word[(word.LastIndexOf('/') + 1)..]);

    /// <summary>The text that a command gives to a shell: behind <c>-c</c>, or the script that it names or is.</summary>
    /// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
    /// <param name="path">The script's path; null for a text behind <c>-c</c>.</param>
    /// <returns>Null for a command that is no shell's.</returns>
    internal static string? Of(ExecCommand command, Func<string, string?> script, out string? path)
    {
        path = command.Executable;
        if (!IsShell(command.FileName))
            return script(path) is { } text && text.StartsWith("#!", StringComparison.Ordinal) ? text : null;
        int first = 0;
        while (first < command.Arguments.Count && command.Arguments[first] is ['-' or '+', not '-', ..] option)
        {
            first++;
            if (option.EndsWith('c'))
            {
                path = null;
                return first < command.Arguments.Count ? command.Arguments[first].Replace("$$", "$", StringComparison.Ordinal) : "";
            }
            // -o takes a word: -euo pipefail
            if (option.EndsWith('o'))
                first++;
        }
        path = first < command.Arguments.Count ? command.Arguments[first] : null;
        return path is null ? null : script(path) ?? "";
    }

    /// <summary>The simple commands in the order of the text; loops and conditions are not followed, only read.</summary>
    internal static IReadOnlyList<ShellCommand> Commands(string text)
    {
        List<List<string>> found = [[]];
        // In a pipe, in the background, in round brackets: never in the shell's own place.
        HashSet<List<string>> children = [];
        int position = 0, depth = 0;
        while (position < text.Length)
        {
            char c = text[position];
            if (c == '#' && (position == 0 || char.IsWhiteSpace(text[position - 1])))
                position = EndOfLine(text, position);
            else if (c == '\\' && position + 1 < text.Length && text[position + 1] == '\n')
                position += 2;
            else if (c is '\n' or ';' or '|' or '(' or ')' || (c == '&' && !IsRedirection(text, position)))
            {
                bool isDouble = position + 1 < text.Length && text[position + 1] == c;
                depth = Math.Max(0, depth + (c == '(' ? 1 : c == ')' ? -1 : 0));
                if (c is '|' or '&' && !isDouble)
                    children.Add(found[^1]);
                found.Add([]);
                if (depth > 0 || (c == '|' && !isDouble))
                    children.Add(found[^1]);
                position += c is '|' or '&' && isDouble ? 2 : 1;
            }
            else if (char.IsWhiteSpace(c))
                position++;
            else
                found[^1].Add(Word(text, ref position));
        }
        List<string>[] commands = [.. found.Where(words => words.Count > 0)];
        return [.. commands.Select((words, index) => Simple([.. words], index == commands.Length - 1, children.Contains(words)))];
    }

    private static ShellCommand Simple(string[] words, bool isLast, bool isChild)
    {
        int first = 0;
        bool isExec = false;
        while (first < words.Length && (s_keywords.Contains(words[first]) || IsAssignment(words[first])))
        {
            isExec |= words[first] == "exec";
            first++;
        }
        return new(words[first..], isExec && !isChild, isLast && !isChild)
        {
            Variables = [.. Assignments(words[..first])],
        };
    }

    /// <summary>Those among words that set a variable.</summary>
    internal static IEnumerable<(string Name, string Value)> Assignments(IEnumerable<string> words) =>
        words.Where(IsAssignment).Select(word => word.Split('=', 2)).Select(pair => (pair[0], pair[1]));

    private static bool IsAssignment(string word) =>
        word.IndexOf('=', StringComparison.Ordinal) is > 0 and int equals && word[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary><c>2&gt;&amp;1</c> and <c>&amp;&gt;file</c> end no command.</summary>
    private static bool IsRedirection(string text, int position) =>
        (position > 0 && text[position - 1] is '>' or '<') || (position + 1 < text.Length && text[position + 1] == '>');

    private static string Word(string text, ref int position)
    {
        System.Text.StringBuilder word = new();
        char quote = '\0';
        for (; position < text.Length; position++)
        {
            char c = text[position];
            if (quote == '\0' && (char.IsWhiteSpace(c) || c is ';' or '|' or '(' or ')' || (c == '&' && !IsRedirection(text, position))))
            {
                // $(seq 5) is one word.
                if (c != '(' || word.Length == 0 || word[^1] != '$')
                    break;
                int close = text.IndexOf(')', position);
                int end = close < 0 ? text.Length : close + 1;
                word.Append(text, position, end - position);
                position = end - 1;
            }
            else if (c == quote)
                quote = '\0';
            else if (quote == '\0' && c is '"' or '\'')
                quote = quote == '\0' ? c : quote;
            else if (c == '\\' && quote != '\'' && position + 1 < text.Length)
                word.Append(text[++position]);
            else
                word.Append(c);
        }
        return word.ToString();
    }

    private static int EndOfLine(string text, int position) =>
        text.IndexOf('\n', position) is >= 0 and int end ? end : text.Length;
}
