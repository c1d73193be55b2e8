using System.Globalization;
using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>Tells which units belong together: socket → proxy → hook → backend.</summary>
/// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
internal sealed class TrioFinder(UnitSet units, Func<string, string?> script)
{
    private const int HttpPort = 80;

    /// <summary>Dependencies that start the other unit, or need it to run.</summary>
    private static readonly string[] s_ties = ["BindsTo", "Requires", "Requisite", "Upholds", "Wants"];

    /// <summary>Where a guard holds the proxy's start back.</summary>
    private static readonly string[] s_ofProxy = ["ExecStartPre", "ExecStart"], s_ofBackend = ["ExecStartPost"],
        s_ofHook = ["ExecStartPre", "ExecStart", "ExecStartPost"];

    /// <summary>Programs that have another daemon run a container, and the words for that.</summary>
    private static readonly string[] s_engines = ["docker", "docker-compose", "podman", "podman-compose", "nerdctl", "incus", "lxc"],
        s_containerVerbs = ["up", "run", "start"];

    private static readonly string[] s_startVerbs = ["start", "restart", "try-restart", "reload-or-restart", "isolate"];

    internal IReadOnlyList<Trio> Find() =>
    [
        .. units.Units.Where(unit => unit.Type == UnitType.Service)
            .Select(unit => (Unit: unit, Command: ProxyCommand.Of(unit, script)))
            .Where(proxy => proxy.Command is not null)
            .Select(proxy => Make(proxy.Unit, proxy.Command!)),
    ];

    /// <summary>Names of the units that a unit brings with it: a socket's service, what a service depends on or starts.</summary>
    internal IEnumerable<string> NamedBy(Unit unit) =>
        unit.Type == UnitType.Socket ? [UnitSet.ServiceNameOf(unit)]
        : unit.Type == UnitType.Service ? Named(unit).Distinct(StringComparer.Ordinal)
        : [];

    private IEnumerable<string> Named(Unit service) =>
        Dependencies(service, TieKind.Dependency, null).Concat(Started(service, s_ofHook, TieKind.Systemctl, null))
            .Select(tie => tie.Name)
            .Concat(service.List("Service", "Sockets").Select(entry => entry.Word))
            .Concat(ProxyCommand.Of(service, script)?.Options.BackendUnit is { } backend ? [backend] : []);

    private Trio Make(Unit proxy, ProxyCommand command)
    {
        List<BackendTie> ties = [.. Direct(proxy, command)];
        // What proxyd itself starts is what it waits for, whatever its type.
        string? named = ties.Find(tie => tie.Kind == TieKind.BackendUnit)?.Unit?.Name;
        List<Unit> hooks =
        [
            .. ties.Select(tie => tie.Unit).OfType<Unit>().Where(unit => unit.Name != named && IsHook(unit, command)).DistinctBy(unit => unit.Name),
        ];
        ties.RemoveAll(tie => hooks.Exists(hook => hook.Name == tie.Unit?.Name));
        ties.AddRange(hooks.SelectMany(BehindHook));
        ties = Narrow(ties, command);
        GuardSite[] waits =
        [
            .. GuardSite.In(proxy, s_ofProxy, script), .. hooks.SelectMany(hook => GuardSite.In(hook, s_ofHook, script)),
            .. ties.Select(tie => tie.Unit).OfType<Unit>().SelectMany(backend => GuardSite.In(backend, s_ofBackend, script)),
        ];
        // Where a wrapper's proxy goes may stand in the wrapper's own variables.
        IEnumerable<ProxyOptions> played = waits.Select(site => site.Reading.Proxy).OfType<IReadOnlyList<string>>()
            .Select(words => new ProxyOptions([.. words.Skip(1)]));
        IEnumerable<string> addresses = played.Prepend(command.Options).SelectMany(MarksOf);
        string[] marks = [.. addresses, .. ties.Select(tie => tie.Name), .. ties.Select(tie => tie.Unit).OfType<Unit>().Select(unit => unit.Name)];
        return new(proxy, command, [.. units.SocketsOf(proxy)], hooks, ties, [.. waits.Where(site => site.Concerns(marks))], waits.Length > 0);
    }

    private IEnumerable<BackendTie> Direct(Unit proxy, ProxyCommand command)
    {
        if (command.Options.BackendUnit is { } named)
            yield return new(named, units.Find(named), TieKind.BackendUnit, command.Setting);
        foreach (BackendTie tie in Dependencies(proxy, TieKind.Dependency, null))
            yield return tie;
        foreach (BackendTie tie in Started(proxy, ["ExecStartPre", "ExecStart"], TieKind.Systemctl, null))
            yield return tie;
    }

