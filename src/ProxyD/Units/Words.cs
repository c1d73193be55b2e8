using System.Globalization;
using System.Text;

namespace ProxyD.Units;

/// <summary>A value split into words as systemd.syntax(7) does: white space separates, quotes hold together, backslashes escape.</summary>
internal sealed class Words
{
    private readonly string _text;
    private readonly bool _keepsEscapes;
    private int _position;

    private Words(string text, bool keepsEscapes)
    {
        _text = text;
        _keepsEscapes = keepsEscapes;
    }

    /// <param name="keepsEscapes">Backslashes stay, as in lists of units, whose names may hold <c>\x2d</c>.</param>
    /// <param name="isWhole">False when a quote is never closed: systemd drops the rest there, and a whole command line.</param>
    /// <returns>Each word, and how it is written.</returns>
    internal static List<(string Word, string Written)> Read(string text, bool keepsEscapes, out bool isWhole)
    {
        Words words = new(text, keepsEscapes);
        List<(string Word, string Written)> found = [];
        isWhole = true;
        while (isWhole && words.SkipSpace())
        {
            int start = words._position;
            string? word = words.Next();
            isWhole = word is not null;
            if (word is not null)
                found.Add((word, text[start..words._position]));
        }
        return found;
    }

    /// <inheritdoc cref="Read"/>
    internal static List<string> Split(string text, bool keepsEscapes = false) => [.. Read(text, keepsEscapes, out _).Select(read => read.Word)];

    private bool SkipSpace()
    {
        while (_position < _text.Length && IsSpace(_text[_position]))
            _position++;
        return _position < _text.Length;
    }

    private string? Next()
    {
        StringBuilder word = new();
        char quote = '\0';
        for (; _position < _text.Length && (quote != '\0' || !IsSpace(_text[_position])); _position++)
        {
            char c = _text[_position];
            if (c == '\\')
                TakeEscape(word);
            else if (quote == '\0' && c is '"' or '\'')
                quote = quote == '\0' ? c : quote;
            else if (quote != '\0' && c == quote)
                quote = '\0';
            else
                word.Append(c);
        }
        return quote == '\0' ? word.ToString() : null;
    }

    /// <summary>Stops at the escape's last character. What is no escape keeps its backslash.</summary>
    private void TakeEscape(StringBuilder word)
    {
        char kind = _position + 1 < _text.Length ? _text[_position + 1] : '\0';
        if (_keepsEscapes || kind == '\0')
        {
            word.Append('\\');
            if (kind != '\0')
                word.Append(kind);
            _position += kind != '\0' ? 1 : 0;
            return;
        }
        _position++;
        if (Simple(kind) is { } simple)
            word.Append(simple);
        else if (!TakeNumber(word, kind))
            word.Append('\\').Append(kind);
    }

    private static char? Simple(char kind) => kind switch
    {
        'a' => '\a',
        'b' => '\b',
        'f' => '\f',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        's' => ' ',
        '\\' or '"' or '\'' => kind,
        _ => null,
    };

    private bool TakeNumber(StringBuilder word, char kind)
    {
        (int skip, int digits, int radix) = kind switch
        {
            'x' => (1, 2, 16),
            'u' => (1, 4, 16),
            'U' => (1, 8, 16),
            >= '0' and <= '7' => (0, 3, 8),
            _ => (0, 0, 0),
        };
        if (digits == 0 || _position + skip + digits > _text.Length)
            return false;
        ReadOnlySpan<char> number = _text.AsSpan(_position + skip, digits);
        if (Value(number, radix) is not { } value || !Rune.IsValid(value) || value == 0)
            return false;
        word.Append(new Rune(value).ToString());
        _position += skip + digits - 1;
        return true;
    }

    private static int? Value(ReadOnlySpan<char> digits, int radix)
    {
        if (radix == 16)
            return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) ? value : null;
        int octal = 0;
        foreach (char digit in digits)
        {
            if (digit is < '0' or > '7')
                return null;
            octal = (octal * 8) + (digit - '0');
        }
        return octal;
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r';
}
