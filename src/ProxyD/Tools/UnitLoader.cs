using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Reads units: from the manager (by name), from files and from folders.</summary>
/// <param name="systemctl">Asked only for units by name.</param>
/// <param name="isUser">They are a user manager's.</param>
internal sealed class UnitLoader(Systemctl systemctl, bool isUser)
{
    private static readonly string[] s_references =
        ["Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds"];

    private readonly Dictionary<string, Unit?> _loaded = new(StringComparer.Ordinal);

    /// <summary>A unit file's or a drop-in's content.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static UnitFile ReadFile(string path)
    {
        try
        {
            return UnitFile.Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {e.Message}");
        }
    }

    /// <summary>The unit files of a folder and the drop-ins in its <c>*.d</c> folders, in the order of their names; links to other names
    /// are left out.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static IReadOnlyList<UnitFile> ReadFolder(string path)
    {
        try
        {
            IEnumerable<string> fragments = Directory.GetFiles(path)
                .Where(file => UnitName.TypeOf(Path.GetFileName(file)) != UnitType.Unknown && !IsAlias(file));
            IEnumerable<string> dropIns = Directory.GetDirectories(path, "*.d").SelectMany(folder => Directory.GetFiles(folder, "*.conf"));
            return [.. fragments.Concat(dropIns).Order(StringComparer.Ordinal).Select(ReadFile)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {e.Message}");
        }
    }

    /// <summary>A unit as the manager has it: its unit file and its drop-ins, in the manager's order.</summary>
    /// <returns>Null when the manager finds no file of that name.</returns>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal Unit? Load(string name)
    {
        if (_loaded.TryGetValue(name, out Unit? known))
            return known;
        Dictionary<string, string> shown = systemctl.Show(name, "Id", "FragmentPath", "DropInPaths");
        string fragment = shown.GetValueOrDefault("FragmentPath", "");
        IEnumerable<string> dropIns = Words.Split(shown.GetValueOrDefault("DropInPaths", ""));
        Unit? unit = fragment.Length > 0
            ? new(shown.GetValueOrDefault("Id", name), [.. dropIns.Prepend(fragment).Select(ReadFile)], isUser)
            : null;
        _loaded[name] = unit;
        return unit;
    }

    /// <summary>Units by name, and all that they name in turn: a socket's service, a service's sockets, what they require, want, bind to or uphold.</summary>
    /// <param name="missing">Names among <paramref name="names"/> that the manager finds no file for.</param>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal UnitSet LoadWithRelated(IEnumerable<string> names, out IReadOnlyList<string> missing)
    {
        string[] asked = [.. names];
        Queue<string> open = new(asked);
        HashSet<string> seen = [.. asked];
        List<Unit> found = [];
        while (open.TryDequeue(out string? name))
        {
            if (Load(name) is not { } unit)
                continue;
            found.Add(unit);
            foreach (string related in Related(unit).Where(seen.Add))
                open.Enqueue(related);
        }
        missing = [.. asked.Where(name => _loaded[name] is null)];
        return new(found);
    }

    /// <summary>Loaded sockets whose service, by what it runs, is a proxy.</summary>
    /// <param name="isProxy">Judges the service.</param>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal IEnumerable<string> SocketsOf(Func<Unit, bool> isProxy)
    {
        (int status, string output, string error) = systemctl.Run("list-units", "--all", "--plain", "--no-legend", "--full", "--type=socket");
        if (status != 0)
            throw new ToolException($"systemctl list-units: {error.Split('\n')[0]}");
        foreach (string name in output.Split('\n').Select(line => line.Split(' ')[0]).Where(name => name.Length > 0))
        {
            if (Load(name) is { } socket && Load(Loadable(UnitSet.ServiceNameOf(socket))) is { } service && isProxy(service))
                yield return name;
        }
    }

    private IEnumerable<string> Related(Unit unit)
    {
        if (unit.Type == UnitType.Socket)
            yield return Loadable(UnitSet.ServiceNameOf(unit));
        if (unit.Type == UnitType.Service)
        {
            foreach (string socket in Words.Split(systemctl.Show(unit.Name, "TriggeredBy").GetValueOrDefault("TriggeredBy", ""), keepsEscapes: true))
                yield return socket;
        }
        foreach (string name in s_references.SelectMany(key => unit.List("Unit", key)).Select(entry => entry.Word))
        {
            if (UnitName.TypeOf(name) is UnitType.Service or UnitType.Socket)
                yield return Loadable(name);
        }
    }

    /// <summary>systemctl shows no template; any instance has its files.</summary>
    private static string Loadable(string name) => new UnitName(name).IsTemplate ? new UnitName(name).With("x") : name;

    private static bool IsAlias(string path) =>
        new FileInfo(path).LinkTarget is { } target && Path.GetFileName(target) != Path.GetFileName(path);
}
