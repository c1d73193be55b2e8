using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>What a target of migrate comes to.</summary>
/// <param name="Name">The unit it is about.</param>
/// <param name="Proposal">What would change; null when nothing can be proposed.</param>
/// <param name="Problem">The one line that says why not; null when there is a proposal.</param>
internal sealed record MigrateTarget(string Name, Migration? Proposal, string? Problem);

/// <summary>Reads the units of a target, and has a migration proposed for each trio or service in it.</summary>
/// <param name="wishes">What is asked for; where its files go is filled in here.</param>
internal sealed class MigrateTargets(MigrationWishes wishes)
{
    private static readonly string[] s_generated = ["/run/systemd/generator", "/run/systemd/transient/", "/run/user/"];

    private static readonly string[] s_packages =
        ["/usr/lib/systemd/", "/lib/systemd/", "/usr/share/systemd/", "/usr/local/lib/systemd/", "/usr/local/share/systemd/"];

    private static readonly string[] s_adminFolders = ["/etc/systemd/system", "/etc/systemd/user"];

    private readonly UnitLoader _loader = new(wishes.IsUser, readsTies: false);
    private readonly Systemctl _systemctl = new(wishes.IsUser);
    /// <summary>The numbers in what other targets are to become, by their names: ports that are as good as taken.</summary>
    private readonly Dictionary<string, HashSet<int>> _promised = new(StringComparer.Ordinal);

    private UnitSet _units = new([]);
    private MigrationWishes _wishes = wishes;

    /// <summary>All units that were read.</summary>
    internal UnitSet Units => _units;

    internal MigrationWishes Wishes => _wishes;

    /// <summary>The text of a script by its path.</summary>
    internal string? Script(string path) => _loader.Script(path);

    internal bool Exists(string unit) => _loader.Exists(unit);

    /// <summary>Where the administrator's own units are; a user's below its home (systemd.unit(5)).</summary>
    internal static string AdminFolder(bool isUser)
    {
        if (!isUser)
            return s_adminFolders[0];
        string config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is ['/', ..] set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return Path.Combine(config, "systemd/user");
    }

    /// <summary>Where the records of a target's migrations are, and which unit's they are; an empty name for all of a folder.</summary>
    /// <remarks>Read as <see cref="Propose(string)"/> does; the files themselves may be gone, or be called otherwise now.</remarks>
    internal static (string Folder, string Unit) Home(string target, bool isUser)
    {
        if (!IsPath(target))
            return (AdminFolder(isUser), target);
        string path = Path.GetFullPath(target);
        return Directory.Exists(path) ? (path.TrimEnd('/'), "") : (Path.GetDirectoryName(path)!, Path.GetFileName(path));
    }

    /// <param name="target">A unit's name, a unit file or a folder.</param>
    /// <exception cref="ToolException">There is no such thing, or it can't be read.</exception>
    internal IReadOnlyList<MigrateTarget> Propose(string target)
    {
        IReadOnlyList<Unit> begins = IsPath(target) ? FromPath(Path.GetFullPath(target)) : ByName(target);
        return [.. begins.Select(Propose)];
    }

    /// <summary>One of a folder's targets, from the files as they are now.</summary>
    /// <param name="folder">What <see cref="Propose(string)"/> was given.</param>
    /// <param name="name">One of those that it found.</param>
    /// <exception cref="ToolException">The folder can't be read.</exception>
    internal MigrateTarget Propose(string folder, string name)
    {
        Read(Path.GetFullPath(folder).TrimEnd('/'));
        return _units.Find(name) is { } unit ? Propose(unit) : new(name, null, $"{name} is not there any more");
    }

    private static bool IsPath(string target) =>
        target.Contains('/', StringComparison.Ordinal) || (UnitName.TypeOf(target) == UnitType.Unknown && Directory.Exists(target));

