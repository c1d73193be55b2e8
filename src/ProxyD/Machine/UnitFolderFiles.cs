using ProxyD.Observability;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>Reads the unit files of a folder.</summary>
internal static class UnitFolderFiles
{
    /// <summary>The unit files of a folder and the drop-ins in its <c>*.d</c> folders, in the order of their names; links to other names
    /// are left out.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static IReadOnlyList<UnitFile> Read(string path) => [.. FilesIn(path).Select(UnitLoader.ReadFile)];

    /// <summary>The same for the sake of one of its units: of a file that can't be read it is only said so, unless it is that unit's, or one's that
    /// belongs to it.</summary>
    /// <exception cref="ToolException">The folder can't be read, or a file that is needed.</exception>
    internal static IReadOnlyList<UnitFile> ReadFor(string path, string unit, bool isUser, Func<string, string?> script)
    {
        List<UnitFile> files = ReadableIn(path, out List<(string Unit, ToolException Error)> unread);
        if (unread.Count == 0)
            return files;
        HashSet<string> near = Near(UnitSet.FromFiles(files, isUser), unit, script);
        foreach ((string name, ToolException error) in unread)
        {
            if (near.Contains(name))
                throw error;
            Stderr.Fail($"{error.Message}; it is left out");
        }
        return files;
    }

    /// <summary>The same without those that can't be read.</summary>
    /// <param name="unread">The units of these, and why.</param>
    /// <exception cref="ToolException">The folder can't be read.</exception>
    internal static List<UnitFile> ReadableIn(string path, out List<(string Unit, ToolException Error)> unread)
    {
        List<UnitFile> files = [];
        unread = [];
        foreach (string file in FilesIn(path))
        {
            try
            {
                files.Add(UnitLoader.ReadFile(file));
            }
            catch (ToolException e)
            {
                unread.Add((UnitOf(file), e));
            }
        }
        return files;
    }

    /// <summary>The folder in which a unit file's or a drop-in's unit lies.</summary>
    internal static string FolderOf(string path) => DropIn.Is(path) ? Path.GetDirectoryName(Path.GetDirectoryName(path))! : Path.GetDirectoryName(path)!;

    /// <summary>The unit that a unit file is, or a drop-in is for.</summary>
    internal static string UnitOf(string path) => DropIn.Is(path) ? DropIn.UnitOf(path) : Path.GetFileName(path);

    /// <summary>A unit, what it names in turn, and the sockets in front of these.</summary>
    private static HashSet<string> Near(UnitSet set, string unit, Func<string, string?> script)
    {
        TrioFinder finder = new(set, script);
        HashSet<string> near = [unit];
        for (int step = 0; step < UnitLoader.MaxSteps; step++)
        {
            Unit[] known = [.. near.Select(set.Find).OfType<Unit>()];
            near.UnionWith(known.SelectMany(finder.NamedBy).Select(set.IdOf));
            near.UnionWith(known.Where(one => one.Type == UnitType.Service).SelectMany(set.SocketsOf).Select(socket => socket.Name));
        }
        return near;
    }

    private static string[] FilesIn(string path) => UnitLoader.Reading(path, () =>
    {
        IEnumerable<string> fragments = Directory.GetFiles(path)
            .Where(file => UnitName.TypeOf(Path.GetFileName(file)) != UnitType.Unknown && RegularFile.IsThere(file) && UnitFolders.IsNamedAsItsFile(file));
        // A link that leads nowhere is nothing to systemd.
        IEnumerable<string> dropIns = Directory.GetDirectories(path, "*.d").Where(folder => DropIn.IsFolder(Path.GetFileName(folder)))
            .SelectMany(folder => Directory.GetFiles(folder, "*.conf")).Where(RegularFile.IsThere);
        return fragments.Concat(dropIns).Order(StringComparer.Ordinal).ToArray();
    });
}
