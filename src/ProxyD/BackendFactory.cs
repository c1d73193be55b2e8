using Microsoft.Extensions.Logging;
using ProxyD.Backend;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>Makes the backends that the options ask for.</summary>
internal static class BackendFactory
{
    /// <summary>One for each destination, in order. What starts a backend, asks it, or puts it to sleep is there for a single one only.</summary>
    internal static Backend.Backend[] Create(RunOptions options, RelayServer relay, ControlQueue control, ILogger log) =>
    [
        .. options.Destinations.Select((destination, service) =>
        {
            IActivator activator = Activator(options, control);
            RelayGate gate = new(relay, service, control);
            return new Backend.Backend(destination.Address, activator, gate, control, Probe(options, destination, activator), Sleep(options), log);
        }),
    ];

    private static IActivator Activator(RunOptions options, ControlQueue control) => options switch
    {
        { Exec: { } command } => new ChildProcess(command, control.Post),
        { BackendUnit: { } unit } => new SystemdUnit(unit, options.IsUserUnit, thawsAtFirst: options.IdleFreeze is not null, control.Post),
        _ => new NoActivator(),
    };

    private static SleepRule? Sleep(RunOptions options) => options switch
    {
        { IdleStop: { } time } => new(SleepKind.Stop, time, options.IdleByBytes, options.BackendMinUp),
        { IdleFreeze: { } time } => new(SleepKind.Freeze, time, options.IdleByBytes, options.BackendMinUp),
        _ => null,
    };

    private static IReadinessProbe? Probe(RunOptions options, Destination destination, IActivator activator) => options.Ready switch
    {
        null => null,
        { Kind: ReadyKind.Http } http => new HttpProbe(destination.Address, http.Text, http.Statuses),
        { Kind: ReadyKind.Command } command => new CommandProbe(command.Text),
        _ => new UnitProbe(activator),
    };
}
