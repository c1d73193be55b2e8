using System.Text;
using System.Text.Json;
using ProxyD.Rules;

namespace ProxyD.Tools;

/// <summary>How findings and rules are shown.</summary>
internal static class FindingText
{
    /// <summary>For people: a line for each finding in columns, under it what happens and what helps; then the count.</summary>
    internal static string Plain(IReadOnlyList<string> units, IReadOnlyList<Finding> findings)
    {
        StringBuilder text = new();
        string[] heads = Table.Format([], [.. findings.Select(f => new[] { Word(f.Severity), f.RuleId, f.Unit, $"{f.Path}:{f.Line}" })]).Split('\n');
        for (int i = 0; i < findings.Count; i++)
            text.Append(heads[i]).Append('\n').Append("    ").Append(findings[i].Why).Append('\n').Append("    fix: ").Append(findings[i].Fix).Append("\n\n");
        text.Append(Count(units.Count, "unit")).Append(": ");
        Severity[] worstFirst = [Severity.Error, Severity.Warning, Severity.Note];
        text.Append(string.Join(", ", worstFirst.Select(severity => Count(findings.Count(f => f.Severity == severity), Word(severity)))));
        text.Append(findings.Count > 0 ? $"; proxyd check --explain {findings[0].RuleId} tells the whole story\n" : "\n");
        return text.ToString();
    }

    /// <summary>For programs: one object.</summary>
    internal static string Json(IReadOnlyList<string> units, IReadOnlyList<Finding> findings)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("units");
            foreach (string unit in units)
                json.WriteStringValue(unit);
            json.WriteEndArray();
            json.WriteStartArray("findings");
            foreach (Finding finding in findings)
            {
                json.WriteStartObject();
                json.WriteString("rule", finding.RuleId);
                json.WriteString("severity", Word(finding.Severity));
                json.WriteString("unit", finding.Unit);
                json.WriteString("path", finding.Path);
                json.WriteNumber("line", finding.Line);
                json.WriteString("why", finding.Why);
                json.WriteString("fix", finding.Fix);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>The whole story of a rule.</summary>
    internal static string Explain(Rule rule) =>
        $"{rule.Id}  {rule.Title} ({Word(rule.Severity)})\n\n{rule.Story.Trim()}\n\nFix: {rule.Fix}.\nSee: {rule.ManPage}\n";

    internal static string Word(Severity severity) => severity.ToString().ToLowerInvariant();

    private static string Count(int count, string word) => $"{count} {word}{(count == 1 ? "" : "s")}";
}
