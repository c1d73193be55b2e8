using System.Text;

namespace ProxyD.Tests.Tidy;

/// <summary>C# with its comments and the contents of its literals blanked: same length, same lines, only code left.</summary>
/// <remarks>The expressions inside interpolated strings are code and stay; their braces go, so that blocks can be counted.</remarks>
internal sealed class CodeText
{
    private readonly string _text;
    private readonly StringBuilder _code;
    private int _at;

    private CodeText(string text)
    {
        _text = text;
        _code = new(text);
    }

    internal static string Of(string text)
    {
        CodeText reader = new(text);
        while (reader._at < text.Length)
            reader.Step();
        return reader._code.ToString();
    }

    private char Peek(int ahead = 0) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private bool Sees(string token) => string.CompareOrdinal(_text, _at, token, 0, token.Length) == 0;

    private void Blank(int count = 1)
    {
        for (; count > 0 && _at < _text.Length; count--, _at++)
        {
            if (_text[_at] != '\n')
                _code[_at] = ' ';
        }
    }

    /// <summary>One token, or one character of code.</summary>
    private void Step()
    {
        if (Sees("//"))
            BlankUntil("\n");
        else if (Sees("/*"))
        {
            BlankUntil("*/");
            Blank(2);
        }
        else if (Peek() == '\'')
            Literal('\'');
        else if (StringStarts(out int dollars, out bool verbatim))
            String(dollars, verbatim);
        else
            _at++;
    }

    private void BlankUntil(string end)
    {
        while (_at < _text.Length && !Sees(end))
            Blank();
    }

    private bool StringStarts(out int dollars, out bool verbatim)
    {
        int prefix = 0;
        while (Peek(prefix) is '$' or '@')
            prefix++;
        ReadOnlySpan<char> signs = _text.AsSpan(_at, prefix);
        (dollars, verbatim) = (signs.Count('$'), signs.Contains('@'));
        if (Peek(prefix) != '"')
            return false;
        Blank(prefix);
        return true;
    }

    private void String(int dollars, bool verbatim)
    {
        int quotes = Run('"');
        if (quotes == 2)
            Blank(2);
        else if (quotes >= 3)
            Raw(quotes, dollars);
        else if (dollars > 0 || verbatim)
            Interpolated(verbatim, dollars > 0);
        else
            Literal('"');
    }

    private int Run(char sign)
    {
        int length = 0;
        while (Peek(length) == sign)
            length++;
        return length;
    }

    private void Literal(char quote)
    {
        Blank();
        while (_at < _text.Length && Peek() != quote)
            Blank(Peek() == '\\' ? 2 : 1);
        Blank();
    }

    private void Interpolated(bool verbatim, bool holes)
    {
        Blank();
        while (_at < _text.Length)
        {
            if (Peek() == '"' && !(verbatim && Peek(1) == '"'))
                break;
            if (holes && Peek() == '{' && Peek(1) != '{')
                Hole(1);
            else
                Blank((Peek() == '"' && verbatim) || (Peek() == '\\' && !verbatim) || (Peek() == '{' && holes) ? 2 : 1);
        }
        Blank();
    }

    private void Raw(int quotes, int dollars)
    {
        Blank(quotes);
        while (_at < _text.Length && Run('"') < quotes)
        {
            if (dollars > 0 && Run('{') >= dollars)
                Hole(dollars);
            else
                Blank(Math.Max(1, Run('"')));
        }
        Blank(quotes);
    }

    /// <summary>From the opening braces to the closing ones; what is between them is code.</summary>
    private void Hole(int braces)
    {
        Blank(braces);
        for (int depth = 0; _at < _text.Length && !(depth == 0 && Peek() == '}');)
        {
            depth += Peek() == '{' ? 1 : Peek() == '}' ? -1 : 0;
            Step();
        }
        Blank(braces);
    }
}