    private List<Unit> ByName(string target)
    {
        string[] names = UnitName.TypeOf(target) != UnitType.Unknown ? [target] : [$"{target}.socket", $"{target}.service"];
        _wishes = _wishes with { UnitFolder = AdminFolder(_wishes.IsUser) };
        string name = Array.Find(names, name => Load(name) is not null)
            ?? throw new ToolException($"there is no unit {names[^1]}; expected a unit's name, a unit file or a folder of unit files");
        UnitSet trio = _loader.LoadWithRelated([name], out _);
        string[] others = [.. trio.Units.SelectMany(NamedBy).Distinct().Where(other => trio.Find(other) is null)];
        _units = AsTemplates([.. trio.Units, .. others.Select(_loader.Load).OfType<Unit>()]);
        Unit unit = _units.Find(Templated(name))!;
        string? made = unit.Sources.Select(source => source.Path)
            .FirstOrDefault(path => s_generated.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)));
        if (made is not null)
            throw new ToolException($"{made} is made by a generator at each boot; expected a unit that is written in a file");
        return [Begin(unit)];
    }

    /// <summary>The services that the manager knows to name a service: what they rely on must not go.</summary>
    private IEnumerable<string> NamedBy(Unit unit)
    {
        if (unit.Type != UnitType.Service || new UnitName(unit.Name).IsTemplate)
            return [];
        return _systemctl.Show(unit.Name, [.. PlainTies.Properties]).Values.SelectMany(shown => Words.Split(shown, keepsEscapes: true))
            .Where(name => UnitName.TypeOf(name) == UnitType.Service);
    }

    /// <summary>A service that a socket starts is seen from its socket.</summary>
    private Unit Begin(Unit unit) => unit.Type == UnitType.Service && _units.SocketsOf(unit).FirstOrDefault() is { } socket && IsProxy(unit) ? socket : unit;

    private List<Unit> FromPath(string path)
    {
        bool isFolder = Directory.Exists(path);
        string folder = isFolder ? path.TrimEnd('/') : Path.GetDirectoryName(path)!;
        if (!Path.Exists(path))
            throw new ToolException($"{path} does not exist; expected a unit's name, a unit file or a folder of unit files");
        Read(folder, isFolder ? null : Path.GetFileName(path));
        if (!isFolder)
        {
            Unit? unit = _units.Find(UnitFolders.UnitBehind(path) ?? Path.GetFileName(path));
            return [Begin(unit ?? throw new ToolException($"{path} is no unit file; expected one, or a folder of them"))];
        }
        List<Unit> all =
        [
            .. _units.Units.Where(unit => unit.Type == UnitType.Socket && _units.ServiceOf(unit) is not null)
                .DistinctBy(socket => _units.ServiceOf(socket)!.Name),
        ];
        List<Unit> sockets = all.FindAll(socket => IsProxy(_units.ServiceOf(socket)!));
        // Why none of them is one, each says itself.
        sockets = sockets.Count > 0 || !_wishes.IsFolderOnly ? sockets : all;
        List<Unit> services = [.. _units.Units.Where(unit => unit.Last("Service", "Restart")?.Value is "always" or "on-success")];
        List<Unit> found = sockets.Count > 0 ? sockets : services;
        return found.Count > 0
            ? found
            : throw new ToolException($"{path} holds no socket that starts a proxy, and no service with Restart=always; expected one of them");
    }

    /// <param name="unit">The only one that is asked for; null for all.</param>
    private void Read(string folder, string? unit = null)
    {
        bool isManagers = folder == AdminFolder(_wishes.IsUser) || s_adminFolders.Contains(folder);
        _wishes = _wishes with { UnitFolder = folder, IsFolderOnly = !isManagers };
        IReadOnlyList<UnitFile> files = unit is null ? UnitFolderFiles.Read(folder) : UnitFolderFiles.ReadFor(folder, unit, _wishes.IsUser, _loader.Script);
        _units = isManagers ? _loader.Complete(files) : UnitSet.FromFiles(files, _wishes.IsUser);
    }

    private MigrateTarget Propose(Unit begin)
    {
        try
        {
            MigrationFiles files = new(_wishes.UnitFolder, IsForeign);
            Migration made = begin.Type == UnitType.Socket ? OfTrio(begin, files) : OfService(begin, files);
            RefuseLinks(made);
            IEnumerable<string> texts = made.Files.Select(file => file.After).OfType<byte[]>().Select(bytes => UnitText.Decode(bytes).Text);
            _promised[begin.Name] = [.. texts.SelectMany(PortText.Numbers)];
            return new(begin.Name, made, null);
        }
        catch (NotUnderstoodException e)
        {
            return new(begin.Name, null, e.Message);
        }
    }

    /// <summary>systemctl disable takes away the link by which a unit file of another folder is known; then nothing is left to go back to.</summary>
    private void RefuseLinks(Migration made)
    {
        if (_wishes.IsFolderOnly)
            return;
        foreach (string path in made.Disables.Select(_units.Find).OfType<Unit>().Select(unit => unit.Sources[0].Path))
        {
            if (new FileInfo(path).LinkTarget is { } target)
            {
                throw new NotUnderstoodException($"{path} is a link to {target}, and disabling the unit would take it away;"
                    + $" expected a file of its own: systemctl disable it, copy {target} to {path}, and enable it again");
            }
        }
    }

    private Migration OfTrio(Unit socket, MigrationFiles files)
    {
        MigrationTrio trio = new(socket, _units, _loader.Script);
        if (_wishes.PlainOption is { } given)
            throw new NotUnderstoodException($"{given} is about a plain service, and {socket.Name} has a proxy already; expected no {given}");
        MinimalForm minimal = new(trio, _wishes, files);
        // One that owns its backend has the recommended shape.
        return _wishes.IsResident && trio.Options.BackendUnit is null ? new ResidentForm(trio, _wishes, minimal).Build() : minimal.Build();
    }

    private Migration OfService(Unit service, MigrationFiles files)
    {
        if (service.Type != UnitType.Service)
            throw new NotUnderstoodException($"{service.Name} is neither a socket nor a service; expected one of them");
        // A template is no unit that could be asked for; it is refused below.
        Dictionary<string, string> shown = _wishes.IsFolderOnly || service.Parts.IsTemplate
            ? []
            : _systemctl.Show(service.Name, ["MainPID", "ControlGroup", .. PlainTies.Properties]);
        _ = int.TryParse(shown.GetValueOrDefault("MainPID", "0"), out int pid);
        // Backends that sleep listen nowhere; their ports are written in their units, whether these have to do with this one or not.
        Lazy<HashSet<int>> named = new(() => [.. NumbersIn(_wishes.UnitFolder)]);
        string group = shown.GetValueOrDefault("ControlGroup", "");
        IReadOnlyList<string> ports = ListeningPorts.Of(group, pid, out IReadOnlyCollection<int> datagrams, out bool isSeen);
        bool IsTaken(int port) =>
            ListeningPorts.IsTaken(port) || named.Value.Contains(port) || _promised.Any(other => other.Key != service.Name && other.Value.Contains(port));
        PlainService seen = new(ports, IsTaken)
        {
            IsSeen = isSeen,
            DatagramPorts = datagrams,
            IsOwnAddress = _wishes.IsFolderOnly ? null : ListeningPorts.IsOwn,
            FileOf = _loader.Script,
            NamedBy =
            [
                .. PlainTies.Properties.SelectMany(property =>
                    Words.Split(shown.GetValueOrDefault(property, ""), keepsEscapes: true).Select(unit => (property, unit))),
            ],
        };
        return new PlainForm(service, _units, _wishes, seen).Build(files);
    }

    private static IEnumerable<int> NumbersIn(string folder)
    {
        try
        {
            return UnitFolderFiles.ReadableIn(folder, out _).SelectMany(file => file.Assignments).SelectMany(a => PortText.Numbers(a.Item.Value));
        }
        catch (ToolException)
        {
            // A user need not have a folder of units yet.
            return [];
        }
    }

    /// <summary>A folder's own files are changed where they are, and nobody else's; so are the administrator's, but not a package's.</summary>
    private bool IsForeign(string path) => _wishes.IsFolderOnly
        ? !path.StartsWith(_wishes.UnitFolder + "/", StringComparison.Ordinal)
        : s_packages.Any(folder => path.StartsWith(folder, StringComparison.Ordinal));

    private bool IsProxy(Unit service) => ProxyCommand.Of(service, _loader.Script) is not null;

    private Unit? Load(string name) => _loader.Load(new UnitName(name).Loadable);

    private static string Templated(string name) => new UnitName(name).Template ?? name;

    /// <summary>What is changed are the files of templates: their instances are seen as the templates themselves, with their specifiers.</summary>
    private UnitSet AsTemplates(IEnumerable<Unit> units) =>
        new(units.Select(unit => unit.Parts.Template is { } template ? new Unit(template, unit.Sources, _wishes.IsUser) : unit));
}
