using System.Text;

namespace ProxyD.Tools;

/// <summary>The last wakes as bars: how long the first client waited, and for what.</summary>
/// <remarks>Letters instead of blocks and colours: they name what was waited for, and every terminal and pager has them.</remarks>
internal static class WakeChart
{
    /// <summary>What the letters mean: each stands for the time until that has happened.</summary>
    private const string Legend = "waited until: o start ordered, s carried out, a backend answers, r client accepted, b first byte";

    private const int NarrowestBar = 10;
    private const int WidestBar = 60;

    /// <summary>A table of the wakes, the last one first; with bars in it, a line says how to read them.</summary>
    /// <param name="wakes">Oldest first.</param>
    /// <param name="most">How many are shown.</param>
    /// <param name="width">Columns that the table may have, if that is enough for a bar of ten.</param>
    internal static string Format(IReadOnlyList<StatusWake> wakes, int most, int width)
    {
        StatusWake[] shown = [.. wakes.Reverse().Take(most)];
        // A wait that ended in vain took as long as its clients were patient: beside it a wake would be no bar at all.
        long longestMs = shown.Where(wake => wake.Problem is null).Select(wake => wake.TotalMs).DefaultIfEmpty().Max();
        bool hasBars = shown.Any(wake => wake.Problem is null);
        string scale = hasBars ? $"0 to {longestMs} ms" : "";
        string[][] figures =
        [
            ["LAST WAKES", "CLIENTS", "MS"],
            .. shown.Select(wake => (string[])
                [$"{Amount.OfTime(wake.AgoMs)} ago", wake.Problem is null ? $"{wake.Clients}" : "-", $"{wake.TotalMs}"]),
        ];
        int[] widths = [.. Enumerable.Range(0, 3).Select(column => figures.Max(row => row[column].Length))];
        int bar = Math.Clamp(width - widths.Sum() - 6, NarrowestBar, WidestBar);
        StringBuilder text = new();
        for (int i = 0; i < figures.Length; i++)
        {
            string last = i == 0 ? scale : shown[i - 1].Problem is { } problem ? $"failed: {problem}" : Bar(shown[i - 1], longestMs, bar);
            string[] row = figures[i];
            text.Append($"{row[0].PadRight(widths[0])}  {row[1].PadLeft(widths[1])}  {row[2].PadLeft(widths[2])}  {last}".TrimEnd()).Append('\n');
        }
        return hasBars ? text.Append(Legend).Append('\n').ToString() : text.ToString();
    }

    /// <summary>One bar, as long as the wake took on a scale that ends at <paramref name="scaleMs"/>; at least one letter.</summary>
    internal static string Bar(StatusWake wake, long scaleMs, int width)
    {
        StringBuilder bar = new();
        foreach ((char letter, long? ms) in Moments(wake))
        {
            if (ms is { } until)
                bar.Append(letter, Math.Max(Column(until, scaleMs, width) - bar.Length, 0));
        }
        // All of it within half a column: what came last tells most.
        return bar.Length > 0 ? bar.ToString() : $"{Moments(wake).LastOrDefault(moment => moment.Ms is not null, ('b', 0)).Letter}";
    }

    private static (char Letter, long? Ms)[] Moments(StatusWake wake) =>
        [('o', wake.OrderedMs), ('s', wake.StartedMs), ('a', wake.AnswersMs), ('r', wake.ReadyMs), ('r', wake.AcceptedMs), ('b', wake.FirstByteMs)];

    /// <summary>Rounded where a span ends, not each span by itself: the bar's length stays true.</summary>
    private static int Column(long ms, long scaleMs, int width) =>
        scaleMs <= 0 ? 0 : (int)Math.Clamp(Math.Round((double)ms * width / scaleMs, MidpointRounding.AwayFromZero), 0, width);
}
