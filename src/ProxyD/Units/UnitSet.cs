namespace ProxyD.Units;

/// <summary>Units that were read together, by name.</summary>
internal sealed class UnitSet
{
    private readonly Dictionary<string, Unit> _units = new(StringComparer.Ordinal);
    private readonly UnitAliases _aliases;

    /// <param name="units">Of several with one name the first counts. An alias of one is known to all.</param>
    internal UnitSet(IEnumerable<Unit> units)
    {
        foreach (Unit unit in units)
            _units.TryAdd(unit.Name, unit);
        // A file of its own is more than a link of that name elsewhere.
        _aliases = new(_units.Values.SelectMany(unit => unit.Aliases.Targets).Where(alias => !_units.ContainsKey(alias.Key)));
        if (_aliases.IsEmpty)
            return;
        foreach (Unit unit in _units.Values.ToArray())
            _units[unit.Name] = new(unit.Name, unit.Sources, unit.IsUser, _aliases);
    }

    /// <summary>In the order of their names.</summary>
    internal IEnumerable<Unit> Units => _units.Values.OrderBy(unit => unit.Name, StringComparer.Ordinal);

    /// <summary>Puts files together by their paths: <c>NAME</c> is a unit, <c>NAME.d/*.conf</c> its drop-ins, <c>NAME.wants/</c> and its like hold its
    /// dependencies; systemd.unit(5).</summary>
    /// <param name="files">Of two unit files of one name, and of two drop-ins of one file name for one unit, the first counts.</param>
    /// <param name="links">Names that are links, each with the name that it leads to; none by default.</param>
    /// <remarks>A drop-in whose unit is not among the files belongs to nothing here and is left out.</remarks>
    internal static UnitSet FromFiles(IEnumerable<UnitFile> files, bool isUser = false, IEnumerable<KeyValuePair<string, string>>? links = null)
    {
        List<UnitFile> all = [.. files];
        UnitAliases aliases = new(links ?? []);
        ILookup<string, UnitFile> dropIns = all.Where(file => DropIn.Is(file.Path)).ToLookup(file => FolderName(file.Path), StringComparer.Ordinal);
        ILookup<string?, UnitFile> ties = all.ToLookup(file => DependencyFolder.UnitOf(file.Path), StringComparer.Ordinal);
        Dictionary<string, UnitFile> fragments = [];
        foreach (UnitFile file in ties[null].Where(file => !DropIn.Is(file.Path) && UnitName.TypeOf(FileName(file.Path)) != UnitType.Unknown))
            fragments.TryAdd(FileName(file.Path), file);
        // An instance with drop-ins of its own is a unit even where only its template has a file.
        IEnumerable<string> instances = dropIns.Select(group => group.Key[..^2])
            .Where(name => !fragments.ContainsKey(name) && new UnitName(name).Template is { } template && fragments.ContainsKey(template));
        return new(fragments.Keys.Concat(instances).Select(name =>
        {
            UnitFile fragment = fragments.GetValueOrDefault(name) ?? fragments[new UnitName(name).Template!];
            return new Unit(name, [fragment, .. DropInsOf(new(name), dropIns), .. ties[name], .. TiesOfTemplate(name, ties)], isUser, aliases);
        }));
    }

    /// <summary>A unit by any of its names; an instance is made of its template, and <c>x@%i.service</c>, as templates name each other, is
    /// the template.</summary>
    internal Unit? Find(string name)
    {
        UnitName parts = new UnitName(IdOf(name)).Resolved;
        if (_units.TryGetValue(parts.Full, out Unit? unit))
            return unit;
        return parts.Template is { } template && _units.TryGetValue(template, out Unit? made)
            ? new(parts.Full, made.Sources, made.IsUser, made.Aliases)
            : null;
    }

    /// <inheritdoc cref="UnitAliases.IdOf"/>
    internal string IdOf(string name) => _units.ContainsKey(name) ? name : _aliases.IdOf(name);

    /// <summary>The name of what a socket starts: <c>Service=</c>, else the same name; with <c>Accept=yes</c> the template of that name.</summary>
    internal static string ServiceNameOf(Unit socket)
    {
        string name = socket.Last("Socket", "Service")?.Value ?? socket.Parts.Stem + ".service";
        return socket.IsTrue("Socket", "Accept") && new UnitName(name).Instance is null ? new UnitName(name).With("") : name;
    }

    /// <summary>What a socket starts, when it is among these units.</summary>
    internal Unit? ServiceOf(Unit socket) => Find(ServiceNameOf(socket));

    /// <summary>The sockets among these units that start a service.</summary>
    internal IEnumerable<Unit> SocketsOf(Unit service) =>
        Units.Where(unit => unit.Type == UnitType.Socket && ServiceOf(unit)?.Name == service.Name);

    private static IEnumerable<UnitFile> TiesOfTemplate(string name, ILookup<string?, UnitFile> ties) =>
        new UnitName(name).Template is { } template ? ties[template] : [];

    /// <summary>All drop-ins that apply, in the order of their file names; a folder that names the unit more exactly wins.</summary>
    private static IEnumerable<UnitFile> DropInsOf(UnitName unit, ILookup<string, UnitFile> dropIns) =>
        DropIn.FoldersFor(unit).SelectMany(folder => dropIns[folder])
            .DistinctBy(file => FileName(file.Path), StringComparer.Ordinal)
            .OrderBy(file => FileName(file.Path), StringComparer.Ordinal);

    private static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string FolderName(string path) => path.LastIndexOf('/') is > 0 and int slash ? FileName(path[..slash]) : "";
}
