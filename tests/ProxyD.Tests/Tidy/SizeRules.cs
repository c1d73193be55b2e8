using System.Text.RegularExpressions;

namespace ProxyD.Tests.Tidy;

/// <summary>Size is a feature: what one can take in at a glance.</summary>
internal static partial class SizeRules
{
    internal const int FileLinesMax = 400;
    internal const int FunctionLinesMax = 60;
    internal const int LineColumnsMax = 160;

    internal static IEnumerable<string> FileTooLong(SourceFile file)
    {
        int lines = file.Text.Count(c => c == '\n');
        if (lines > FileLinesMax)
            yield return $"{file.Path}: {lines} lines, at most {FileLinesMax}";
    }

    internal static IEnumerable<string> LinesTooLong(SourceFile file)
    {
        for (int i = 0; i < file.Lines.Length; i++)
        {
            if (file.Lines[i].Length > LineColumnsMax)
                yield return $"{file.Path}({i + 1}): {file.Lines[i].Length} columns, at most {LineColumnsMax}";
        }
    }

    /// <summary>Every block but the body of a type counts as a function, from its head to its closing brace: so none is missed.</summary>
    internal static IEnumerable<string> FunctionsTooLong(SourceFile file)
    {
        foreach ((string head, int start, int end) in Blocks(file.Code))
        {
            int first = file.LineOf(start), last = file.LineOf(end);
            if (last - first + 1 > FunctionLinesMax && !TypeHead().IsMatch(head))
                yield return $"{file.Path}({first}): {last - first + 1} lines, at most {FunctionLinesMax}: {FirstLine(head)}";
        }
    }

    /// <summary>Each pair of braces, with what stands before it since the statement began.</summary>
    private static IEnumerable<(string Head, int Start, int End)> Blocks(string code)
    {
        Stack<(int Start, int Brace)> open = new();
        int statement = 0, parentheses = 0;
        for (int i = 0; i < code.Length; i++)
        {
            parentheses += code[i] == '(' ? 1 : code[i] == ')' ? -1 : 0;
            if (code[i] == '{')
                open.Push((statement, i));
            else if (code[i] == '}' && open.TryPop(out (int Start, int Brace) block))
            {
                int start = block.Start + code[block.Start..block.Brace].TakeWhile(char.IsWhiteSpace).Count();
                yield return (code[start..block.Brace], start, i);
            }
            // A brace inside parentheses is a lambda's or an initialiser's; the statement around it goes on.
            if (code[i] is '{' or '}' or ';' && parentheses == 0)
                statement = i + 1;
        }
    }

    private static string FirstLine(string head) => head.Split('\n')[0].Trim();

    /// <summary>Not <c>where T : class</c>, which no name follows.</summary>
    [GeneratedRegex(@"\b(class|struct|interface|enum|record)\s+\w+")]
    private static partial Regex TypeHead();
}
