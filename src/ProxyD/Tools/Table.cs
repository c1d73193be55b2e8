using System.Text;

namespace ProxyD.Tools;

/// <summary>Plain text in columns, two spaces between them, as the tools of systemd print theirs.</summary>
internal static class Table
{
    /// <param name="heading">One word for each column, or empty for none.</param>
    /// <param name="rows">As many cells each as there are columns.</param>
    /// <returns>Lines, each ended; the last column is not padded.</returns>
    internal static string Format(string[] heading, IReadOnlyList<string[]> rows)
    {
        List<string[]> lines = heading.Length > 0 ? [heading, .. rows] : [.. rows];
        if (lines.Count == 0)
            return "";
        int[] widths = [.. Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length))];
        StringBuilder text = new();
        foreach (string[] line in lines)
        {
            string padded = string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column])));
            text.Append(padded.TrimEnd()).Append('\n');
        }
        return text.ToString();
    }
}
