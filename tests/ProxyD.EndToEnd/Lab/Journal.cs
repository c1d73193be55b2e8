using System.Globalization;
using System.Text.Json;

namespace ProxyD.EndToEnd;

/// <summary>A line that a service wrote, with its syslog priority (6 is information, 4 a warning).</summary>
internal readonly record struct JournalLine(int Priority, string Message);

/// <summary>Reads the lab's journal from the moment at which this was made.</summary>
internal sealed class Journal(Lab lab)
{
    // A time, not a cursor: with a filter, --after-cursor of systemd 252 also skips the first entry that matches.
    private readonly string _since = $"--since=@{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0:F3}";

    /// <summary>What the processes of this unit wrote; systemd's own lines about the unit are not among it.</summary>
    public IReadOnlyList<JournalLine> LinesOf(string unit)
    {
        lab.Run("journalctl", "--sync").Expect();
        string entries = lab.Run(
            "journalctl", "--no-pager", "-o", "json", _since, $"_SYSTEMD_UNIT={unit}").Expect();
        return [.. entries.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    /// <summary>Everything about these units, for the eyes of whoever reads a failure.</summary>
    public string Text(IEnumerable<string> units) =>
        lab.Run(["journalctl", "--no-pager", "-n", "200", "-o", "short-precise", _since, .. units.Select(unit => $"--unit={unit}")]).Output;

    private static JournalLine Parse(string entry)
    {
        using JsonDocument document = JsonDocument.Parse(entry);
        JsonElement fields = document.RootElement;
        int priority = int.Parse(fields.GetProperty("PRIORITY").GetString()!, CultureInfo.InvariantCulture);
        return new JournalLine(priority, fields.GetProperty("MESSAGE").ToString());
    }
}
