namespace ProxyD.Units;

/// <summary>The files that add to a unit's own, in folders whose names end in <c>.d</c>; systemd.unit(5).</summary>
internal static class DropIn
{
    /// <summary>Whether a path is one's.</summary>
    internal static bool Is(string path) => path.EndsWith(".conf", StringComparison.Ordinal) && IsFolder(FolderName(path));

    /// <summary>Whether drop-ins can be in a folder of that name: a unit's, or one for all units of a type, as <c>service.d</c>.</summary>
    internal static bool IsFolder(string name) =>
        name.EndsWith(".d", StringComparison.Ordinal) && UnitName.TypeOf($"x.{name[..^2]}") != UnitType.Unknown;

    /// <summary>The unit that a drop-in is for; of one for several units, what their names end in.</summary>
    internal static string UnitOf(string path) => FolderName(path)[..^2];

    /// <summary>Whether it is for several units: all of a type, or all whose names begin alike.</summary>
    internal static bool IsShared(string path) =>
        Is(path) && (UnitName.TypeOf(UnitOf(path)) == UnitType.Unknown || new UnitName(UnitOf(path)).Stem.EndsWith('-'));

    /// <summary>The names of the folders for a unit, the most exact one first: its own, its template's, each shorter prefix ending in a dash, its
    /// type's.</summary>
    internal static IEnumerable<string> FoldersFor(UnitName unit)
    {
        string type = unit.Full[unit.Stem.Length..];
        yield return unit.Full + ".d";
        if (unit.Template is { } template)
            yield return template + ".d";
        for (int dash = unit.Prefix.LastIndexOf('-'); dash > 0; dash = unit.Prefix.LastIndexOf('-', dash - 1))
            yield return $"{unit.Prefix[..(dash + 1)]}{type}.d";
        yield return $"{type[1..]}.d";
    }

    private static string FolderName(string path) => Path.GetFileName(Path.GetDirectoryName(path)) ?? "";
}
