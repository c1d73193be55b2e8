namespace ProxyD.Trios;

/// <summary>The function of a polkit rule: its parameters, and which words its body uses.</summary>
/// <param name="parameters">Their names, in order.</param>
/// <param name="body">Without comments and what literals hold, as <see cref="ScriptText.Read"/> gives it.</param>
internal sealed class ScriptFunction(IReadOnlyList<string> parameters, string body)
{
    private static readonly string[] s_declaring = ["var", "let", "const", "function"];

    /// <summary>Words of the language, and the one object that polkit gives to rules.</summary>
    private static readonly string[] s_known =
    [
        .. s_declaring, "if", "else", "return", "for", "in", "of", "while", "do", "break", "continue", "switch", "case", "default", "typeof", "try",
        "catch", "finally", "throw", "true", "false", "null", "undefined", "polkit",
    ];

    private readonly ScriptWord[] _words = [.. ScriptWord.In(body)];

    /// <summary>Names of the methods that it calls.</summary>
    internal IEnumerable<string> Calls => _words.Where(word => word.IsMember && word.After == '(').Select(word => word.Name);

    /// <summary>Whether all that it uses is its own: no variable and no function from elsewhere in the file decides what it says.</summary>
    internal bool IsClosed
    {
        get
        {
            IEnumerable<ScriptWord> made = _words.Where(word => word.IsAssigned || s_declaring.Contains(word.Previous));
            HashSet<string> own = [.. s_known, .. parameters, .. made.Select(word => word.Name)];
            return _words.All(word => word.IsMember || word.IsKey || own.Contains(word.Name));
        }
    }

    /// <summary>The function that stands behind an opening bracket.</summary>
    /// <param name="end">Where the code ends that is its own.</param>
    /// <returns>Null where something else does, as the name of a function.</returns>
    internal static ScriptFunction? Read(string code, int start, int end)
    {
        string text = code[start..end].TrimStart();
        bool isNamed = text.StartsWith("function", StringComparison.Ordinal);
        int open = text.IndexOf('(', StringComparison.Ordinal), close = text.IndexOf(')', StringComparison.Ordinal);
        if (open < 0 || close < open || !(isNamed || (open == 0 && text[(close + 1)..].TrimStart().StartsWith("=>", StringComparison.Ordinal))))
            return null;
        string[] parameters = text[(open + 1)..close].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parameters.All(name => name.All(ScriptWord.IsPart)) ? new(parameters, text[(close + 1)..]) : null;
    }

    /// <summary>The members of a parameter that it uses, as <c>user</c> of <c>subject.user</c>.</summary>
    /// <param name="index">0 for the first parameter; of one that it does not have it uses none.</param>
    /// <returns>"" where the parameter is used in another way.</returns>
    internal IEnumerable<string> MembersOf(int index)
    {
        string? name = parameters.ElementAtOrDefault(index);
        for (int i = 0; i < _words.Length; i++)
        {
            if (_words[i].Name == name && !_words[i].IsMember)
                yield return _words[i].After == '.' && i + 1 < _words.Length ? _words[i + 1].Name : "";
        }
    }
}

/// <summary>A name in a script, and what stands around it.</summary>
/// <param name="Before">The last character before it that is no white space.</param>
/// <param name="After">The next one behind it.</param>
/// <param name="Previous">The name before it, with nothing but white space between; "" otherwise.</param>
/// <param name="IsAssigned">It is given a value.</param>
internal sealed record ScriptWord(string Name, char Before, char After, string Previous, bool IsAssigned)
{
    /// <summary>It belongs to what stands before its dot.</summary>
    internal bool IsMember => Before == '.';

    /// <summary>It names a field of an object that is written out.</summary>
    internal bool IsKey => After == ':' && Before is '{' or ',';

    internal static bool IsPart(char c) => char.IsLetterOrDigit(c) || c is '_' or '$';

    private static char At(string code, int index) => index >= 0 && index < code.Length ? code[index] : '\0';

    internal static IEnumerable<ScriptWord> In(string code)
    {
        string previous = "";
        int previousEnd = 0;
        for (int i = 0; i < code.Length; i++)
        {
            if (!IsPart(code[i]))
                continue;
            int start = i;
            while (i < code.Length && IsPart(code[i]))
                i++;
            if (char.IsDigit(code[start]))
                continue;
            int before = start - 1, after = i;
            while (before >= 0 && char.IsWhiteSpace(code[before]))
                before--;
            while (after < code.Length && char.IsWhiteSpace(code[after]))
                after++;
            string name = code[start..i];
            bool isAssigned = At(code, after) == '=' && At(code, after + 1) is not ('=' or '>');
            yield return new(name, At(code, before), At(code, after), before >= 0 && before == previousEnd - 1 ? previous : "", isAssigned);
            (previous, previousEnd) = (name, i);
        }
    }
}
