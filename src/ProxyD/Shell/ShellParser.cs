namespace ProxyD.Shell;

/// <summary>Reads a shell script into commands.</summary>
/// <remarks>What it doesn't know (case, here-documents, arrays, process substitution) makes it give up: guards are small scripts.</remarks>
internal sealed class ShellParser
{
    private static readonly string[] s_closing = ["do", "done", "then", "elif", "else", "fi", "}"];

    private readonly List<ShellToken> _tokens;
    private int _at;
    private bool _isLost;

    private ShellParser(List<ShellToken> tokens) => _tokens = tokens;

    /// <returns>Null when it is not understood.</returns>
    internal static ShellNode? Parse(string script)
    {
        if (ShellLexer.Tokens(script) is not { } tokens)
            return null;
        ShellParser parser = new(tokens);
        ShellNode list = parser.List();
        return parser._isLost || parser._at < tokens.Count ? null : list;
    }

    private ShellToken? Peek => _at < _tokens.Count ? _tokens[_at] : null;

    private bool Sees(string operation) => Peek is { } token && token.IsOperator(operation);

    private bool SeesWord(string word) => Peek is { Kind: ShellTokenKind.Word } token && token.Text == word;

    private bool Take(string word)
    {
        bool isThere = SeesWord(word) || Sees(word);
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private void Expect(string word) => _isLost |= !Take(word);

    private void SkipLines()
    {
        while (Peek is { Kind: ShellTokenKind.NewLine })
            _at++;
    }

    private ShellList List(bool isSubshell = false)
    {
        List<ShellNode> commands = [];
        while (!_isLost)
        {
            while (Peek is { Kind: ShellTokenKind.NewLine } || Sees(";"))
                _at++;
            if (Peek is not { } token || token.IsOperator(")") || (token.Kind == ShellTokenKind.Word && s_closing.Contains(token.Text)))
                break;
            commands.Add(AndOr());
            // What runs beside the rest is not waited for.
            _isLost |= Sees("&");
        }
        return new ShellList(commands, isSubshell);
    }

    private ShellNode AndOr()
    {
        ShellNode left = Pipeline();
        while (!_isLost && (Sees("&&") || Sees("||")))
        {
            bool isOr = Sees("||");
            _at++;
            SkipLines();
            left = new ShellAndOr(left, isOr, Pipeline());
        }
        return left;
    }

    private ShellNode Pipeline()
    {
        bool isNegated = false;
        while (Take("!"))
            isNegated = !isNegated;
        List<ShellNode> stages = [Command()];
        while (!_isLost && (Sees("|") || Sees("|&")))
        {
            _at++;
            SkipLines();
            stages.Add(Command());
        }
        return stages.Count == 1 && !isNegated ? stages[0] : new ShellPipeline(isNegated, stages);
    }

    private ShellNode Command()
    {
        ShellNode command = Compound();
        List<(string, string)> redirections = [.. command.Redirections];
        while (!_isLost && Redirection() is { } redirection)
            redirections.Add(redirection);
        return command with { Redirections = redirections };
    }

    private (string, string)? Redirection()
    {
        if (Peek is not { IsRedirection: true } token)
            return null;
        _at++;
        _isLost |= token.Text.EndsWith("<<", StringComparison.Ordinal) || Peek is not { Kind: ShellTokenKind.Word };
        return (token.Text, _isLost ? "" : _tokens[_at++].Text);
    }

    private ShellNode Compound()
    {
        if (Take("for"))
            return For();
        if (SeesWord("while") || SeesWord("until"))
            return While();
        if (Take("if"))
            return If();
        if (Take("{"))
        {
            ShellNode group = List();
            Expect("}");
            return group;
        }
        if (Take("("))
        {
            ShellNode subshell = List(isSubshell: true);
            Expect(")");
            return subshell;
        }
        bool isFunction = Take("function");
        if (isFunction || (_at + 2 < _tokens.Count && _tokens[_at + 1].IsOperator("(") && _tokens[_at + 2].IsOperator(")")))
            return Function();
        _isLost |= SeesWord("case") || SeesWord("select");
        return Simple();
    }

    private ShellSimple Simple()
    {
        List<string> words = [];
        List<(string, string)> redirections = [];
        while (!_isLost && Peek is { } token)
        {
            if (Redirection() is { } redirection)
                redirections.Add(redirection);
            else if (token.Kind == ShellTokenKind.Word)
                words.Add(_tokens[_at++].Text);
            else
                break;
        }
        _isLost |= words.Count + redirections.Count == 0 || Sees("(");
        return new ShellSimple(words) { Redirections = redirections };
    }

    private ShellNode For()
    {
        if (Peek is not { Kind: ShellTokenKind.Word } name)
        {
            _isLost = true;
            return new ShellList([]);
        }
        _at++;
        string[] parts = name.Text.StartsWith("((", StringComparison.Ordinal) ? name.Text[2..^2].Split(';') : [];
        List<string> words = [];
        if (parts.Length == 0)
        {
            Expect("in");
            while (Peek is { Kind: ShellTokenKind.Word } word)
            {
                words.Add(word.Text);
                _at++;
            }
        }
        ShellNode body = Body();
        if (parts.Length == 0)
            return new ShellFor(name.Text, words, body);
        _isLost |= parts.Length != 3;
        return _isLost ? body : new ShellCountingFor(parts[0], parts[1], parts[2], body);
    }

    private ShellWhile While()
    {
        bool isUntil = SeesWord("until");
        _at++;
        ShellNode condition = List();
        return new ShellWhile(isUntil, condition, Body());
    }

    private ShellNode Body()
    {
        Take(";");
        SkipLines();
        Expect("do");
        ShellNode body = List();
        Expect("done");
        return body;
    }

    private ShellIf If()
    {
        List<(ShellNode, ShellNode)> branches = [];
        ShellNode? otherwise = null;
        do
        {
            ShellNode condition = List();
            Expect("then");
            branches.Add((condition, List()));
        }
        while (!_isLost && Take("elif"));
        if (Take("else"))
            otherwise = List();
        Expect("fi");
        return new ShellIf(branches, otherwise);
    }

    private ShellFunction Function()
    {
        string name = Peek is { Kind: ShellTokenKind.Word } word ? word.Text : "";
        _at++;
        if (Take("("))
            Expect(")");
        SkipLines();
        _isLost |= name.Length == 0;
        return new ShellFunction(name, _isLost ? new ShellList([]) : Compound());
    }
}
