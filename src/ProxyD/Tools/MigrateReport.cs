using System.Text;
using System.Text.Json;
using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>How proposals are shown.</summary>
internal static class MigrateReport
{
    /// <summary>For people: what was understood, then the change as patch(1) takes it.</summary>
    internal static string Text(MigrateTarget target, IReadOnlyList<Finding> left)
    {
        if (target.Proposal is not { } proposal)
            return $"{target.Name}: left alone. {target.Problem}\n";
        if (proposal.Files.Count == 0)
            return $"{target.Name}: nothing to do\n";
        StringBuilder text = new();
        text.Append(proposal.Socket).Append(" -> ").Append(proposal.Service).Append(" -> ").Append(proposal.Backend ?? "its backend")
            .Append(": ").Append(FormText(proposal.Form)).Append('\n');
        if (proposal.WaitBind is { } wait)
            text.Append("  a client waits ").Append(wait).Append(" for the backend (--wait-bind)")
                .Append(proposal.Ready is null ? "" : $", and until {proposal.Ready} says that it is ready (--ready)").Append('\n');
        foreach (string note in proposal.Notes)
            text.Append("  ").Append(note).Append('\n');
        foreach (Finding finding in left)
            text.Append($"  left: {finding.RuleId} {FindingText.Word(finding.Severity)} in {finding.Unit}: {finding.Why}\n");
        text.Append('\n');
        foreach (MigratedFile file in proposal.Files)
            text.Append(file.Diff);
        return text.Append('\n').ToString();
    }

    /// <summary>After <c>--apply</c>: what is where, and the ways on and back.</summary>
    internal static string Applied(Migration proposal, IReadOnlyList<WrittenFile> files, MigrationWishes wishes)
    {
        StringBuilder text = new();
        foreach (WrittenFile file in files)
        {
            string verb = file.Backup is null ? "added" : File.Exists(file.Path) ? "written" : "removed";
            text.Append(verb).Append(' ').Append(file.Path).Append(file.Backup is null ? "" : $", before: {file.Backup}").Append('\n');
        }
        string user = wishes.IsUser ? " --user" : "";
        string unit = wishes.IsFolderOnly ? wishes.UnitFolder : proposal.Socket;
        if (!wishes.IsFolderOnly)
            text.Append("try it:    proxyd verify ").Append(proposal.Socket).Append(user).Append('\n');
        return text.Append("undo it:   proxyd migrate ").Append(unit).Append(user).Append(" --rollback\n").ToString();
    }

    /// <summary>After <c>--rollback</c>.</summary>
    internal static string RolledBack(MigrateRecord record)
    {
        StringBuilder text = new();
        foreach (RecordedFile file in record.Files)
            text.Append(file.Backup is null ? "removed " : "put back ").Append(file.Path).Append('\n');
        bool hasUser = record.Files.Any(file => file.Path.Contains("/sysusers.d/", StringComparison.Ordinal));
        return text.Append(hasUser ? "the user that was made stays; userdel removes it\n" : "").ToString();
    }

    /// <summary>For programs: one object.</summary>
    internal static string Json(IReadOnlyList<(MigrateTarget Target, IReadOnlyList<Finding> Left)> targets, bool isApplied)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteBoolean("applied", isApplied);
            json.WriteStartArray("migrations");
            foreach ((MigrateTarget target, IReadOnlyList<Finding> left) in targets)
            {
                json.WriteStartObject();
                json.WriteString("unit", target.Name);
                json.WriteString("problem", target.Problem);
                if (target.Proposal is { } proposal)
                    Write(json, proposal, left);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, Migration proposal, IReadOnlyList<Finding> left)
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
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteString("change", file.Before is null ? "added" : file.After is null ? "removed" : "changed");
            json.WriteString("diff", file.Diff);
            json.WriteEndObject();
        }
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

    private static string FormText(MigrationForm form) => form switch
    {
        MigrationForm.Minimal => "proxyd in place of the proxy and its guards",
        MigrationForm.Resident => "a resident proxyd that owns its backend",
        _ => "a trio in place of the service",
    };
}
