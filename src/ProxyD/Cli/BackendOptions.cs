using System.CommandLine;

namespace ProxyD.Cli;

/// <summary>The options about who starts the backend, when it is ready, and when it sleeps.</summary>
internal sealed class BackendOptions
{
    private const string ByConnections = "connections";
    private const string ByBytes = "bytes";

    private readonly Option<string?> _exec = new("--exec")
    {
        Description = "Start the backend with COMMAND when a client comes",
        HelpName = "COMMAND",
        CustomParser = Values.ParseCommand,
    };

    private readonly Option<string?> _unit = new("--backend-unit")
    {
        Description = "Start this systemd unit when a client comes",
        HelpName = "UNIT",
        CustomParser = BackendValues.ParseUnit,
    };

    private readonly Option<bool> _user = new("--user")
    {
        Description = "The unit is the user manager's, as with systemctl --user",
    };

    private readonly Option<ReadyCheck?> _ready = new("--ready")
    {
        Description = "Let clients through only when this says so: http:/PATH[,STATUS…], unit or exec:COMMAND",
        HelpName = "CHECK",
        CustomParser = BackendValues.ParseReady,
    };

    private readonly Option<TimeSpan> _idleStop = CommandLine.Time("--backend-idle-stop", "Stop the backend after TIME without connections");

    private readonly Option<TimeSpan> _idleFreeze = CommandLine.Time("--backend-idle-freeze", "Freeze the unit after TIME without connections");

    private readonly Option<string?> _idleBy = new("--idle-by")
    {
        Description = "What use is: connections, or bytes that move",
        HelpName = "WHAT",
        CustomParser = result => BackendValues.ParseOneOf(result, ByConnections, ByBytes),
        DefaultValueFactory = _ => ByConnections,
    };

    private readonly Option<TimeSpan> _minUp = CommandLine.Time("--backend-min-up", "Let the backend run at least TIME [default: 0]");

    /// <summary>In the order in which the help shows them.</summary>
    internal IEnumerable<Option> All => [_unit, _user, _exec, _ready, _idleStop, _idleFreeze, _idleBy, _minUp];

    /// <summary>Adds what these options say.</summary>
    /// <param name="problem">One line that says which of them don't go together, and what would; null when all is well.</param>
    /// <returns>Null when there is a problem.</returns>
    internal RunOptions? Complete(RunOptions options, ParseResult parsed, out string? problem)
    {
        options = options with
        {
            Exec = parsed.GetValue(_exec),
            BackendUnit = parsed.GetValue(_unit),
            IsUserUnit = parsed.GetValue(_user) || IsBelowUserManager(Environment.GetEnvironmentVariable, Interop.Libc.getppid()),
            Ready = parsed.GetValue(_ready),
            IdleStop = CommandLine.TimeOf(parsed, _idleStop, null),
            IdleFreeze = CommandLine.TimeOf(parsed, _idleFreeze, null),
            IdleByBytes = parsed.GetValue(_idleBy) == ByBytes,
            BackendMinUp = CommandLine.TimeOf(parsed, _minUp, TimeSpan.Zero) ?? TimeSpan.MaxValue,
        };
        problem = Problem(options, parsed);
        return problem is null ? options : null;
    }

    /// <summary>Whether a user manager started us: it tells its services its own pid (systemd.exec(5), MANAGERPID).</summary>
    internal static bool IsBelowUserManager(Func<string, string?> variable, int parent) =>
        int.TryParse(variable("MANAGERPID"), out int manager) && manager == parent;

    private string? Problem(RunOptions options, ParseResult parsed)
    {
        bool starts = options.Exec is not null || options.BackendUnit is not null;
        bool sleeps = options.IdleStop is not null || options.IdleFreeze is not null;
        string starter = options.Exec is not null ? "--exec" : "--backend-unit";
        if (options is { Exec: not null, BackendUnit: not null })
            return "--exec and --backend-unit both start the backend; expected one of them";
        if (starts && options.Destinations.Count > 1)
            return $"{starter} starts one backend, but {options.Destinations.Count} destinations are given; expected one destination";
        if (options.Ready is not null && options.Destinations.Count > 1)
            return $"--ready asks one backend, but {options.Destinations.Count} destinations are given; expected one destination";
        if (parsed.GetValue(_user) && options.BackendUnit is null)
            return "--user says whose unit it is, but none is given; expected --backend-unit=UNIT";
        if (options is { Ready.Kind: ReadyKind.Unit, BackendUnit: null })
            return "--ready=unit asks the unit, but none is given; expected --backend-unit=UNIT";
        if (options is { IdleStop: not null, IdleFreeze: not null })
            return "--backend-idle-stop and --backend-idle-freeze are both given; expected one of them";
        if (options.IdleFreeze is not null && options.BackendUnit is null)
            return "--backend-idle-freeze freezes a unit, but none is given; expected --backend-unit=UNIT";
        if (sleeps && !starts)
            return "--backend-idle-stop stops what proxyd has started; expected --backend-unit=UNIT or --exec=COMMAND";
        if (!sleeps && parsed.GetResult(_idleBy) is { Implicit: false })
            return "--idle-by says what use is, but nothing ends without it; expected --backend-idle-stop=TIME or --backend-idle-freeze=TIME";
        if (!sleeps && parsed.GetResult(_minUp) is not null)
            return "--backend-min-up bounds a sleep, but there is none; expected --backend-idle-stop=TIME or --backend-idle-freeze=TIME";
        if (options.BackendMinUp == TimeSpan.MaxValue)
            return "--backend-min-up=infinity would never let the backend sleep; expected a time, or no --backend-idle-stop and --backend-idle-freeze";
        if (options.IdleStop == TimeSpan.Zero || options.IdleFreeze == TimeSpan.Zero)
            return $"{(options.IdleStop is null ? "--backend-idle-freeze" : "--backend-idle-stop")}=0 leaves it no time to serve; expected a longer time";
        if (options.BackendUnit is not null && (options.IdleStop ?? options.IdleFreeze) is { } sleep && options.ExitIdleTime <= sleep)
            return "--exit-idle-time ends proxyd before it can put the unit to sleep; expected a time longer than that of --backend-idle-stop or -freeze";
        if (options.WaitBind == TimeSpan.Zero && (options.Ready is not null || options.BackendUnit is not null))
            return $"--wait-bind=0 gives up before {(options.Ready is not null ? "--ready" : "--backend-unit")} can do anything; expected a longer time";
        return null;
    }
}
