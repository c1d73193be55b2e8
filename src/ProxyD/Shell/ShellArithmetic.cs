using System.Globalization;

namespace ProxyD.Shell;

/// <summary>Evaluates <c>$((…))</c>, <c>((…))</c> and <c>expr</c> on whole numbers, assignments included.</summary>
internal sealed class ShellArithmetic
{
    /// <summary>From the loosest binding to the tightest.</summary>
    private static readonly string[][] s_levels =
    [
        ["||"], ["&&"], ["==", "!=", "="], ["<=", ">=", "<", ">"], ["+", "-"], ["*", "/", "%"],
    ];

    private readonly string _text;
    private readonly Dictionary<string, string> _variables;
    private int _at;
    private bool _isLost;

    private ShellArithmetic(string text, Dictionary<string, string> variables)
    {
        _text = text;
        _variables = variables;
    }

    /// <param name="text">With its <c>$</c> expansions done.</param>
    /// <param name="variables">Read, and written by assignments.</param>
    /// <returns>Null when it is not understood.</returns>
    internal static long? Evaluate(string text, Dictionary<string, string> variables)
    {
        ShellArithmetic reader = new(text, variables);
        long value = reader.Assignment();
        reader.SkipBlanks();
        return reader._isLost || reader._at < text.Length ? null : value;
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
            _at++;
    }

    private bool Take(string operation)
    {
        SkipBlanks();
        bool isThere = string.CompareOrdinal(_text, _at, operation, 0, operation.Length) == 0;
        _at += isThere ? operation.Length : 0;
        return isThere;
    }

    private string Name()
    {
        SkipBlanks();
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetter(_text[_at]) || _text[_at] == '_' || (_at > start && char.IsAsciiDigit(_text[_at]))))
            _at++;
        return _text[start.._at];
    }

    private long ValueOf(string name)
    {
        string text = ShellUnset.Plain(_variables.GetValueOrDefault(name, "0"));
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : 0;
    }

    private long Store(string name, long value)
    {
        _variables[name] = value.ToString(CultureInfo.InvariantCulture);
        return value;
    }

    private long Assignment()
    {
        int start = _at;
        string name = Name();
        if (name.Length > 0)
        {
            if (Take("++"))
                return Store(name, ValueOf(name) + 1) - 1;
            if (Take("--"))
                return Store(name, ValueOf(name) - 1) + 1;
            foreach ((string operation, int sign) in (ReadOnlySpan<(string, int)>)[("+=", 1), ("-=", -1)])
            {
                if (Take(operation))
                    return Store(name, ValueOf(name) + (sign * Assignment()));
            }
            SkipBlanks();
            if (_at < _text.Length && _text[_at] == '=' && !(_at + 1 < _text.Length && _text[_at + 1] == '='))
            {
                _at++;
                return Store(name, Assignment());
            }
        }
        _at = start;
        return Level(0);
    }

    private long Level(int level)
    {
        if (level == s_levels.Length)
            return Unary();
        long left = Level(level + 1);
        while (!_isLost && Array.Find(s_levels[level], Take) is { } operation)
            left = Apply(operation, left, Level(level + 1));
        return left;
    }

    private long Apply(string operation, long left, long right)
    {
        _isLost |= right == 0 && operation is "/" or "%";
        return operation switch
        {
            _ when _isLost => 0,
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "%" => left % right,
            "||" => left != 0 || right != 0 ? 1 : 0,
            "&&" => left != 0 && right != 0 ? 1 : 0,
            "==" or "=" => left == right ? 1 : 0,
            "!=" => left != right ? 1 : 0,
            "<" => left < right ? 1 : 0,
            ">" => left > right ? 1 : 0,
            "<=" => left <= right ? 1 : 0,
            _ => left >= right ? 1 : 0,
        };
    }

    private long Unary()
    {
        if (Take("++") || Take("--"))
        {
            int sign = _text[_at - 1] == '+' ? 1 : -1;
            string changed = Name();
            return Store(changed, ValueOf(changed) + sign);
        }
        if (Take("!"))
            return Unary() == 0 ? 1 : 0;
        if (Take("-"))
            return -Unary();
        if (Take("("))
        {
            long inner = Assignment();
            _isLost |= !Take(")");
            return inner;
        }
        string name = Name();
        if (name.Length > 0)
        {
            long value = ValueOf(name);
            // i++ inside a comparison.
            if (Take("++"))
                Store(name, value + 1);
            else if (Take("--"))
                Store(name, value - 1);
            return value;
        }
        int start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
            _at++;
        _isLost |= !long.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long number);
        return number;
    }
}
