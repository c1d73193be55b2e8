using System.Globalization;

namespace ProxyD.Units;

/// <summary>How often a shell's loop goes round, as far as its head says so.</summary>
internal static class LoopRounds
{
    /// <summary>The rounds of a text's first loop: <c>{1..50}</c>, <c>$(seq 50)</c>, a list of words, a counter that is compared.</summary>
    /// <returns>Null when it is not known or has no end.</returns>
    internal static double? Of(string text)
    {
        string flat = text.Replace('\n', ' ').Replace("`", " ", StringComparison.Ordinal);
        if (Between(flat, "{", "}") is { } braces && braces.Split("..") is [string from, string to, ..] && Number(from) is { } first && Number(to) is { } last)
            return Math.Abs(last - first) + 1;
        if (flat.IndexOf("seq ", StringComparison.Ordinal) is >= 0 and int seq)
            return Sequence(flat[(seq + 4)..]);
        if (Between(flat, "((", "))") is { } arithmetic && arithmetic.Split(';') is [string start, string end, _])
            return Limit(end) - (Limit(start) ?? 0);
        if (Between(flat + " ", "for ", ";") is { } head && head.IndexOf(" in ", StringComparison.Ordinal) is >= 0 and int list
            && !head.Contains('$', StringComparison.Ordinal))
            return head[(list + 4)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        return Compared(flat);
    }

    /// <summary>A loop that ends only when its question is answered: <c>until …</c>, <c>while !</c>, <c>while true</c>, and no counter in it.</summary>
    internal static bool IsEndless(string text)
    {
        string[] words = text.Split([' ', '\t', '\n', ';', '"', '\''], StringSplitOptions.RemoveEmptyEntries);
        return words.Any(word => word is "until" or "while") && !words.Any(word => word is "-lt" or "-le" or "-gt" or "-ge" or "break");
    }

    private static double? Sequence(string text)
    {
        string[] words = text.Split([' ', ')', ';'], StringSplitOptions.RemoveEmptyEntries);
        double[] numbers = [.. words.Select(Number).TakeWhile(number => number is not null).Select(number => number!.Value)];
        return numbers switch
        {
            [double last] => last,
            [double first, double last] => last - first + 1,
            [double first, double step, double last] when step != 0 => Math.Floor((last - first) / step) + 1,
            _ => null,
        };
    }

    /// <summary><c>[ $i -lt 50 ]</c> counts up to it; <c>-gt 0</c> and <c>-ge 1</c> count down from where the counter began.</summary>
    private static double? Compared(string text)
    {
        string[] words = text.Split([' ', '\t', '\n', ';', '"'], StringSplitOptions.RemoveEmptyEntries);
        for (int i = 1; i + 1 < words.Length; i++)
        {
            double extra = words[i] is "-le" ? 1 : 0;
            if (words[i] is not ("-lt" or "-le" or "-gt" or "-ge" or "-eq" or "-ne") || Number(words[i + 1]) is not { } limit)
                continue;
            if (limit > 1)
                return limit + extra;
            return words.Select(word => word.Split('=')).Where(pair => pair.Length == 2).Select(pair => Number(pair[1])).FirstOrDefault(start => start > 1);
        }
        return null;
    }

    /// <summary>The number at the end of <c>i=0</c> or <c>i&lt;50</c>; one more for <c>&lt;=</c>.</summary>
    private static double? Limit(string text)
    {
        string digits = string.Concat(text.Trim().Reverse().TakeWhile(char.IsAsciiDigit).Reverse());
        return Number(digits) + (text.Contains("<=", StringComparison.Ordinal) ? 1 : 0);
    }

    private static string? Between(string text, string open, string close)
    {
        int start = text.IndexOf(open, StringComparison.Ordinal);
        int end = start < 0 ? -1 : text.IndexOf(close, start + open.Length, StringComparison.Ordinal);
        return end < 0 ? null : text[(start + open.Length)..end];
    }

    private static double? Number(string text) =>
        double.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double number) ? number : null;
}
