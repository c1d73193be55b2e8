using System.Globalization;

namespace ProxyD.Units;

/// <summary>Time spans as systemd.time(7) writes them: <c>5s</c>, <c>500ms</c>, <c>1min 30s</c>, <c>300</c> (seconds), <c>infinity</c>.</summary>
internal static class TimeSpanParser
{
    internal const string Accepted = "a time span like 5s, 500ms, 1min 30s, 300 or infinity";

    private const double Second = 1_000_000;
    private const double Day = 24 * 3600 * Second;

    /// <summary>All names of each unit, and its length in µs; months and years as systemd defines them.</summary>
    private static readonly (string Names, double Us)[] s_units =
    [
        ("usec us µs μs", 1),
        ("msec ms", 1000),
        ("seconds second sec s", Second),
        ("minutes minute min m", 60 * Second),
        ("hours hour hr h", 3600 * Second),
        ("days day d", Day),
        ("weeks week w", 7 * Day),
        ("months month M", 30.44 * Day),
        ("years year y", 365.25 * Day),
    ];

    /// <param name="span">Null for infinity; at most what a 32-bit count of milliseconds holds (24 days), so that every timer takes it.</param>
    internal static bool TryParse(string text, out TimeSpan? span)
    {
        span = null;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest is "infinity")
            return true;
        if (rest.IsEmpty)
            return false;
        double totalUs = 0;
        while (!rest.IsEmpty)
        {
            if (!TakePart(ref rest, out double partUs))
                return false;
            totalUs += partUs;
        }
        span = TimeSpan.FromMilliseconds(Math.Min(totalUs / 1000, int.MaxValue));
        // systemd counts in 64 bits of microseconds.
        return totalUs < ulong.MaxValue;
    }

    private static bool TakePart(ref ReadOnlySpan<char> rest, out double us)
    {
        us = 0;
        int digits = Length(rest, c => char.IsAsciiDigit(c) || c == '.');
        if (digits == 0 || rest[digits - 1] == '.')
            return false;
        if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            return false;
        rest = rest[digits..].TrimStart();
        int letters = Length(rest, char.IsLetter);
        double unitUs = UnitUs(rest[..letters].ToString());
        rest = rest[letters..].TrimStart();
        us = number * unitUs;
        return unitUs > 0;
    }

    /// <summary>0 for an unknown name; a lone number means seconds.</summary>
    private static double UnitUs(string name) =>
        name.Length == 0 ? Second : Array.Find(s_units, unit => unit.Names.Split(' ').Contains(name)).Us;

    private static int Length(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        int length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }
}
