using System.Buffers;

namespace ProxyD.Shell;

/// <summary>The patterns of <c>[[ … =~ … ]]</c> as guards use them for a status: <c>^(200|301)$</c>, <c>^[23]</c>, <c>2..</c></summary>
internal static class ShellPattern
{
    private static readonly SearchValues<char> s_unknown = SearchValues.Create("*+?{}\\()^$");

    /// <summary>Whether a text matches; null for a pattern that says more.</summary>
    internal static bool? IsMatch(string text, string pattern)
    {
        bool begins = pattern.StartsWith('^'), ends = pattern.EndsWith('$');
        string inner = pattern[(begins ? 1 : 0)..^(ends ? 1 : 0)];
        if (inner is ['(', .. var group, ')'] && !group.Contains('('))
            inner = group;
        else if (inner.Contains('|') && (begins || ends))
            return null;
        if (inner.AsSpan().ContainsAny(s_unknown))
            return null;
        return inner.Split('|').Any(one => Enumerable.Range(0, begins ? 1 : text.Length + 1)
            .Any(at => Length(text, at, one) is { } length && (!ends || at + length == text.Length)));
    }

    /// <summary>How much of a text an alternative takes from there; null when it doesn't fit.</summary>
    private static int? Length(string text, int start, string pattern)
    {
        int at = start;
        for (int i = 0; i < pattern.Length; i++, at++)
        {
            int close = pattern[i] == '[' ? pattern.IndexOf(']', i) : i;
            if (close < 0 || at >= text.Length || !Takes(pattern[i..(close + 1)], text[at]))
                return null;
            i = close;
        }
        return at - start;
    }

    /// <summary><c>.</c>, <c>[2-4]</c> or the character itself.</summary>
    private static bool Takes(string one, char c)
    {
        if (one is not ['[', .. var set, ']'])
            return one == "." || one[0] == c;
        for (int i = 0; i < set.Length; i++)
        {
            bool isRange = i + 2 < set.Length && set[i + 1] == '-';
            if (isRange ? c >= set[i] && c <= set[i + 2] : c == set[i])
                return true;
            i += isRange ? 2 : 0;
        }
        return false;
    }
}
