using System.Globalization;

namespace ProxyD.Tools;

/// <summary>Times and sizes for people: two figures, or three, are enough.</summary>
internal static class Amount
{
    private const long SecondMs = 1000, MinuteMs = 60 * SecondMs, HourMs = 60 * MinuteMs, DayMs = 24 * HourMs;

    private static readonly string[] s_sizes = ["kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>"57 ms", "4.2 s", "42 s", "12 min", "3 h 12 min", "2 d 5 h".</summary>
    internal static string OfTime(long ms) => ms switch
    {
        < SecondMs => $"{Math.Max(ms, 0)} ms",
        // Cut, not rounded: 59.9 s is no minute yet.
        < 10 * SecondMs => string.Create(CultureInfo.InvariantCulture, $"{ms / 100 / 10.0:0.0} s"),
        < MinuteMs => $"{ms / SecondMs} s",
        < HourMs => $"{ms / MinuteMs} min",
        < DayMs => $"{ms / HourMs} h {ms % HourMs / MinuteMs} min",
        _ => $"{ms / DayMs} d {ms % DayMs / HourMs} h",
    };

    /// <summary>"512 B", "1.2 kB", "33.1 MB"; a kB has 1000 bytes.</summary>
    internal static string OfBytes(long bytes)
    {
        if (bytes < 1000)
            return $"{Math.Max(bytes, 0)} B";
        double size = bytes / 1000.0;
        int unit = 0;
        // What would be shown as 1000.0 is one of the next unit.
        for (; size >= 999.95 && unit < s_sizes.Length - 1; unit++)
            size /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.0} {s_sizes[unit]}");
    }
}
