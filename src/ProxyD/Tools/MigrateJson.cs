using System.Text;
using System.Text.Json;
using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Rules;

namespace ProxyD.Tools;

/// <summary>What migrate prints for programs: one object, and each migration in it before its first file is touched.</summary>
/// <remarks>Whatever ends the tool, the object is whole, and its last property says whether all of it was done.</remarks>
internal sealed class MigrateJson : IDisposable
{
    private readonly TextWriter _output;
    private readonly string _verb;
    private readonly MemoryStream _buffer = new();
    private readonly Utf8JsonWriter _json;

    /// <param name="output">Where it goes.</param>
    /// <param name="verb">What its last property is called.</param>
    internal MigrateJson(TextWriter output, string verb)
    {
        _output = output;
        _verb = verb;
        _json = new(_buffer, new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        _json.WriteStartObject();
        _json.WriteStartArray("migrations");
    }

    /// <summary>All that was asked for has been done.</summary>
    internal bool IsDone { get; set; }

    /// <summary>A proposal, or why there is none.</summary>
    internal void Write(MigrateTarget target, IReadOnlyList<Finding> left)
    {
        _json.WriteStartObject();
        _json.WriteString("unit", target.Name);
        _json.WriteString("problem", target.Problem);
        if (target.Proposal is { } proposal)
            WriteProposal(_json, proposal, left);
        _json.WriteEndObject();
        Flush();
    }

    /// <summary>A way back.</summary>
    internal void Write(MigrateRecord record, IReadOnlyList<FileChange> changes)
    {
        _json.WriteStartObject();
        _json.WriteString("socket", record.Socket);
        _json.WriteString("service", record.Service);
        _json.WriteStartArray("files");
        foreach (FileChange change in changes.Where(change => change.IsNeeded))
            WriteFile(_json, change.Path, change.IsNew, change.After is null, change.Diff);
        _json.WriteEndArray();
        _json.WriteEndObject();
        Flush();
    }

    public void Dispose()
    {
        _json.WriteEndArray();
        _json.WriteBoolean(_verb, IsDone);
        _json.WriteEndObject();
        Flush();
        _output.Write('\n');
        _json.Dispose();
        _buffer.Dispose();
    }

    private void Flush()
    {
        _json.Flush();
        _output.Write(Encoding.UTF8.GetString(_buffer.ToArray()));
        _output.Flush();
        _buffer.SetLength(0);
    }

    private static void WriteProposal(Utf8JsonWriter json, Migration proposal, IReadOnlyList<Finding> left)
    {
        json.WriteString("form", proposal.Form.ToString().ToLowerInvariant());
        json.WriteString("socket", proposal.Socket);
        json.WriteString("service", proposal.Service);
        json.WriteString("backend", proposal.Backend);
        json.WriteString("wait_bind", proposal.WaitBind);
        json.WriteString("ready", proposal.Ready);
        json.WriteStartArray("notes");
        foreach (string note in proposal.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        json.WriteStartArray("files");
        foreach (MigratedFile file in proposal.Files)
            WriteFile(json, file.Path, file.Before is null, file.After is null, file.Diff);
        json.WriteEndArray();
        json.WriteStartArray("left");
        foreach (Finding finding in left)
        {
            json.WriteStartObject();
            json.WriteString("rule", finding.RuleId);
            json.WriteString("severity", FindingText.Word(finding.Severity));
            json.WriteString("unit", finding.Unit);
            json.WriteString("why", finding.Why);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteFile(Utf8JsonWriter json, string path, bool isAdded, bool isRemoved, string diff)
    {
        json.WriteStartObject();
        json.WriteString("path", path);
        json.WriteString("change", isAdded ? "added" : isRemoved ? "removed" : "changed");
        json.WriteString("diff", diff);
        json.WriteEndObject();
    }
}
