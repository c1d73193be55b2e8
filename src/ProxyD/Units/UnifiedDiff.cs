using System.Globalization;
using System.Text;

namespace ProxyD.Units;

/// <summary>How one text becomes another, as <c>diff -u</c> prints it; patch(1) and git-apply(1) take it.</summary>
internal static class UnifiedDiff
{
    /// <summary>Equal lines around a change, as diff(1) has it.</summary>
    private const int ContextLines = 3;

    /// <summary>
    /// Above it the table of <see cref="Matches"/> (4 bytes each, 16 MB) is not made, and what differs is one change. Two texts that differ in
    /// their first and last line reach it at 2000 lines each.
    /// </summary>
    private const int ComparedPairsMax = 4_000_000;

    private const string NoNewline = "\\ No newline at end of file\n";

    /// <summary>Compares two texts line by line; a line ends at <c>\n</c> and nowhere else.</summary>
    /// <param name="before">Null when the file is not there yet.</param>
    /// <param name="after">Null when it goes.</param>
    /// <param name="path">With or without a leading slash: it is printed as <c>a/PATH</c> and <c>b/PATH</c>, for <c>patch -p1 -d /</c>.</param>
    /// <returns>Empty when nothing changes.</returns>
    internal static string Between(string? before, string? after, string path)
    {
        string[] old = Lines(before ?? ""), now = Lines(after ?? "");
        List<(int Old, int New)> matches = Matches(old, now);
        StringBuilder hunks = new();
        foreach ((int first, int last) in Hunks(matches))
            AppendHunk(hunks, old, now, matches, first, last);
        if (hunks.Length == 0)
            return "";
        string name = path.TrimStart('/');
        return $"--- {(before is null ? "/dev/null" : Quoted("a/" + name))}\n+++ {(after is null ? "/dev/null" : Quoted("b/" + name))}\n{hunks}";
    }

    /// <summary>Each with its line end; only the last may lack one.</summary>
    private static string[] Lines(string text)
    {
        List<string> lines = [];
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start) + 1;
            end = end == 0 ? text.Length : end;
            lines.Add(text[start..end]);
            start = end;
        }
        return [.. lines];
    }

    /// <summary>The lines that stay, a longest common subsequence in order, closed by the pair of both ends.</summary>
    private static List<(int Old, int New)> Matches(string[] old, string[] now)
    {
        int head = 0, tail = 0, shorter = Math.Min(old.Length, now.Length);
        while (head < shorter && old[head] == now[head])
            head++;
        while (tail < shorter - head && old[^(tail + 1)] == now[^(tail + 1)])
            tail++;
        List<(int Old, int New)> matches = [.. Enumerable.Range(0, head).Select(i => (i, i))];
        AddMiddle(matches, old.AsSpan(head..^tail), now.AsSpan(head..^tail), head);
        // With the pair of the ends behind the last line, what is between two neighbours is a change, the last one too.
        for (int i = tail; i >= 0; i--)
            matches.Add((old.Length - i, now.Length - i));
        return matches;
    }

    private static void AddMiddle(List<(int Old, int New)> matches, ReadOnlySpan<string> old, ReadOnlySpan<string> now, int offset)
    {
        if ((long)old.Length * now.Length > ComparedPairsMax)
            return;
        // common[i, j]: how many lines old[i..] and now[j..] have in common.
        int[,] common = new int[old.Length + 1, now.Length + 1];
        for (int i = old.Length - 1; i >= 0; i--)
        {
            for (int j = now.Length - 1; j >= 0; j--)
                common[i, j] = old[i] == now[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        }
        for (int i = 0, j = 0; i < old.Length && j < now.Length;)
        {
            if (old[i] == now[j])
                matches.Add((offset + i++, offset + j++));
            else if (common[i + 1, j] >= common[i, j + 1])
                i++;
            else
                j++;
        }
    }

    /// <summary>Which changes are printed together: those with too few equal lines between them to part their contexts.</summary>
    /// <returns>Indices of the matches behind the first and the last of them.</returns>
    private static IEnumerable<(int First, int Last)> Hunks(List<(int Old, int New)> matches)
    {
        int first = -1, last = -1;
        for (int i = 0; i < matches.Count; i++)
        {
            (int Old, int New) previous = i == 0 ? (-1, -1) : matches[i - 1];
            if (matches[i].Old == previous.Old + 1 && matches[i].New == previous.New + 1)
                continue;
            // A change lies before this match.
            if (first >= 0 && i - last > 2 * ContextLines)
            {
                yield return (first, last);
                first = -1;
            }
            (first, last) = (first < 0 ? i : first, i);
        }
        if (first >= 0)
            yield return (first, last);
    }

    /// <param name="text">What it is added to.</param>
    /// <param name="old">The lines before.</param>
    /// <param name="now">The lines after.</param>
    /// <param name="matches">The lines that stay.</param>
    /// <param name="first">The match behind the hunk's first change.</param>
    /// <param name="last">The match behind its last change.</param>
    private static void AppendHunk(StringBuilder text, string[] old, string[] now, List<(int Old, int New)> matches, int first, int last)
    {
        int start = Math.Max(0, first - ContextLines), end = Math.Min(matches.Count - 1, last + ContextLines);
        (int o, int n) = first == 0 ? (0, 0) : matches[start];
        text.Append(CultureInfo.InvariantCulture, $"@@ -{Range(o, matches[end].Old)} +{Range(n, matches[end].New)} @@\n");
        for (int i = start; i <= end; i++)
        {
            while (o < matches[i].Old)
                AppendLine(text, '-', old[o++]);
            while (n < matches[i].New)
                AppendLine(text, '+', now[n++]);
            if (i == end)
                break;
            AppendLine(text, ' ', old[o++]);
            n++;
        }
    }

    private static void AppendLine(StringBuilder text, char sign, string line)
    {
        text.Append(sign).Append(line);
        if (!line.EndsWith('\n'))
            text.Append('\n').Append(NoNewline);
    }

    /// <summary>START,COUNT counted from 1; a count of one is left out, and of none the line before is named.</summary>
    private static string Range(int start, int end) => (end - start) switch
    {
        0 => string.Create(CultureInfo.InvariantCulture, $"{start},0"),
        1 => string.Create(CultureInfo.InvariantCulture, $"{start + 1}"),
        int count => string.Create(CultureInfo.InvariantCulture, $"{start + 1},{count}"),
    };

    /// <summary>A name with characters that would end it is written as a C string, as both programs read it; after one with blanks comes a tab.</summary>
    private static string Quoted(string name)
    {
        if (!name.Any(char.IsControl))
            return name.Contains(' ', StringComparison.Ordinal) ? name + "\t" : name;
        StringBuilder quoted = new("\"");
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            if (b is (byte)'"' or (byte)'\\')
                quoted.Append('\\').Append((char)b);
            else if (b is < (byte)' ' or > (byte)'~')
                quoted.Append('\\').Append(Convert.ToString(b, 8).PadLeft(3, '0'));
            else
                quoted.Append((char)b);
        }
        return quoted.Append('"').ToString();
    }
}
