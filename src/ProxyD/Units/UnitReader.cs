using System.Text;

namespace ProxyD.Units;

/// <summary>Splits a unit file's text into logical lines as systemd.syntax(7) has it, and loses no character of it.</summary>
/// <remarks>
/// Held against systemd 252: a line ends at LF, CR or NUL, or at several different ones of them in a row; a comment line never continues,
/// and inside a continuation it is skipped; only an odd number of backslashes at the end continues a line; an empty line ends a continuation.
/// </remarks>
internal sealed class UnitReader
{
    private const char ByteOrderMark = '\uFEFF';

    private readonly string _text;
    private int _position;
    private int _line = 1;
    private bool _isMarkSeen;

    private UnitReader(string text) => _text = text;

    /// <returns>Items whose <see cref="UnitItem.Raw"/> joined are the text.</returns>
    internal static List<UnitItem> Read(string text)
    {
        UnitReader reader = new(text);
        List<UnitItem> items = [];
        while (reader._position < text.Length)
            items.Add(reader.Next());
        return items;
    }

    /// <summary>Whether a line that follows this text would be part of its last one.</summary>
    internal static bool IsOpen(string text) => Read(text + "x\n").Count == Read(text).Count;

    private UnitItem Next()
    {
        int start = _position;
        int line = _line;
        string logical = PhysicalLine();
        if (IsComment(logical))
            return new(UnitItemKind.Comment, _text[start.._position], line, "", "");
        if (!_isMarkSeen && logical.StartsWith(ByteOrderMark))
        {
            _isMarkSeen = true;
            logical = logical[1..];
        }
        return Classify(Continued(logical), _text[start.._position], line);
    }

    /// <summary>A line with those that it continues in.</summary>
    private string Continued(string line)
    {
        if (!Continues(line))
            return line;
        StringBuilder whole = new();
        for (; Continues(line); line = ContinuationLine())
            whole.Append(line, 0, line.Length - 1).Append(' ');
        return whole.Append(line).ToString();
    }

    /// <summary>The next line that is no comment; empty at the end of the file.</summary>
    private string ContinuationLine()
    {
        while (_position < _text.Length)
        {
            string line = PhysicalLine();
            if (!IsComment(line))
                return line;
        }
        return "";
    }

    /// <summary>Takes one line with its end.</summary>
    /// <returns>The line without its end.</returns>
    private string PhysicalLine()
    {
        int start = _position;
        while (_position < _text.Length && !IsLineEnd(_text[_position]))
            _position++;
        int end = _position;
        while (_position < _text.Length && IsLineEnd(_text[_position]) && !_text.AsSpan(end, _position - end).Contains(_text[_position]))
            _position++;
        _line++;
        return _text[start..end];
    }

    private static UnitItem Classify(string logical, string raw, int line)
    {
        string text = Trim(logical);
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return text switch
        {
            "" => new(UnitItemKind.Blank, raw, line, "", ""),
            ['#' or ';', ..] => new(UnitItemKind.Comment, raw, line, "", ""),
            ['[', .. string name, ']'] => new(UnitItemKind.Section, raw, line, name, ""),
            ['[', ..] => new(UnitItemKind.Other, raw, line, "", ""),
            _ when equals > 0 => new(UnitItemKind.Assignment, raw, line, Trim(text[..equals]), Trim(text[(equals + 1)..])),
            _ => new(UnitItemKind.Other, raw, line, "", ""),
        };
    }

    private static bool IsComment(string line) => line.TrimStart(' ', '\t') is ['#' or ';', ..];

    private static bool Continues(string line) => (line.Length - line.TrimEnd('\\').Length) % 2 == 1;

    private static bool IsLineEnd(char c) => c is '\n' or '\r' or '\0';

    /// <summary>systemd's white space; a no-break space is part of a value.</summary>
    private static string Trim(string text) => text.Trim(' ', '\t');
}
