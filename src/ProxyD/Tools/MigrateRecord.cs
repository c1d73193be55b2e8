using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ProxyD.Tools;

/// <summary>A file that a migration wrote or removed.</summary>
/// <param name="Path">Where.</param>
/// <param name="Backup">What was there before; null when there was nothing.</param>
/// <param name="After">What was written; null when the file was removed.</param>
internal sealed record RecordedFile(string Path, string? Backup, byte[]? After);

/// <summary>What a migration has done, kept beside the units so that it can be taken back.</summary>
internal sealed record MigrateRecord
{
    private const string Infix = ".migrated-";

    internal required IReadOnlyList<RecordedFile> Files { get; init; }

    /// <summary>The socket and the proxy, as they are called now.</summary>
    internal required string Socket { get; init; }

    /// <inheritdoc cref="Socket"/>
    internal required string Service { get; init; }

    /// <summary>Units that started at boot and don't any more.</summary>
    internal IReadOnlyList<string> Disabled { get; init; } = [];

    /// <summary>Units that were made to start at boot.</summary>
    internal IReadOnlyList<string> Enabled { get; init; } = [];

    /// <summary>Units that ran before, in the order in which they are to be started.</summary>
    internal IReadOnlyList<string> Active { get; init; } = [];

    /// <summary>The socket has to be opened anew on the way back.</summary>
    internal bool ReopensSocket { get; init; }

    /// <summary>The units are the manager's, not just files in a folder.</summary>
    internal bool IsInstalled { get; init; }

    /// <summary>Where it is kept: systemd takes no file of such a name for a unit.</summary>
    internal static string PathFor(string folder, string socket, TimeProvider time)
    {
        string day = time.GetLocalNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        string path = $"{folder}/{socket}{Infix}{day}";
        for (int number = 2; File.Exists(path); number++)
            path = string.Create(CultureInfo.InvariantCulture, $"{folder}/{socket}{Infix}{day}-{number}");
        return path;
    }

    /// <summary>The newest record of a unit, by any name that the unit had or has.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static (string Path, MigrateRecord Record)? Newest(string folder, string unit)
    {
        if (!Directory.Exists(folder))
            return null;
        // Of an instance, its template's files were changed.
        unit = new Units.UnitName(unit).Template ?? unit;
        string stem = new Units.UnitName(unit).Stem;
        foreach (FileInfo file in new DirectoryInfo(folder).GetFiles($"*{Infix}*").OrderByDescending(file => file.LastWriteTimeUtc))
        {
            MigrateRecord record = Read(file.FullName);
            bool isIt = unit.Length == 0
                || record.Files.Select(its => System.IO.Path.GetFileName(its.Path)).Append(record.Socket).Append(record.Service)
                    .Any(name => name == unit || new Units.UnitName(name).Stem == stem);
            if (isIt)
                return (file.FullName, record);
        }
        return null;
    }

    internal byte[] ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("made_by", "proxyd migrate --apply; proxyd migrate --rollback reads and removes this file");
            json.WriteString("socket", Socket);
            json.WriteString("service", Service);
            json.WriteBoolean("installed", IsInstalled);
            json.WriteBoolean("reopens_socket", ReopensSocket);
            Write(json, "disabled", Disabled);
            Write(json, "enabled", Enabled);
            Write(json, "active", Active);
            json.WriteStartArray("files");
            foreach (RecordedFile file in Files)
            {
                json.WriteStartObject();
                json.WriteString("path", file.Path);
                json.WriteString("backup", file.Backup);
                json.WriteString("after", file.After is null ? null : Convert.ToBase64String(file.After));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return [.. stream.ToArray(), (byte)'\n'];
    }

    private static MigrateRecord Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path, Encoding.UTF8));
            JsonElement root = document.RootElement;
            return new()
            {
                Socket = root.GetProperty("socket").GetString()!,
                Service = root.GetProperty("service").GetString()!,
                IsInstalled = root.GetProperty("installed").GetBoolean(),
                ReopensSocket = root.GetProperty("reopens_socket").GetBoolean(),
                Disabled = Strings(root, "disabled"),
                Enabled = Strings(root, "enabled"),
                Active = Strings(root, "active"),
                Files = [.. root.GetProperty("files").EnumerateArray().Select(file => new RecordedFile(
                    file.GetProperty("path").GetString()!,
                    file.GetProperty("backup").GetString(),
                    file.GetProperty("after").GetString() is { } after ? Convert.FromBase64String(after) : null))],
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {FileChange.Reason(e)}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ToolException($"{path} is not what proxyd migrate --apply wrote; expected its record of a migration");
        }
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static string[] Strings(JsonElement root, string name) => [.. root.GetProperty(name).EnumerateArray().Select(value => value.GetString()!)];
}
