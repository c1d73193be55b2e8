using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A name that no unit has.</summary>
internal sealed class UnitMissing() : Rule("PXD025", Severity.Error, "unit that does not exist or is masked", "systemd.socket(5), systemd.unit(5)")
{
    private static readonly string[] s_required = ["Requires", "Requisite", "BindsTo"];

    internal override string Why => "the unit that is to be started does not exist, or is masked";

    internal override string Fix => "correct the name, install the unit, or unmask it (systemctl unmask)";

    internal override string Story => """
        A trio is tied together by names, and systemd looks them up only when they are needed:

          Service= of the socket (or the socket's own name)   the socket can't be started: "Socket service X not loaded, refusing"
          Requires=, BindsTo= of the proxy                    the first client takes the socket down (Result: resources)
          Wants=, Upholds= of the proxy                       nothing is said, and nobody starts the backend
          --backend-unit=                                     proxyd says "there is no unit X", and resets who waits

        A unit that is masked (systemctl mask, a link to /dev/null) is as good as none.

        A template's instance exists when its template does. What is looked at: the units that are checked, and those that systemd finds on this machine.
        """;

    internal override IEnumerable<Finding> Find(CheckInput input)
    {
        // A proxy that is misnamed is nobody's service, so all sockets are looked at; a package's only among proxies.
        foreach (Unit socket in input.Units.Units.Where(unit => unit.Type == UnitType.Socket && (input.Trios.Count > 0 || !unit.IsShipped)))
        {
            string service = UnitSet.ServiceNameOf(socket);
            if (IsMissing(service, input))
                yield return At(socket, socket.Last("Socket", "Service"), $"{service} does not exist or is masked: the socket can't be started either");
        }
        foreach (Trio trio in input.Trios)
        {
            foreach (BackendTie tie in trio.Ties.Where(tie => tie.Unit is null && IsMissing(tie.Name, input)))
                yield return At(tie.Hook ?? trio.Proxy, tie.Setting, $"{tie.Name} does not exist or is masked: {Consequence(tie)}");
        }
    }

    /// <summary>What a name with a variable or a specifier in it comes to, only the manager knows.</summary>
    private static bool IsMissing(string name, CheckInput input) => new UnitName(name).IsKnown && !input.Exists(name);

    private static string Consequence(BackendTie tie) =>
        tie.Kind == TieKind.BackendUnit ? "every client is reset"
        : tie.Kind == TieKind.Dependency && s_required.Contains(tie.Setting.Item.Name) ? "the first client takes the socket down"
        : "nobody starts the backend";
}

/// <summary>A backend that may only be started as a dependency.</summary>
internal sealed class ManualStartRefused() : TrioRule("PXD031", Severity.Error, "backend that can't be started by name", "systemd.unit(5)")
{
    internal override string Why => "RefuseManualStart= lets the backend be started as a dependency only, and the proxy asks for it by name";

    internal override string Fix => "remove RefuseManualStart= from the backend, or tie it to the proxy with Upholds=";

    internal override string Story => """
        RefuseManualStart=yes makes systemd refuse every start that somebody asks for, systemctl as well as --backend-unit over the bus
        (OnlyByDependency); only dependencies of other units start it. proxyd's log names the setting, and every client is reset.

        It is there to keep hands off units that make no sense alone. A backend that its proxy starts makes sense alone. With Upholds= in
        the proxy's unit and without --backend-unit, systemd starts it as a dependency, and the line may stay.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input) =>
        from tie in trio.Ties
        where IsByName(tie)
        let backend = tie.Unit
        where backend is not null && backend.IsTrue("Unit", "RefuseManualStart")
        select At(backend, backend.Last("Unit", "RefuseManualStart"));

    /// <summary>By proxyd over the bus, or by a systemctl in a command line.</summary>
    private static bool IsByName(BackendTie tie) =>
        tie.Kind is TieKind.BackendUnit or TieKind.Systemctl || tie.Setting.Item.Name.StartsWith("Exec", StringComparison.Ordinal);
}
