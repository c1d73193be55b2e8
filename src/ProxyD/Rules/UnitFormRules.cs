using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A setting that systemd never reads where it stands.</summary>
internal sealed class SettingMisplaced() : TrioRule("PXD036", Severity.Warning, "setting in a section where systemd ignores it", "systemd.unit(5)")
{
    private static readonly string[] s_ofUnit =
    [
        "StartLimitIntervalSec", "StopWhenUnneeded", "RefuseManualStart", "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "After", "Before",
        "Conflicts", "JoinsNamespaceOf",
    ];

    private static readonly string[] s_ofService = ["Type", "Restart", "RestartSec", "ExecStart", "RemainAfterExit", "TimeoutStartSec"];

    private static readonly string[] s_ofSocket = ["ListenStream", "Accept", "BindIPv6Only", "DeferAcceptSec"];

    private static readonly string[] s_ofInstall = ["WantedBy", "RequiredBy", "UpheldBy"];

    private static readonly (string Section, string[] Keys)[] s_homes =
        [("Unit", s_ofUnit), ("Service", s_ofService), ("Socket", s_ofSocket), ("Install", s_ofInstall)];

    internal override string Why => "systemd ignores it there, and says so in the journal only";

    internal override string Fix => "move it into its own section";

    internal override string Story => """
        Each setting belongs to a section. In another one systemd logs "Unknown key name" (systemd-analyze verify prints it) and goes on
        without it, so that the unit looks as if it had what it has not.

        The one that costs most is StartLimitIntervalSec=0 in [Service]: it belongs into [Unit] since systemd 230. Only the old names, StartLimitInterval=
        and StartLimitBurst=, are still read in [Service]. Without it the sixth start within ten seconds fails, and with it the public socket.

        Looked at are the settings that make a trio: ties and limits ([Unit]), how a service starts and starts again ([Service]), where a socket
        listens ([Socket]), and what enables a unit ([Install]).
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input) =>
        from unit in trio.Units.DistinctBy(unit => unit.Name)
        where !unit.IsShipped
        from home in s_homes
        from section in s_homes
        where section.Section != home.Section
        from key in home.Keys
        from setting in unit.All(section.Section, key)
        select At(unit, setting, $"{key}= is in [{section.Section}]: {Why}", $"move it into [{home.Section}]");
}

/// <summary>Two units of a trio that can't run at once.</summary>
internal sealed class UnitsExcludeEachOther() : TrioRule("PXD037", Severity.Error, "units of a trio that exclude each other", "systemd.unit(5)")
{
    internal override string Why => "starting one of them stops the other, so that no client is ever served";

    internal override string Fix => "remove it from the line";

    internal override string Story => """
        Conflicts= stops the other unit when this one starts, and this one when the other starts. Socket, proxy and backend have to run together.
        Where the proxy needs the backend (Requires=, BindsTo=) systemd refuses to start the proxy at all, because the two jobs contradict each other; where it
        only wants it (Wants=, Upholds=) systemd drops the backend, and the proxy has nobody to connect to. With --backend-unit= each start of the
        backend ends the proxy that asked for it.

        The line is often what is left of a time when the proxy's name was the daemon's own.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        Unit[] units = [.. trio.Units.DistinctBy(unit => unit.Name)];
        return from unit in units
               from other in units
               where unit != other && (unit.Name == trio.Proxy.Name || other.Name == trio.Proxy.Name)
               let line = unit.Names(other.Name, "Conflicts")
               where line is not null
               select At(unit, line, $"Conflicts={other.Name}: {Why}");
    }
}
