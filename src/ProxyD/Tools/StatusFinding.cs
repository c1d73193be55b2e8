using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ProxyD.Tools;

/// <summary>A service that runs proxyd, and what became of asking it.</summary>
/// <param name="Unit">What systemd knows of it.</param>
/// <param name="Reply">Null when it does not run, and so was not asked.</param>
internal sealed record StatusFinding(ProxyUnit Unit, StatusReply? Reply)
{
    /// <summary>What it said; null when it did not.</summary>
    internal StatusAnswer? Answer { get; } = Reply?.Json is { } json ? StatusAnswer.Of(json) : null;

    /// <summary>Why it could not be asked; null when it was, or need not be.</summary>
    internal string? Problem => Reply?.Problem;

    /// <summary>Whether somebody should look after it: it or its backend has failed, or it is down and no client could start it.</summary>
    internal bool IsInTrouble => Answer?.IsInTrouble ?? (Problem is null && !Unit.Sleeps);

    internal static StatusFinding Of(ProxyUnit unit)
    {
        if (!unit.Runs)
            return new(unit, null);
        return new(unit, unit.ControlPath is { } path
            ? StatusClient.Ask(path)
            : new(null, "it has no control socket; expected RuntimeDirectory= in its unit"));
    }

    /// <summary>One line of JSON, with what proxyd answered as it is.</summary>
    internal string ToJson()
    {
        ArrayBufferWriter<byte> line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("unit", Unit.Name);
            json.WriteString("systemd", Unit.State.Length > 0 ? Unit.State : null);
            json.WriteString("problem", Problem);
            json.WritePropertyName("status");
            if (Reply?.Json is { } answer)
                answer.WriteTo(json);
            else
                json.WriteNullValue();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(line.WrittenSpan) + "\n";
    }
}
