using System.Text;
using System.Text.Json;
using ProxyD.Machine;
using ProxyD.Trios;

namespace ProxyD.Tools;

/// <summary>What init shows: the files, what differs from what is there, and what follows.</summary>
internal sealed class InitReport(InitPlan plan, TrioRequest request, InitTarget target)
{
    /// <summary>How to try the result.</summary>
    private string Next => $"proxyd verify {request.Socket}{(request.IsUser ? " --user" : "")}";

    /// <summary>Every file that is new, and what changes in the others.</summary>
    internal string Files()
    {
        StringBuilder text = new();
        foreach ((GeneratedFile file, FileChange change) in plan.Files)
        {
            text.Append($"# {change.Path}: {State(change)}\n");
            text.Append(change.IsNew ? file.Text : change.Diff);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>What was done, or would be.</summary>
    /// <param name="written">Null when nothing was to be written.</param>
    internal string Outcome(IReadOnlyList<WrittenFile>? written)
    {
        StringBuilder text = new();
        foreach (string note in plan.Notes)
            text.Append($"Note: {note}\n");
        if (target.Dest is not null && written is not null)
            return text.Append(Written(written)).Append(Places()).ToString();
        if (written is null)
        {
            int count = plan.Files.Count(file => file.Change.IsNeeded);
            text.Append(count + plan.Steps.Count == 0 ? "Nothing is to be done.\n" : "Nothing was written. With --install:\n");
            if (count > 0)
                text.Append($"  write {(count == 1 ? "this file" : $"these {count} files")}, each that is replaced kept beside as .bak-YYYYMMDD\n");
        }
        else
        {
            text.Append(Written(written));
        }
        foreach (string[] step in plan.Steps)
            text.Append(written is null ? "  " : "Done: ").AppendJoin(' ', step).Append('\n');
        return text.Append($"{(written is null ? "Then" : "Next")}: {Next}\n").ToString();
    }

    /// <summary>The same for programs.</summary>
    /// <param name="written">Null when nothing was to be written.</param>
    internal string Json(IReadOnlyList<WrittenFile>? written)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("files");
            foreach ((GeneratedFile file, FileChange change) in plan.Files)
            {
                json.WriteStartObject();
                json.WriteString("path", change.Path);
                json.WriteString("state", State(change));
                json.WriteString("text", file.Text);
                json.WriteString("diff", change.Diff);
                json.WriteString("backup", written?.FirstOrDefault(w => w.Path == change.Path)?.Backup);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteStrings(json, "steps", plan.Steps.Select(step => string.Join(' ', step)));
            WriteStrings(json, "notes", plan.Notes);
            json.WriteBoolean("written", written is not null);
            json.WriteString("next", Next);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static string State(FileChange change) => change.IsNew ? "new" : change.IsNeeded ? "changes" : "unchanged";

    private static string Written(IReadOnlyList<WrittenFile> written) =>
        Table.Format([], [.. written.Select(file => (string[])["Wrote", file.Path, file.Backup is null ? "" : $"before: {file.Backup}"])]);

    /// <summary>A folder of its own is where the files lie together; each belongs somewhere else.</summary>
    private string Places() =>
        Table.Format([], [.. plan.Files.Select(file => (string[])[file.File.Name, "belongs in", target.Home(file.File.Home)])]);
}
