using System.Globalization;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>Reads units: from the manager (by name), from files and from folders.</summary>
/// <param name="isUser">They are a user manager's.</param>
/// <param name="readsTies">Whether dependencies count that are links in a folder beside a unit; not for who edits lines.</param>
internal sealed class UnitLoader(bool isUser, bool readsTies = true)
{
    /// <summary>A chain socket → proxy → hook → backend is followed that far.</summary>
    internal const int MaxSteps = 4;

    /// <summary>No unit file is longer; systemd reads larger ones, but nobody writes them.</summary>
    private const int BytesMax = 1024 * 1024;

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
    /// <exception cref="ToolException">It can't be read, or is no regular file of at most 1 MiB.</exception>
    internal static UnitFile ReadFile(string path) => Reading(path, () => UnitFile.Parse(RegularFile.Read(path, BytesMax), path));

    /// <summary>The links of a folder that give a unit another name: that name, and the one it leads to.</summary>
    /// <exception cref="ToolException">The folder can't be read.</exception>
    internal static IReadOnlyList<KeyValuePair<string, string>> LinksIn(string path) => Reading(path, () => Directory.GetFiles(path)
        .Order(StringComparer.Ordinal)
        .Select(file => KeyValuePair.Create(Path.GetFileName(file), UnitFolders.UnitBehind(file) ?? ""))
        .Where(link => link.Value.Length > 0).ToArray());

    /// <summary>Units made of files, with what they name in turn taken from the machine's own folders where the files don't have it.</summary>
    /// <param name="links">As <see cref="LinksIn"/> gives them.</param>
    /// <exception cref="ToolException">A file can't be read.</exception>
    internal UnitSet Complete(IReadOnlyList<UnitFile> files, IReadOnlyList<KeyValuePair<string, string>>? links = null)
    {
        List<UnitFile> all = [.. files];
        List<KeyValuePair<string, string>> aliases = [.. links ?? []];
        HashSet<string> tried = [];
        UnitSet set = UnitSet.FromFiles(all, isUser, aliases);
        for (int step = 0; step < MaxSteps; step++)
        {
            TrioFinder finder = new(set, Script);
            string[] missing =
            [
                .. set.Units.SelectMany(finder.NamedBy).Select(set.IdOf)
                    .Where(name => new UnitName(name).IsKnown && set.Find(name) is null && tried.Add(name)),
            ];
            int before = all.Count;
            foreach (string name in missing)
            {
                KeyValuePair<string, string>[] passed = [.. _folders.LinksFrom(name)];
                aliases.AddRange(passed);
                string id = passed is [.., { Value: var last }] ? last : name;
                all.AddRange([.. _folders.FilesOf(id), .. TiesOf(id)]);
            }
            if (all.Count == before)
                break;
            set = UnitSet.FromFiles(all, isUser, aliases);
        }
        return set;
    }

    /// <summary>A unit as the manager has it: its unit file and its drop-ins, in the manager's order, under the manager's own name for it,
    /// with its other names; a template as itself.</summary>
    /// <returns>Null when the manager finds no file of that name, for what is no name, and for a masked unit.</returns>
    /// <exception cref="ToolException">The manager can't be asked, or a file can't be read.</exception>
    internal Unit? Load(string name)
    {
        if (!_loaded.TryGetValue(name, out Unit? unit))
            _loaded[name] = unit = new UnitName(name).IsValid ? Ask(name) : null;
        return unit;
    }

    private Unit? Ask(string name)
    {
        Dictionary<string, string> shown = _systemctl.Show(
            new UnitName(name).Loadable, "Id", "Names", "FragmentPath", "DropInPaths", "LoadState", "UnitFileState");
        string fragment = shown.GetValueOrDefault("FragmentPath", "");
        if (fragment.Length == 0 || shown.GetValueOrDefault("LoadState") == "masked")
            return null;
        IEnumerable<string> dropIns = Words.Split(shown.GetValueOrDefault("DropInPaths", ""));
        bool isTemplate = new UnitName(name).IsTemplate;
        string id = Own(shown.GetValueOrDefault("Id", name), isTemplate);
        IEnumerable<string> names = Words.Split(shown.GetValueOrDefault("Names", ""), keepsEscapes: true).Select(other => Own(other, isTemplate));
        UnitAliases aliases = new(names.Select(other => KeyValuePair.Create(other, id)));
        return new(id, [.. dropIns.Prepend(fragment).Select(ReadFile), .. TiesOf(id)], isUser, aliases)
        {
            FileState = shown.GetValueOrDefault("UnitFileState"),
        };
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
            Unit[] units = [.. next.Select(Load).OfType<Unit>()];
            found.AddRange(units);
            next = [.. units.SelectMany(Related).Where(seen.Add)];
        }
        missing = [.. asked.Where(name => Load(name) is null)];
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
        Load(UnitSet.ServiceNameOf(socket)) is { } service && ProxyCommand.Of(service, Script) is not null;

    private IEnumerable<string> Related(Unit unit)
    {
        IEnumerable<string> sockets = unit.Type == UnitType.Service
            ? Words.Split(_systemctl.Show(unit.Parts.Loadable, "TriggeredBy").GetValueOrDefault("TriggeredBy", ""), keepsEscapes: true)
                .Select(name => Own(name, unit.Parts.IsTemplate))
            : [];
        // A socket that nobody has started need not be loaded, and what starts a template's instances (a template's socket, or one that accepts) is
        // nothing that the manager tells.
        string[] usual = unit.Type == UnitType.Service ? [unit.Parts.Stem + ".socket", unit.Parts.Prefix + ".socket"] : [];
        return new TrioFinder(new([unit]), Script).NamedBy(unit).Concat(sockets).Concat(usual).Select(name => new UnitName(name).Resolved.Full);
    }

    private IEnumerable<UnitFile> TiesOf(string name) => readsTies ? _folders.TiesOf(name) : [];

    /// <summary>The name of the template itself where its instance was asked for in its place.</summary>
    private static string Own(string name, bool isTemplate) =>
        isTemplate && new UnitName(name) is { Instance: UnitName.AnyInstance } instance ? instance.With("") : name;

    /// <summary>With what can't be read said in one line.</summary>
    /// <exception cref="ToolException">It can't be.</exception>
    internal static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {FileChange.Reason(e)}");
        }
    }
}
