using System.Globalization;
using System.Text;
using System.Text.Json;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>What a migration is about to do, kept beside the units before it begins, so that it can be taken back however far it comes.</summary>
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

    /// <summary>Units that there were none of before: to be stopped before their files go.</summary>
    internal IReadOnlyList<string> Made { get; init; } = [];

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
        foreach (FileInfo file in Records(folder))
        {
            MigrateRecord record = Read(file.FullName);
            bool isIt = unit.Length == 0
                || record.Files.Select(its => Path.GetFileName(its.Path)).Append(record.Socket).Append(record.Service)
                    .Any(name => name == unit || new Units.UnitName(name).Stem == stem);
            if (isIt)
                return (file.FullName, record);
        }
        return null;
    }

    /// <summary>What has to change for each file to be as it was; nothing where it is.</summary>
    /// <exception cref="ToolException">A file was changed since, or can't be read.</exception>
    internal IReadOnlyList<FileChange> WayBack() => [.. Files.Select(file => file.WayBack())];

    /// <summary>Writes it, down to the disk: a journaling file system keeps the order of what follows in the same folder.</summary>
    /// <remarks>It holds the text of units, and a unit may be its owner's secret: nobody else may read it.</remarks>
    /// <exception cref="ToolException">It can't be written; nothing is.</exception>
    internal void Save(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        string temporary = $"{folder}/.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(folder);
            FileStreamOptions options = new()
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (FileStream file = new(temporary, options))
            {
                file.Write(ToJson());
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw new ToolException($"{path} can't be written: {FileChange.Reason(e)}");
        }
    }

    /// <summary>Forgets it: there is nothing left to take back.</summary>
    /// <exception cref="ToolException">It can't be removed.</exception>
    internal static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be removed: {FileChange.Reason(e)}");
        }
    }

    private static IEnumerable<FileInfo> Records(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).GetFiles($"*{Infix}*").OrderByDescending(file => file.LastWriteTimeUtc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{folder} can't be read: {FileChange.Reason(e)}");
        }
    }

    private byte[] ToJson()
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
            Write(json, "made", Made);
            json.WriteStartArray("files");
            foreach (RecordedFile file in Files)
            {
                json.WriteStartObject();
                json.WriteString("path", file.Path);
                json.WriteString("backup", file.Backup);
                json.WriteString("before", file.Before is null ? null : Convert.ToBase64String(file.Before));
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
                Made = Strings(root, "made"),
                Files = [.. root.GetProperty("files").EnumerateArray().Select(file => new RecordedFile(
                    file.GetProperty("path").GetString()!,
                    file.GetProperty("backup").GetString(),
                    Bytes(file, "before"),
                    Bytes(file, "after")))],
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

    private static byte[]? Bytes(JsonElement file, string name) => file.GetProperty(name).GetString() is { } text ? Convert.FromBase64String(text) : null;
}
