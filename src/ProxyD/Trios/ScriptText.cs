namespace ProxyD.Trios;

/// <summary>The text of polkit's rules, which are JavaScript, taken apart as far as words and brackets go.</summary>
internal static class ScriptText
{
    /// <returns>The text with comments and the insides of literals blanked, all else in its place; and each literal with the position of its quote.</returns>
    internal static (string Code, List<(string Text, int Position)> Literals) Read(string text)
    {
        char[] code = text.ToCharArray();
        List<(string, int)> literals = [];
        for (int i = 0; i < text.Length; i++)
        {
            int start = i;
            if (text[i] is '"' or '\'' or '`')
            {
                i = EndOfLiteral(text, i);
                literals.Add((text[(start + 1)..Math.Min(i, text.Length)], start));
                Blank(code, start + 1, i);
            }
            else if (text[i] == '/' && i + 1 < text.Length && text[i + 1] is '/' or '*')
            {
                i = EndOfComment(text, i);
                Blank(code, start, i);
                i--;
            }
        }
        return (new(code), literals);
    }

    /// <summary>Behind the bracket that closes the next round one; the text's end when none does.</summary>
    internal static int Closing(string code, int from)
    {
        int depth = 0;
        for (int i = from; i < code.Length; i++)
        {
            depth += code[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0 && code[i] == ')')
                return i + 1;
        }
        return code.Length;
    }

    private static int EndOfLiteral(string text, int start)
    {
        int i = start + 1;
        while (i < text.Length && text[i] != text[start] && (text[i] != '\n' || text[start] == '`'))
            i += text[i] == '\\' ? 2 : 1;
        return i;
    }

    private static int EndOfComment(string text, int start)
    {
        bool isLine = text[start + 1] == '/';
        int end = text.IndexOf(isLine ? "\n" : "*/", start + 2, StringComparison.Ordinal);
        return end < 0 ? text.Length : isLine ? end : end + 2;
    }

    private static void Blank(char[] code, int start, int end)
    {
        for (int i = start; i < Math.Min(end, code.Length); i++)
            code[i] = code[i] == '\n' ? '\n' : ' ';
    }
}
