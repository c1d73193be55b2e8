using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ProxyD.Tools;

/// <summary>What verify prints: a table for people, JSON for programs.</summary>
internal static class VerifyReport
{
    /// <summary>Which units are meant, said before they are stopped.</summary>
    internal static string Heading(VerifyTarget target)
    {
        string others = target.Addresses.Count > 1 ? $"; not asked: {string.Join(", ", target.Addresses.Skip(1))}" : "";
        string hooks = target.Hooks.Count > 0 ? $", over {string.Join(", ", target.Hooks)}" : "";
        return $"{target.Socket} ({target.Addresses[0]}{others}), {target.Proxy}, {target.BackendName}{hooks}\n\n";
    }

    /// <summary>The table; below it, when a step failed, what may tell why.</summary>
    /// <param name="isUser">The units are the user manager's.</param>
    internal static string Text(VerifyTarget target, VerifyResult result, bool isUser)
    {
        string table = Table.Format(
            ["STEP", "BACKEND WAS", "EXPECTED", "SEEN", "MS", ""],
            [.. result.Steps.Select(step => (string[])
                [step.Name, step.Before, step.Expected, step.Seen, Ms(step), step.IsPassed ? "ok" : "FAILED"])]);
        if (result.IsPassed)
            return table;
        string user = isUser ? " --user" : "";
        string units = string.Concat(target.Services.Select(unit => $" -u '{unit}'"));
        return $"{table}\n{string.Concat(result.Failures.Select(line => line + "\n"))}"
            + $"What the units themselves tell: proxyd check{user} {target.Socket}\nWhat they have said: journalctl{user} -n 20{units}\n";
    }

    internal static string Json(VerifyTarget target, VerifyResult result)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("socket", target.Socket);
            json.WriteString("address", target.Addresses[0]);
            json.WriteString("proxy", target.Proxy);
            json.WriteString("backend", target.Backend);
            json.WriteBoolean("passed", result.IsPassed);
            json.WriteStartArray("steps");
            foreach (VerifyStep step in result.Steps)
                Write(json, step);
            json.WriteEndArray();
            json.WriteStartArray("failures");
            foreach (string line in result.Failures)
                json.WriteStringValue(line);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, VerifyStep step)
    {
        json.WriteStartObject();
        json.WriteString("step", step.Name);
        json.WriteString("backendWas", step.Before);
        json.WriteString("expected", step.Expected);
        json.WriteString("seen", step.Seen);
        if (step.ElapsedMs is { } ms)
            json.WriteNumber("ms", Math.Round(ms, 1));
        else
            json.WriteNull("ms");
        json.WriteBoolean("passed", step.IsPassed);
        json.WriteEndObject();
    }

    private static string Ms(VerifyStep step) => step.ElapsedMs?.ToString("0.0", CultureInfo.InvariantCulture) ?? "";
}
