using System.Globalization;

namespace ProxyD.Shell;

/// <summary>Finds out which HTTP statuses end a guard: it is played once with a backend that answers each of them.</summary>
internal static class GuardStatuses
{
    /// <summary>What a guard tells apart is in most cases only the first digit; of each there are two or more.</summary>
    private static readonly int[] s_samples = [200, 204, 301, 302, 307, 400, 401, 403, 404, 405, 500, 502, 503];

    /// <summary>A guard that has waited that long, was not content.</summary>
    private const double NoTimeMs = 0.001;

    /// <param name="script">What plays it.</param>
    /// <param name="named">Statuses that it names itself.</param>
    /// <returns>The ranges that it is content with, in order; null when that can't be told.</returns>
    internal static IReadOnlyList<(int From, int To)>? Find(
        Action<GuardRun> script, IReadOnlyDictionary<string, string> environment, IEnumerable<int> named)
    {
        List<(int Status, bool IsEnough)> tried = [];
        foreach (int status in s_samples.Concat(named).Distinct().Order())
        {
            GuardRun run = new(isUp: true, environment) { HttpStatus = status, DeadlineMs = NoTimeMs };
            script(run);
            if (run.Other is not null)
                return null;
            tried.Add((status, run.ClockMs == 0 && !run.IsEndless));
        }
        return Ranges(tried);
    }

    /// <summary>All numbers in a script that can be statuses.</summary>
    internal static IEnumerable<int> NamedIn(string text)
    {
        for (int at = 0; at + 3 <= text.Length; at++)
        {
            bool isAlone = (at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1])) && (at + 3 == text.Length || !char.IsAsciiLetterOrDigit(text[at + 3]));
            if (isAlone && int.TryParse(text.AsSpan(at, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 200 and <= 599)
                yield return status;
        }
    }

    /// <summary>Where all of a hundred are enough the whole of it is one range; hundreds in a row are one, too.</summary>
    private static List<(int From, int To)> Ranges(List<(int Status, bool IsEnough)> tried)
    {
        List<(int From, int To)> ranges = [];
        foreach (IGrouping<int, (int Status, bool IsEnough)> hundred in tried.GroupBy(one => one.Status / 100))
        {
            int from = hundred.Key * 100;
            if (!hundred.All(one => one.IsEnough))
                ranges.AddRange(hundred.Where(one => one.IsEnough).Select(one => (one.Status, one.Status)));
            else if (ranges is [.., var last] && last.To == from - 1)
                ranges[^1] = (last.From, from + 99);
            else
                ranges.Add((from, from + 99));
        }
        return ranges;
    }
}