    private IEnumerable<BackendTie> BehindHook(Unit hook) =>
        Dependencies(hook, TieKind.Hook, hook).Concat(Started(hook, s_ofHook, TieKind.Hook, hook))
            .Where(tie => tie.Unit is null || !IsOneShot(tie.Unit));

    private IEnumerable<BackendTie> Dependencies(Unit unit, TieKind kind, Unit? hook) =>
        s_ties.SelectMany(key => unit.List("Unit", key))
            .Where(entry => UnitName.TypeOf(entry.Word) == UnitType.Service && entry.Word != unit.Name)
            .Select(entry => new BackendTie(entry.Word, units.Find(entry.Word), kind, entry.Setting, hook))
            .Where(tie => tie.Unit is null || ProxyCommand.Of(tie.Unit, script) is null);

    /// <summary>Units that a command line starts with systemctl(1).</summary>
    private IEnumerable<BackendTie> Started(Unit unit, string[] keys, TieKind kind, Unit? hook)
    {
        foreach ((ExecCommand command, Setting setting) in keys.SelectMany(unit.Commands))
        {
            string text = ShellText.Of(command, script, out _) ?? ExecLine.Join(command.Words);
            foreach (string[] words in ShellText.Commands(text).Select(shell => shell.Words.ToArray()))
            {
                int verb = Array.FindIndex(words, s_startVerbs.Contains);
                if (verb < 1 || !words[0].EndsWith("systemctl", StringComparison.Ordinal))
                    continue;
                foreach (string word in words.Skip(verb + 1).Where(word => word is not ("" or ['-' or '$' or '>', ..])))
                {
                    string name = UnitName.TypeOf(word) == UnitType.Unknown ? word + ".service" : word;
                    if (UnitName.TypeOf(name) == UnitType.Service)
                        yield return new(name, units.Find(name), kind, setting, hook);
                }
            }
        }
    }

    /// <summary>Of several candidates, those that plainly listen where the proxy goes; if none does, all.</summary>
    private static List<BackendTie> Narrow(List<BackendTie> ties, ProxyCommand command)
    {
        List<BackendTie> named = ties.FindAll(tie => tie.Kind == TieKind.BackendUnit);
        if (named.Count > 0)
            return named;
        List<BackendTie> listening = ties.FindAll(tie => IsPlain(tie, command));
        return [.. (listening.Count > 0 ? listening : ties).DistinctBy(tie => tie.Name)];
    }

    private static bool IsPlain(BackendTie tie, ProxyCommand command) =>
        tie.Unit is not null && command.Options.Addresses.Any(address => Listening.Names(tie.Unit, address));

    /// <summary>A oneshot unit between proxy and backend. One that stays active over containers is the backend itself, unless it leads to a service
    /// that plainly listens where the proxy goes.</summary>
    private bool IsHook(Unit unit, ProxyCommand command) =>
        IsOneShot(unit) && (!RunsContainers(unit) || BehindHook(unit).Any(tie => IsPlain(tie, command)));

    private static bool IsOneShot(Unit unit) => unit.Last("Service", "Type")?.Value == "oneshot";

    /// <summary>docker compose up -d and its like: the daemon is no process of the unit's, and the unit stands for it all the same.</summary>
    private bool RunsContainers(Unit unit) =>
        unit.IsTrue("Service", "RemainAfterExit")
        && unit.Commands("ExecStart").SelectMany(entry => ShellText.Commands(ShellText.Of(entry.Command, script, out _) ?? ExecLine.Join(entry.Command.Words)))
            .Any(shell => shell.Words is [var program, ..] && s_engines.Contains(program[(program.LastIndexOf('/') + 1)..])
                && shell.Words.Any(s_containerVerbs.Contains));

    /// <summary>What a guard would name: port, path, or the instance that stands for either.</summary>
    private static IEnumerable<string> MarksOf(ProxyOptions options)
    {
        foreach (Interop.Address address in options.Addresses)
        {
            yield return address.Port > 0 ? address.Port.ToString(CultureInfo.InvariantCulture) : address.Path ?? address.Text;
            // The port that a URL need not name.
            if (address.Port == HttpPort)
                yield return "http://" + address.Text.Split(':')[0];
        }
        if (options.Destinations.Any(text => text.Contains("%i", StringComparison.OrdinalIgnoreCase)))
            yield return "%i";
    }
}
