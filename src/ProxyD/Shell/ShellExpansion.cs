using System.Globalization;
using System.Text;

namespace ProxyD.Shell;

/// <summary>Expands the words of a script in a run: quotes, variables, substitutions, braces; no patterns of file names.</summary>
internal static class ShellExpansion
{
    /// <summary><c>{1..N}</c> with more than this would be no guard's loop.</summary>
    private const int BraceMax = 1_000_000;

    internal static bool IsAssignment(string word, out string name, out string value)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        name = equals > 0 ? word[..equals] : "";
        value = equals > 0 ? word[(equals + 1)..] : "";
        return name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
    }

    /// <summary>The words that one word becomes.</summary>
    internal static IEnumerable<string> Expand(string word, GuardRun run) => word == "\"$@\"" ? ShellArguments.Of(run.Variables) : ExpandPlain(word, run);

    private static IEnumerable<string> ExpandPlain(string word, GuardRun run)
    {
        foreach (string part in Braces(word))
        {
            List<string> fields = Fields(part, run);
            foreach (string field in fields)
                yield return field;
        }
    }

    /// <summary>The one word that it becomes where nothing is split: in an assignment, in double quotes, in arithmetic.</summary>
    internal static string ExpandQuoted(string word, GuardRun run)
    {
        StringBuilder text = new();
        int at = 0;
        while (at < word.Length)
            text.Append(Piece(word, ref at, run, isQuoted: false, out _));
        return text.ToString();
    }

    /// <summary>Follows redirections: those to <c>/dev/tcp</c> ask a port, those to a file write it.</summary>
    /// <returns>The exit status of opening a port; null when none is opened.</returns>
    internal static int? Open(IReadOnlyList<(string Operator, string Target)> redirections, GuardRun run)
    {
        int? status = null;
        foreach ((string operation, string raw) in redirections)
        {
            string target = ExpandQuoted(raw, run);
            string[] parts = target.Split('/');
            if (parts is ["", "dev", "tcp", var host, var port])
                status = Math.Max(status ?? 0, run.Ask(new(ProbeKind.Tcp, port) { Host = GuardProbes.HostOf(host) }));
            else if (operation.Contains('>', StringComparison.Ordinal) && !operation.EndsWith('&')
                && !target.StartsWith("/dev/", StringComparison.Ordinal))
                run.DoOther($"it writes {target}");
        }
        return status;
    }

    private static List<string> Fields(string word, GuardRun run)
    {
        List<string> fields = [];
        StringBuilder field = new();
        bool isThere = false, wasQuoted = false;
        int at = 0;
        while (at < word.Length)
        {
            bool isQuote = word[at] is '\'' or '"';
            string text = Piece(word, ref at, run, isQuoted: false, out bool isSplit);
            wasQuoted |= isQuote;
            isThere |= isQuote || (!isSplit && text.Length > 0);
            if (!isSplit)
            {
                field.Append(text);
                continue;
            }
            foreach (char c in text)
            {
                if (!char.IsWhiteSpace(c))
                {
                    field.Append(c);
                    isThere = true;
                }
                else if (isThere)
                {
                    fields.Add(field.ToString());
                    field.Clear();
                    isThere = false;
                }
            }
        }
        string last = field.ToString();
        if (isThere)
            fields.Add(!wasQuoted && last.Length > 0 && ShellUnset.Plain(last).Length == 0 ? ShellUnset.AsGone(last) : last);
        return fields;
    }

    /// <param name="isSplit">It is the value of an unquoted substitution, whose blanks separate words.</param>
    private static string Piece(string word, ref int at, GuardRun run, bool isQuoted, out bool isSplit)
    {
        isSplit = false;
        int end = ShellLexer.EndOfPiece(word, at);
        string piece = word[at..(end < 0 ? word.Length : end)];
        at += piece.Length;
        switch (piece)
        {
            case ['\\', var escaped]:
                return isQuoted && !"\"\\$`".Contains(escaped, StringComparison.Ordinal) ? piece : escaped.ToString();
            case ['\'', .. var literal, '\''] when !isQuoted:
                return literal;
            case ['"', .. var quoted, '"'] when !isQuoted:
                return Quoted(quoted, run);
            case ['`', .. var script, '`']:
                isSplit = true;
                return run.Capture(script);
            case ['$', '(', '(', .. var sum, ')', ')']:
                isSplit = true;
                return run.Calculate(sum).ToString(CultureInfo.InvariantCulture);
            case ['$', '(', .. var script, ')']:
                isSplit = true;
                return run.Capture(script);
            case ['$', '{', .. var name, '}']:
                isSplit = true;
                return Parameter(name, run);
            case "$":
                int start = at;
                while (at < word.Length && (char.IsAsciiLetterOrDigit(word[at]) || word[at] == '_'))
                    at++;
                if (at == start && at < word.Length && "?#@*$!".Contains(word[at], StringComparison.Ordinal))
                    at++;
                isSplit = true;
                return at == start ? "$" : Parameter(word[start..at], run);
            default:
                return piece;
        }
    }

    private static string Quoted(string text, GuardRun run)
    {
        StringBuilder result = new();
        int at = 0;
        while (at < text.Length)
        {
            // Inside double quotes an apostrophe is only that.
            if (text[at] == '\'')
            {
                result.Append('\'');
                at++;
            }
            else
                result.Append(Piece(text, ref at, run, isQuoted: true, out _));
        }
        return result.ToString();
    }

    /// <summary><c>NAME</c>, <c>NAME:-DEFAULT</c> and the like. What may come from elsewhere keeps a mark of <see cref="ShellUnset"/>.</summary>
    private static string Parameter(string text, GuardRun run)
    {
        int length = 0;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] == '_'))
            length++;
        string name = length == 0 ? text : text[..length];
        string rest = text[length..].TrimStart(':');
        if (name == "SECONDS")
            return ((long)(run.ClockMs / 1000)).ToString(CultureInfo.InvariantCulture);
        if (name == "?")
            return run.Status.ToString(CultureInfo.InvariantCulture);
        if (length == 0 && name is "#" or "@" or "*")
        {
            List<string> arguments = ShellArguments.Of(run.Variables);
            return name == "#" ? arguments.Count.ToString(CultureInfo.InvariantCulture) : string.Join(' ', arguments);
        }
        bool isSet = run.Variables.TryGetValue(name, out string? known);
        string value = known ?? ShellUnset.Mark(name);
        bool isEmpty = ShellUnset.Plain(value).Length == 0;
        if (length > 0 && rest.StartsWith('+'))
            return isEmpty ? "" : ExpandQuoted(rest[1..], run);
        if (!isEmpty || length == 0 || rest is not ['-' or '=', ..])
            return value;
        string standard = ExpandQuoted(rest[1..], run);
        bool isElsewhere = isSet ? ShellUnset.NameIn(value) is not null : run.Variables.ContainsKey(UnitEnvironment.Elsewhere);
        return isElsewhere ? ShellUnset.Mark(name, standard) : standard;
    }

    private static IEnumerable<string> Braces(string word)
    {
        int open = word.IndexOf('{', StringComparison.Ordinal);
        int close = open < 0 ? -1 : word.IndexOf('}', open);
        bool isPlain = close > 0 && word.IndexOfAny(['\'', '"', '`', '$']) is var quote && (quote < 0 || quote > close);
        if (!isPlain)
            return [word];
        string inner = word[(open + 1)..close];
        string before = word[..open], after = word[(close + 1)..];
        string[] range = inner.Split("..");
        if (range.Length is 2 or 3 && int.TryParse(range[0], CultureInfo.InvariantCulture, out int first)
            && int.TryParse(range[1], CultureInfo.InvariantCulture, out int last))
        {
            int step = range.Length == 3 && int.TryParse(range[2], CultureInfo.InvariantCulture, out int by) && by != 0 ? Math.Abs(by) : 1;
            int count = Math.Min((Math.Abs(last - first) / step) + 1, BraceMax);
            return Enumerable.Range(0, count).Select(i => $"{before}{first + (i * (last < first ? -step : step))}{after}");
        }
        return inner.Contains(',', StringComparison.Ordinal)
            ? inner.Split(',').SelectMany(part => Braces(before + part + after))
            : [word];
    }
}
