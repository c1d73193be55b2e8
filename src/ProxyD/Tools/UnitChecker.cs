using ProxyD.Machine;
using ProxyD.Rules;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Gathers what <c>proxyd check</c> is asked to judge, and judges it.</summary>
internal sealed class UnitChecker(bool isUser)
{
    private static readonly string[] s_polkitFolders =
        ["/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"];

    private readonly UnitLoader _loader = new(isUser);
    private readonly List<(string Path, string Text)> _givenRules = [];

    /// <param name="targets">Units, unit files, polkit rules, folders; none for every proxy with a loaded socket.</param>
    /// <returns>The units that were asked for, with the trios they belong to, and what was found in them.</returns>
    /// <exception cref="ToolException">Something can't be read or asked, or there is no such unit.</exception>
    internal (IReadOnlyList<string> Units, IReadOnlyList<Finding> Findings) Check(IReadOnlyList<string> targets)
    {
        string[] paths = [.. targets.Where(target => target.Contains('/', StringComparison.Ordinal) || Path.Exists(target))];
        string[] names = [.. targets.Except(paths).Select(name => UnitName.TypeOf(name) == UnitType.Unknown ? name + ".service" : name)];
        HashSet<string> asked = [];
        UnitSet units = new([]);
        if (paths.Length > 0)
            units = FromPaths(paths, asked);
        if (names.Length > 0 || targets.Count == 0)
            units = new([.. units.Units, .. ByName(names, asked).Units]);
        CheckInput input = new(units, _loader.Script, _loader.Exists, PolkitRules(), _loader.SystemdVersion());
        foreach (Trio trio in input.Trios.Where(trio => trio.Units.Any(unit => asked.Contains(unit.Name))).ToArray())
            asked.UnionWith(trio.Units.Select(unit => unit.Name));
        return (
            [.. units.Units.Select(unit => unit.Name).Where(asked.Contains)],
            [.. RuleTable.Run(input).Where(finding => asked.Contains(finding.Unit) || IsGiven(finding))]);
    }

    private UnitSet FromPaths(string[] paths, HashSet<string> asked)
    {
        List<UnitFile> files = [];
        List<KeyValuePair<string, string>> links = [];
        foreach (string path in paths.Select(Path.GetFullPath))
        {
            if (path.EndsWith(".rules", StringComparison.Ordinal))
            {
                _givenRules.Add((path, UnitLoader.ReadFile(path).ToText()));
                continue;
            }
            string folder = Directory.Exists(path) ? path : UnitFolderFiles.FolderOf(path);
            if (!Path.Exists(path))
                throw new ToolException($"{path} does not exist; expected a unit's name, a unit file or a folder of unit files");
            IReadOnlyList<UnitFile> found = folder == path
                ? UnitFolderFiles.Read(folder)
                : UnitFolderFiles.ReadFor(folder, UnitFolderFiles.UnitOf(path), isUser, _loader.Script);
            IReadOnlyList<KeyValuePair<string, string>> linked = UnitLoader.LinksIn(folder);
            UnitSet inFolder = UnitSet.FromFiles(found, isUser, linked);
            string[] wanted = folder == path ? [.. inFolder.Units.Select(unit => unit.Name)] : [UnitFolderFiles.UnitOf(path)];
            if (wanted.Length == 0)
                throw new ToolException($"{path} holds no unit files");
            if (Array.Find(wanted, name => inFolder.Find(name) is null) is not null)
                throw new ToolException($"{path} is no unit file, and no drop-in of one in {folder}");
            asked.UnionWith(wanted.Select(name => inFolder.Find(name)!.Name));
            files.AddRange([.. found, .. UnitFolders.TiesBeside(folder)]);
            links.AddRange(linked);
            if (folder == path)
                _givenRules.AddRange(RulesIn(path));
        }
        return _loader.Complete([.. files.DistinctBy(file => file.Path)], links);
    }

    private UnitSet ByName(string[] names, HashSet<string> asked)
    {
        IReadOnlyList<Unit> sockets = _loader.LoadedSockets();
        if (names.Length == 0)
            names = [.. sockets.Where(_loader.IsProxys).Select(socket => socket.Name)];
        UnitSet near = _loader.LoadWithRelated(names, out _);
        string[] fronts = [.. sockets.Where(_loader.IsProxys).Select(socket => socket.Name).Where(name => Leads(name, near))];
        UnitSet units = _loader.LoadWithRelated([.. names, .. fronts], out IReadOnlyList<string> missing);
        if (missing.Count > 0)
            throw new ToolException($"there is no unit {missing[0]}; expected a unit's name, a unit file or a folder of unit files");
        // Under the name that it was loaded by, which may be another than was asked for.
        asked.UnionWith(names.Select(name => _loader.Load(name)!.Name));
        // The other sockets are judged only against these.
        return new([.. units.Units, .. sockets]);
    }

    /// <summary>Whether a proxy's socket leads to a service among the units: a backend knows nothing of its proxies.</summary>
    private bool Leads(string socket, UnitSet near) =>
        _loader.LoadWithRelated([socket], out _).Units.Any(unit => unit.Type == UnitType.Service && near.Find(unit.Name) is not null);

    /// <summary>What polkit reads; null when a folder is not ours to read, for then a rule that is missing here may be there.</summary>
    private List<(string Path, string Text)>? PolkitRules()
    {
        try
        {
            return [.. _givenRules, .. s_polkitFolders.Where(Directory.Exists).SelectMany(RulesIn)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ToolException)
        {
            return _givenRules.Count > 0 ? _givenRules : null;
        }
    }

    private static IEnumerable<(string Path, string Text)> RulesIn(string folder) =>
        Directory.GetFiles(folder, "*.rules").Order(StringComparer.Ordinal).Select(file => (file, UnitLoader.ReadFile(file).ToText()));

    private bool IsGiven(Finding finding) => _givenRules.Exists(rule => rule.Path == finding.Path);
}
