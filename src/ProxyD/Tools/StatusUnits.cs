using ProxyD.Machine;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>A service that runs proxyd, as systemd knows it.</summary>
internal sealed record ProxyUnit
{
    /// <summary>The service's unit; the path that was given when it was a path.</summary>
    public required string Name { get; init; }

    /// <summary>systemd's word for it: "active", "inactive", "failed", …; empty when systemd was not asked.</summary>
    public string State { get; init; } = "";

    /// <summary>What it has told systemd (STATUS=).</summary>
    public string Status { get; init; } = "";

    /// <summary>Where to ask it; null when it has no runtime directory.</summary>
    public string? ControlPath { get; init; }

    /// <summary>The sockets that start it, each with its state: "web.socket is active".</summary>
    public IReadOnlyList<(string Name, string State)> Sockets { get; init; } = [];

    /// <summary>It runs, as far as systemd knows.</summary>
    internal bool Runs => State is not ("inactive" or "failed");

    /// <summary>It does not run and need not: the next client starts it.</summary>
    internal bool Sleeps => State == "inactive" && Sockets.Count > 0 && Sockets.All(socket => socket.State == "active");
}

/// <summary>Finds the services that run proxyd, and their control sockets.</summary>
/// <param name="systemctl">Of the manager whose units they are.</param>
/// <param name="runtimeFolder">Where its units' runtime directories are: /run, or $XDG_RUNTIME_DIR (systemd.exec(5), RuntimeDirectory=).</param>
internal sealed class StatusUnits(Systemctl systemctl, string runtimeFolder)
{
    private static readonly string[] s_properties =
        ["Id", "LoadState", "ActiveState", "ExecStart", "RuntimeDirectory", "TriggeredBy", "Triggers", "StatusText"];

    /// <summary>Every loaded service whose ExecStart= is a program called proxyd, running or not, by name.</summary>
    internal List<ProxyUnit> All()
    {
        List<Dictionary<string, string>> units = systemctl.ShowEach(["*.service", "*.socket"], s_properties);
        return
        [
            .. units.Where(unit => RunsProxyd(unit.GetValueOrDefault("ExecStart", "")))
                .Select(unit => ToProxy(unit, units, runtimeFolder))
                .OrderBy(proxy => proxy.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>One of them, whatever its program is called.</summary>
    /// <param name="name">NAME or NAME.service, or the NAME.socket that starts it; a path is that of a control socket or of its directory.</param>
    /// <exception cref="ToolException">There is no such unit.</exception>
    internal ProxyUnit Find(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal))
            return new() { Name = name, ControlPath = Directory.Exists(name) ? Path.Combine(name, StatusClient.FileName) : name };
        UnitName full = new(UnitName.TypeOf(name) == UnitType.Unknown ? name + ".service" : name);
        if (full.IsTemplate)
            throw new ToolException($"{full.Full} is a template, and only its instances run; expected the name of one, such as {full.With("1")}");
        string asked = name;
        if (name.EndsWith(".socket", StringComparison.Ordinal))
            asked = ServiceOf(name);
        else if (!name.EndsWith(".service", StringComparison.Ordinal))
            asked = Show(name + ".service")["LoadState"] == "not-found" && Show(name + ".socket")["LoadState"] != "not-found"
                ? ServiceOf(name + ".socket")
                : name + ".service";
        Dictionary<string, string> service = Show(asked);
        if (service["LoadState"] != "loaded")
            throw new ToolException($"there is no unit {asked} ({service["LoadState"]}); expected the name of a service that runs proxyd, or of its socket");
        if (!RunsProxyd(service.GetValueOrDefault("ExecStart", "")) && !MayRunProxyd(service))
            throw new ToolException($"{asked} is no proxyd; expected one in its ExecStart=, or RuntimeDirectory= where a script starts it");
        string[] sockets = service.GetValueOrDefault("TriggeredBy", "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return ToProxy(service, sockets.Length > 0 ? systemctl.ShowEach(sockets, s_properties) : [], runtimeFolder);
    }

    /// <summary>Whether a script of it may start one: while it runs, its control socket tells; before, the script itself, as far as check reads it.</summary>
    private bool MayRunProxyd(Dictionary<string, string> service)
    {
        if (service.GetValueOrDefault("RuntimeDirectory", "").Length == 0)
            return false;
        UnitLoader loader = new(systemctl.IsUser);
        return service.GetValueOrDefault("ActiveState") != "inactive"
            || (loader.Load(service["Id"]) is { } unit && ProxyCommand.Of(unit, loader.Script) is not null);
    }

    /// <summary>Whether a command is proxyd, by <c>systemctl show</c>'s way to print it: <c>{ path=/usr/bin/proxyd ; argv[]=… }</c>.</summary>
    internal static bool RunsProxyd(string execStart) =>
        execStart.Split('\n').Any(command =>
            command.Split("path=", 2) is [_, var rest] && Path.GetFileName(rest.Split(" ;", 2)[0]) == "proxyd");

    /// <param name="unit">Its properties.</param>
    /// <param name="others">Those of units among which its sockets are.</param>
    /// <param name="runtimeFolder">Where its runtime directory is.</param>
    internal static ProxyUnit ToProxy(Dictionary<string, string> unit, List<Dictionary<string, string>> others, string runtimeFolder)
    {
        string[] triggers = unit.GetValueOrDefault("TriggeredBy", "").Split(' ');
        string directory = unit.GetValueOrDefault("RuntimeDirectory", "").Split(' ')[0];
        return new()
        {
            Name = unit["Id"],
            State = unit.GetValueOrDefault("ActiveState", ""),
            Status = StatusClient.Clean(unit.GetValueOrDefault("StatusText", "")),
            ControlPath = directory.Length > 0 ? Path.Combine(runtimeFolder, directory, StatusClient.FileName) : null,
            Sockets =
            [
                .. others.Where(other => other["Id"].EndsWith(".socket", StringComparison.Ordinal) && triggers.Contains(other["Id"]))
                    .Select(other => (other["Id"], other.GetValueOrDefault("ActiveState", ""))),
            ],
        };
    }

    private Dictionary<string, string> Show(string unit) => systemctl.Show(unit, s_properties);

    private string ServiceOf(string socket) => Show(socket).GetValueOrDefault("Triggers", "") is { Length: > 0 } service
        ? service.Split(' ')[0]
        : throw new ToolException($"{socket} starts no service (there is no such unit, or it has Accept=yes); expected the socket of a proxyd");
}
