using System.Text;

namespace ProxyD.Shell;

/// <summary>Splits a shell script into tokens. Words keep their quotes, so that expanding them can tell what was quoted.</summary>
internal sealed class ShellLexer
{
    /// <summary>Longest first.</summary>
    private static readonly string[] s_operators =
        ["&>>", "<<<", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", "&>", "|&", ";", "&", "|", "(", ")", "<", ">"];

    private readonly string _text;
    private readonly List<ShellToken> _tokens = [];
    private int _at;
    private bool _isInTest;

    private ShellLexer(string text) => _text = text;

    /// <returns>Null when a quote or a parenthesis has no end.</returns>
    internal static List<ShellToken>? Tokens(string script)
    {
        ShellLexer lexer = new(script.Replace("\\\n", " ", StringComparison.Ordinal));
        while (lexer._at < lexer._text.Length)
        {
            if (!lexer.Step())
                return null;
        }
        return lexer._tokens;
    }

    /// <summary>The position after the quote, substitution or single character that begins at <paramref name="at"/>; -1 when it has no end.</summary>
    internal static int EndOfPiece(string text, int at)
    {
        char next = at + 1 < text.Length ? text[at + 1] : '\0';
        switch (text[at])
        {
            case '\\':
                return Math.Min(at + 2, text.Length);
            case '\'' or '`':
                int end = text.IndexOf(text[at], at + 1);
                return end < 0 ? -1 : end + 1;
            case '"':
                return EndOfNested(text, at + 1, '"');
            case '$' when next == '(':
                return EndOfNested(text, at + 2, ')');
            case '$' when next == '{':
                return EndOfNested(text, at + 2, '}');
            default:
                return at + 1;
        }
    }

    private static int EndOfNested(string text, int at, char close)
    {
        while (at >= 0 && at < text.Length)
        {
            if (text[at] == close)
                return at + 1;
            // Inside double quotes an apostrophe is only that.
            bool isPlain = close == '"' && text[at] == '\'';
            at = isPlain ? at + 1 : text[at] == '(' && close == ')' ? EndOfNested(text, at + 1, ')') : EndOfPiece(text, at);
        }
        return -1;
    }

    private bool Step()
    {
        char c = _text[_at];
        if (c == '\n')
        {
            _tokens.Add(new(ShellTokenKind.NewLine, "\n"));
            _at++;
            return true;
        }
        if (char.IsWhiteSpace(c))
        {
            _at++;
            return true;
        }
        if (c == '#')
        {
            int end = _text.IndexOf('\n', _at);
            _at = end < 0 ? _text.Length : end;
            return true;
        }
        return TakeArithmetic() || TakeOperator() || TakeWord();
    }

    /// <summary><c>((…))</c> is one word: a '&lt;' in it is no redirection.</summary>
    private bool TakeArithmetic()
    {
        if (_isInTest || !_text.AsSpan(_at).StartsWith("(("))
            return false;
        int end = EndOfNested(_text, _at + 1, ')');
        if (end < 0 || _text[end - 2] != ')')
            return false;
        _tokens.Add(new(ShellTokenKind.Word, _text[_at..end]));
        _at = end;
        return true;
    }

    private bool TakeOperator()
    {
        if (_isInTest)
            return false;
        int digits = 0;
        while (_at + digits < _text.Length && char.IsAsciiDigit(_text[_at + digits]))
            digits++;
        ReadOnlySpan<char> rest = _text.AsSpan(_at + digits);
        foreach (string candidate in s_operators)
        {
            if (!rest.StartsWith(candidate) || (digits > 0 && candidate[0] is not ('<' or '>')))
                continue;
            _tokens.Add(new(ShellTokenKind.Operator, string.Concat(_text.AsSpan(_at, digits), candidate)));
            _at += digits + candidate.Length;
            return true;
        }
        return false;
    }

    private bool TakeWord()
    {
        StringBuilder word = new();
        while (_at < _text.Length && !char.IsWhiteSpace(_text[_at]) && (_isInTest || !";&|()<>".Contains(_text[_at], StringComparison.Ordinal)))
        {
            int end = EndOfPiece(_text, _at);
            if (end < 0)
                return false;
            word.Append(_text, _at, end - _at);
            _at = end;
        }
        string text = word.ToString();
        // Inside [[ ]] the operators are words of the test.
        _isInTest = text == "[[" || (_isInTest && text is not ("]]" or "]];"));
        if (text == "]];")
        {
            _tokens.Add(new(ShellTokenKind.Word, "]]"));
            text = ";";
            _tokens.Add(new(ShellTokenKind.Operator, text));
            return true;
        }
        _tokens.Add(new(ShellTokenKind.Word, text));
        return true;
    }
}
