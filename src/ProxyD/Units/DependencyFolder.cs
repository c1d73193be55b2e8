namespace ProxyD.Units;

/// <summary>Dependencies that are links in a folder beside a unit, as systemctl enable and add-wants make them; systemd.unit(5).</summary>
internal static class DependencyFolder
{
    private static readonly Dictionary<string, string> s_keys = new()
    {
        [".requires"] = "Requires",
        [".upholds"] = "Upholds",
        [".wants"] = "Wants",
    };

    /// <summary>What a folder's name ends in to be one.</summary>
    internal static IEnumerable<string> Suffixes => s_keys.Keys;

    /// <summary>The unit that a path's folder gives a dependency; null when it is no such folder.</summary>
    internal static string? UnitOf(string path)
    {
        string folder = FolderOf(path);
        return SuffixOf(folder) is { } suffix && UnitName.TypeOf(folder[..^suffix.Length]) != UnitType.Unknown ? folder[..^suffix.Length] : null;
    }

    /// <summary>A link in such a folder, read as the line that it stands for.</summary>
    /// <param name="path">The link, by its name that of the unit that is depended on; what it leads to does not matter to systemd.</param>
    internal static UnitFile Read(string path)
    {
        string key = s_keys[SuffixOf(FolderOf(path))!];
        UnitFile file = UnitFile.Parse($"[Unit]\n{key}={path[(path.LastIndexOf('/') + 1)..]}\n", path);
        // A link has no lines: whoever is sent to it has found it.
        file.Items[1] = file.Items[1] with { Line = 1 };
        return file;
    }

    private static string? SuffixOf(string folder) => s_keys.Keys.FirstOrDefault(suffix => folder.EndsWith(suffix, StringComparison.Ordinal));

    private static string FolderOf(string path)
    {
        int end = Math.Max(path.LastIndexOf('/'), 0);
        return path[(path[..end].LastIndexOf('/') + 1)..end];
    }
}
