using System.Globalization;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Reads units: from the manager (by name), from files and from folders.</summary>
/// <param name="isUser">They are a user manager's.</param>
internal sealed class UnitLoader(bool isUser)
{
    /// <summary>A chain socket → proxy → hook → backend is followed that far.</summary>
    private const int MaxSteps = 4;

    private readonly Systemctl _systemctl = new(isUser);
    private readonly UnitFolders _folders = new(isUser);
    private readonly Scripts _scripts = new();
    private readonly Dictionary<string, Unit?> _loaded = new(StringComparer.Ordinal);

    /// <summary>A script's text; null for what is missing or no text.</summary>
    internal string? Script(string path) => _scripts.Read(path);

    /// <summary>Whether the machine has a file for a unit.</summary>
    internal bool Exists(string name) => _folders.Has(name);

    /// <summary>The machine's systemd, as 252; null when there is none.</summary>
    internal int? SystemdVersion()
    {
        try
        {
            string[] words = _systemctl.Run("--version").Output.Split(' ', 3);
            return words.Length > 1 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int version) ? version : null;
        }
        catch (ToolException)
        {
            return null;
        }
    }

    /// <summary>A unit file's or a drop-in's content.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static UnitFile ReadFile(string path) => Reading(path, () => UnitFile.Parse(File.ReadAllBytes(path), path));

    /// <summary>The unit files of a folder and the drop-ins in its <c>*.d</c> folders, in the order of their names; links to other names
    /// are left out.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static IReadOnlyList<UnitFile> ReadFolder(string path) => Reading(path, () =>
    {
        IEnumerable<string> fragments = Directory.GetFiles(path)
            .Where(file => UnitName.TypeOf(Path.GetFileName(file)) != UnitType.Unknown && File.Exists(file) && !IsAlias(file));
        IEnumerable<string> dropIns = Directory.GetDirectories(path, "*.d").SelectMany(folder => Directory.GetFiles(folder, "*.conf"));
        return fragments.Concat(dropIns).Order(StringComparer.Ordinal).Select(ReadFile).ToArray();
    });

    /// <summary>Units made of files, with what they name in turn taken from the machine's own folders where the files don't have it.</summary>
    /// <exception cref="ToolException">A file can't be read.</exception>
    internal UnitSet Complete(IReadOnlyList<UnitFile> files)
    {
        List<UnitFile> all = [.. files];
        HashSet<string> tried = [];
        UnitSet set = UnitSet.FromFiles(all, isUser);
        for (int step = 0; step < MaxSteps; step++)
        {
            TrioFinder finder = new(set, Script);
            string[] missing = [.. set.Units.SelectMany(finder.NamedBy).Where(name => set.Find(name) is null && tried.Add(name))];
            int before = all.Count;
            all.AddRange(missing.SelectMany(_folders.FilesOf));
            if (all.Count == before)
                break;
            set = UnitSet.FromFiles(all, isUser);
        }
        return set;
    }

    /// <summary>A unit as the manager has it: its unit file and its drop-ins, in the manager's order.</summary>
    /// <returns>Null when the manager finds no file of that name, and for a masked unit.</returns>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal Unit? Load(string name)
    {
        if (_loaded.TryGetValue(name, out Unit? known))
            return known;
        Dictionary<string, string> shown = _systemctl.Show(name, "Id", "FragmentPath", "DropInPaths", "LoadState", "UnitFileState");
        string fragment = shown.GetValueOrDefault("FragmentPath", "");
        IEnumerable<string> dropIns = Words.Split(shown.GetValueOrDefault("DropInPaths", ""));
        Unit? unit = fragment.Length > 0 && shown.GetValueOrDefault("LoadState") != "masked"
            ? new(shown.GetValueOrDefault("Id", name), [.. dropIns.Prepend(fragment).Select(ReadFile)], isUser)
            {
                FileState = shown.GetValueOrDefault("UnitFileState"),
            }
            : null;
        _loaded[name] = unit;
        return unit;
    }

    /// <summary>Units by name, and all that they name in turn: a socket's service, a service's sockets, what they depend on or start.</summary>
    /// <param name="missing">Names among <paramref name="names"/> that the manager finds no file for.</param>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal UnitSet LoadWithRelated(IEnumerable<string> names, out IReadOnlyList<string> missing)
    {
        string[] asked = [.. names];
        string[] next = asked;
        HashSet<string> seen = [.. asked];
        List<Unit> found = [];
        for (int step = 0; step < MaxSteps && next.Length > 0; step++)
        {
            Unit[] units = [.. next.Select(name => Load(Loadable(name))).OfType<Unit>()];
            found.AddRange(units);
            next = [.. units.SelectMany(Related).Where(seen.Add)];
        }
        missing = [.. asked.Where(name => Load(Loadable(name)) is null)];
        return new(found);
    }

    /// <summary>Sockets that the manager has loaded.</summary>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal IReadOnlyList<Unit> LoadedSockets()
    {
        (int status, string output, string error) = _systemctl.Run("list-units", "--all", "--plain", "--no-legend", "--full", "--type=socket");
        if (status != 0)
            throw new ToolException($"systemctl list-units: {error.Split('\n')[0]}");
        return [.. output.Split('\n').Select(line => line.Split(' ')[0]).Where(name => name.Length > 0).Select(Load).OfType<Unit>()];
    }

    /// <summary>Whether a socket's service runs a proxy.</summary>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal bool IsProxys(Unit socket) =>
        Load(Loadable(UnitSet.ServiceNameOf(socket))) is { } service && ProxyCommand.Of(service, Script) is not null;

    private IEnumerable<string> Related(Unit unit)
    {
        IEnumerable<string> sockets = unit.Type == UnitType.Service
            ? Words.Split(_systemctl.Show(unit.Name, "TriggeredBy").GetValueOrDefault("TriggeredBy", ""), keepsEscapes: true)
            : [];
        return new TrioFinder(new([unit]), Script).NamedBy(unit).Concat(sockets);
    }

    /// <summary>systemctl shows no template; any instance has its files.</summary>
    private static string Loadable(string name) => new UnitName(name).IsTemplate ? new UnitName(name).With("x") : name;

    private static bool IsAlias(string path) =>
        new FileInfo(path).LinkTarget is { } target && Path.GetFileName(target) != Path.GetFileName(path);

    private static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {e.Message}");
        }
    }
}
