using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ProxyD.Units;

namespace ProxyD.Tests.Pure;

/// <summary>The same spans through <c>systemd-analyze timespan</c> (package systemd): its reading is the specification.</summary>
[Collection(StartsProcesses.Name)]
public sealed partial class SystemdTimeSpanTests
{
    private const int Spans = 500;

    /// <summary>systemd cuts each digit after the point down to whole microseconds, so a fraction differs in the last places.</summary>
    private const double ToleranceUs = 10;

    private static readonly string[] s_units =
    [
        "", "us", "usec", "µs", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute", "minutes",
        "h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks",
    ];

    private static readonly string[] s_oddSpans =
        ["0", "300", "1.5s", ".5s", "12.34s.56", "5h30", "3 7", "\t5\ts\t", "0.5us", "1.999999s", "00042", "1 2 3 ms", "infinity"];

    [Fact]
    public void Generated_spans_mean_what_systemd_says_they_mean()
    {
        // Goal: hundreds of spans of one to three parts, any unit, any spacing, give the same microseconds on both sides.
        Seeded.Run(random =>
        {
            string[] spans = [.. s_oddSpans, .. Enumerable.Range(0, Spans).Select(_ => RandomSpan(random))];
            double?[] expected = AskSystemd(spans);
            Assert.Equal(spans.Length, expected.Length);
            for (int i = 0; i < spans.Length; i++)
                AssertSame(spans[i], expected[i]);
        });
    }

    [Theory]
    [InlineData("5.s"), InlineData("1.2.3s"), InlineData("1e3s"), InlineData("-5s"), InlineData("5S"), InlineData("s"), InlineData("5 x")]
    [InlineData("infinity5"), InlineData("5ns"), InlineData("99999999999999999999s"), InlineData("")]
    public void What_we_must_refuse_systemd_refuses_too(string text)
    {
        // Goal: the list of bad spans in TimeSpanParserTests is systemd's, not our own taste.
        (int exitCode, _) = RunSystemdAnalyze([text]);
        Assert.NotEqual(0, exitCode);
    }

    private static void AssertSame(string span, double? expectedUs)
    {
        Assert.True(TimeSpanParser.TryParse(span, out TimeSpan? read), $"'{span}' is refused; systemd reads {expectedUs} us");
        double? limitedUs = expectedUs is { } us ? Math.Min(us, int.MaxValue * 1000.0) : null;
        Assert.True(
            read is null == limitedUs is null && (read is null || Math.Abs(read.Value.TotalMicroseconds - limitedUs!.Value) < ToleranceUs),
            $"'{span}' is {read?.TotalMicroseconds.ToString(CultureInfo.InvariantCulture) ?? "infinity"} us here, {limitedUs} us to systemd");
    }

    private static string RandomSpan(Random random)
    {
        string span = "";
        for (int parts = random.Next(1, 4); parts > 0; parts--)
        {
            string fraction = random.Next(3) == 0 ? string.Create(CultureInfo.InvariantCulture, $".{random.Next(1000)}") : "";
            string unit = s_units[random.Next(s_units.Length)];
            span += $"{random.Next(2000)}{fraction}{Space(random)}{unit}";
            // Without a unit between them two numbers would be one.
            span += unit.Length == 0 ? " " : Space(random);
        }
        return span;
    }

    private static string Space(Random random) => random.Next(3) switch { 0 => " ", 1 => "  ", _ => "" };

    /// <summary>Microseconds for each span, in order; null for infinity.</summary>
    private static double?[] AskSystemd(string[] spans)
    {
        (int exitCode, string output) = RunSystemdAnalyze(spans);
        Assert.True(exitCode == 0, $"systemd-analyze timespan refused a generated span after:\n{output}");
        return [.. Microseconds().Matches(output).Select(m => Value(m.Groups[1].Value))];
    }

    private static double? Value(string us) =>
        us == ulong.MaxValue.ToString(CultureInfo.InvariantCulture) ? null : double.Parse(us, CultureInfo.InvariantCulture);

    private static (int ExitCode, string Output) RunSystemdAnalyze(string[] spans)
    {
        const string Program = "/usr/bin/systemd-analyze";
        Assert.True(File.Exists(Program), $"{Program} is missing; install the package systemd");
        ProcessStartInfo start = new(Program, ["timespan", "--", .. spans]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>The sign before "s" depends on the locale: µ, μ or u.</summary>
    [GeneratedRegex(@"^\s+[µμu]s: (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Microseconds();
}
