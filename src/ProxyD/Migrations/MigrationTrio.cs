using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>A socket, the proxy behind it, and what the proxy is tied to: read, not yet judged.</summary>
internal sealed class MigrationTrio
{
    /// <summary>Ties by which starting the proxy starts another unit.</summary>
    internal static readonly string[] StartingTies = ["Requires", "BindsTo", "Wants", "Upholds", "Requisite"];

    /// <summary>Stands in for the percent sign of a specifier that only systemd can fill in.</summary>
    private const char Kept = '\uE005';

    private static readonly string[] s_preparing = ["ExecCondition", "ExecStartPre"];

    private readonly UnitSet _units;
    private readonly Func<string, string?> _scriptOf;

    /// <param name="socket">The socket to begin with.</param>
    /// <param name="units">All that was read.</param>
    /// <param name="scriptOf">The text of a script by its path.</param>
    /// <exception cref="NotUnderstoodException">It is no proxy's socket, or something in it is not understood.</exception>
    internal MigrationTrio(Unit socket, UnitSet units, Func<string, string?> scriptOf)
    {
        _units = units;
        _scriptOf = scriptOf;
        Service = units.ServiceOf(socket) ?? throw new NotUnderstoodException($"{socket.Name} starts {UnitSet.ServiceNameOf(socket)}, which is not there");
        Sockets = [socket, .. units.SocketsOf(Service).Where(other => other.Name != socket.Name)];
        ExecStart = Service.Commands("ExecStart").ToList() is [var only]
            ? only
            : throw new NotUnderstoodException($"{Service.Name} has no or several commands in ExecStart=; expected one, the proxy's");
        Main = Array.FindIndex([.. ExecStart.Command.Words], GuardCommands.IsProxy) >= 0 && !IsShell(ExecStart.Command)
            ? new(ReadingKind.None, null, null) { Proxy = ProxyWords([.. ExecStart.Command.Words]), IsExec = true }
            : GuardReader.ReadCommand(ExecStart.Command, scriptOf, UnitEnvironment.Of(Service, scriptOf));
        if (Main.Proxy is null)
        {
            string why = Main.Other is null ? "" : $" that can be seen ({Main.Other})";
            throw new NotUnderstoodException($"{Where(ExecStart.Setting)}: {Service.Name} runs no proxy{why}");
        }
        if (Main.Other is { } other)
        {
            string besides = other[0] == '$' ? "" : "besides the proxy, ";
            throw new NotUnderstoodException($"{Where(ExecStart.Setting)}: {besides}{other}; that can't be taken over");
        }
        Options = new([.. Main.Proxy.Skip(1).Select(word => UnitEnvironment.Filled(word, UnitEnvironment.Of(Service, scriptOf)))]);
        if (Options.Destinations.Count == 0)
            throw new NotUnderstoodException($"{Where(ExecStart.Setting)}: the proxy's destination is not understood");
        Tied = [.. Tie(Service).Distinct().Select(units.Find).OfType<Unit>().Where(unit => unit.Name != Service.Name)];
        Hooks = [.. Tied.Where(IsHook)];
        Guards = [.. FindGuards()];
    }

    internal IReadOnlyList<Unit> Sockets { get; }

    internal Unit Service { get; }

    internal (ExecCommand Command, Setting Setting) ExecStart { get; }

    /// <summary>What ExecStart= runs: the proxy, alone or in a wrapper that may hold a guard.</summary>
    internal GuardReading Main { get; }

    /// <summary>The proxy's command line, variables filled in.</summary>
    internal ProxyOptions Options { get; }

    /// <summary>The services that the proxy names.</summary>
    internal IReadOnlyList<Unit> Tied { get; }

    /// <summary>Those among them that only start or wait for others.</summary>
    internal IReadOnlyList<Unit> Hooks { get; }

    /// <summary>All waits for the backend, in the proxy, in hooks and in backends.</summary>
    internal IReadOnlyList<GuardSite> Guards { get; }

    /// <summary>What else runs before the proxy: neither waits nor starts a unit, as far as that can be told.</summary>
    internal IEnumerable<GuardSite> Preparations => s_preparing.SelectMany(key => Read(Service, key))
        .Where(site => site.Reading is { Kind: ReadingKind.None, Starts.Count: 0 });

    /// <summary>The proxy is a wrapper's, or a shell's.</summary>
    internal bool IsWrapped => IsShell(ExecStart.Command) || !ExecStart.Command.Words.Any(GuardCommands.IsProxy);

    /// <summary>The words of the proxy's command as its unit may have them: what a wrapper or a shell makes of them, with specifiers left to systemd.</summary>
    internal IReadOnlyList<string> Written
    {
        get
        {
            string asWritten = ExecStart.Setting.Item.Value;
            if (!IsWrapped)
                return [.. ExecLine.Parse(asWritten)[0].Words];
            string value = Specifiers.Expand(asWritten, Service.Parts, Service.IsUser, Kept);
            GuardReading reading = GuardReader.ReadCommand(ExecLine.Parse(value)[0], _scriptOf, UnitEnvironment.Of(Service, _scriptOf, Kept));
            return [.. (reading.Proxy ?? Main.Proxy!).Select(word => word.Replace("%", "%%", StringComparison.Ordinal).Replace(Kept, '%'))];
        }
    }

    /// <summary>The special characters before the proxy's program; another name (<c>@</c>) is none of <see cref="Written"/>.</summary>
    internal string Prefixes => ExecStart.Command.Prefixes.Replace("@", "", StringComparison.Ordinal);

    internal bool IsProxydAlready => GuardCommands.NameOf(Main.Proxy![0]) == "proxyd";

    /// <summary>The units that are to be there when the proxy serves: what hooks, commands and wrappers start, and what is tied and no hook.</summary>
    internal IReadOnlyList<string> Backends =>
    [
        .. Hooks.SelectMany(StartedBy).Concat(Hooks.SelectMany(Tie)).Concat(Main.Starts).Concat(StartedBy(Service))
            .Concat(Tied.Where(unit => !IsAmong(Hooks, unit)).Select(unit => unit.Name)).Distinct(),
    ];

    internal static string Where(Setting setting) => $"{setting.Path}:{setting.Line}";

    /// <summary>The commands of a unit's line of that key, each with its reading.</summary>
    internal IEnumerable<GuardSite> Read(Unit unit, string key) => unit.All("Service", key)
        .Select(setting => new GuardSite(unit, setting, key, GuardReader.ReadExec(setting.Value, _scriptOf, UnitEnvironment.Of(unit, _scriptOf))));

    /// <summary>What a unit's commands have systemctl start.</summary>
    internal IEnumerable<string> StartedBy(Unit unit) =>
        ((string[])["ExecStartPre", "ExecStart", "ExecStartPost"]).SelectMany(key => Read(unit, key)).SelectMany(site => site.Reading.Starts).Distinct();

    /// <summary>The services that start with a unit.</summary>
    private static IEnumerable<string> Tie(Unit unit) =>
        StartingTies.SelectMany(key => unit.List("Unit", key)).Select(entry => entry.Word).Where(name => UnitName.TypeOf(name) == UnitType.Service);

    /// <summary>A service as read, by its name.</summary>
    internal Unit? Find(string name) => _units.Find(name);

    /// <summary>Units other than these that name a unit.</summary>
    internal IEnumerable<string> OthersNaming(string name, IEnumerable<Unit> except) =>
        from unit in _units.Units.ExceptBy(except.Select(unit => unit.Name), unit => unit.Name)
        where unit.Sources.SelectMany(source => source.Assignments)
            .Any(assignment => assignment.Section == "Unit" && Words.Split(assignment.Item.Value, keepsEscapes: true).Contains(name))
        select unit.Name;

    /// <summary>Services that wait for a unit of the trio and belong to another: a proxyd among them waits for the backend by itself.</summary>
    internal IEnumerable<string> OthersAfter(Unit unit) =>
        from other in _units.Units.Except([unit, Service, .. Hooks])
        where other.Type == UnitType.Service && other.Names(unit.Name, "After") is not null
            && ProxyCommand.Of(other, _scriptOf)?.Kind != ProxyKind.Proxyd
        select other.Name;

    private static bool IsAmong(IEnumerable<Unit> units, Unit unit) => units.Any(other => other.Name == unit.Name);

    private static bool IsShell(ExecCommand command) => command.FileName is "sh" or "bash" or "dash" or "ash";

    private static List<string> ProxyWords(List<string> words) => words[words.FindIndex(GuardCommands.IsProxy)..];

    /// <summary>It ends when it has done its work, and its work is to start or to wait.</summary>
    private bool IsHook(Unit unit)
    {
        bool isOneShot = unit.Last("Service", "Type")?.Value == "oneshot";
        bool starts = StartedBy(unit).Any();
        bool waits = ((string[])["ExecStart", "ExecStartPost", "ExecStartPre"]).SelectMany(key => Read(unit, key))
            .Any(site => site.Reading.Kind != ReadingKind.None);
        return isOneShot && (starts || waits);
    }

    private IEnumerable<GuardSite> FindGuards()
    {
        IEnumerable<GuardSite> all = s_preparing.SelectMany(key => Read(Service, key)).Concat(Read(Service, "ExecStartPost"))
            .Concat(Hooks.SelectMany(hook => ((string[])["ExecStartPre", "ExecStart", "ExecStartPost"]).SelectMany(key => Read(hook, key))))
            .Concat(Backends.Select(Find).OfType<Unit>().Where(unit => !IsAmong(Hooks, unit)).SelectMany(backend => Read(backend, "ExecStartPost")));
        if (Main.Kind == ReadingKind.Guard)
            yield return new(Service, ExecStart.Setting, "ExecStart", Main);
        foreach (GuardSite site in all)
        {
            if (site.Reading.Kind == ReadingKind.Unclear)
            {
                throw new NotUnderstoodException($"{Where(site.Setting)}: {site.Key}= of {site.Unit.Name} waits for something, and {site.Reading.Other};"
                    + " that can't be taken over");
            }
            if (site.Reading.Kind == ReadingKind.Guard)
                yield return site;
        }
    }
}
