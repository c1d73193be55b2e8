using System.Globalization;

namespace ProxyD.Backend;

/// <summary>What the service manager tells of a unit: the properties of org.freedesktop.systemd1(5) under their own names.</summary>
internal sealed record UnitStatus
{
    /// <summary>Before anything was heard of the unit.</summary>
    internal static readonly UnitStatus Unheard = new();

    /// <summary>The properties that are of interest.</summary>
    internal static readonly string[] Names =
    [
        nameof(ActiveState), nameof(SubState), nameof(FreezerState), nameof(StopWhenUnneeded), nameof(Result), nameof(ExecMainCode), nameof(ExecMainStatus),
    ];

    /// <summary>CLD_EXITED of waitid(2), as ExecMainCode has it; the others are ends by a signal.</summary>
    private const string Exited = "1";

    /// <summary>Exit statuses by which systemd says that it could not even run the program (systemd.exec(5)); those that people meet.</summary>
    private static readonly Dictionary<string, string> s_ownStatuses = new()
    {
        ["200"] = "CHDIR",
        ["203"] = "EXEC",
        ["208"] = "STDIN",
        ["209"] = "STDOUT",
        ["214"] = "SETSCHEDULER",
        ["216"] = "GROUP",
        ["217"] = "USER",
        ["218"] = "CAPABILITIES",
        ["219"] = "CGROUP",
        ["225"] = "NETWORK",
        ["226"] = "NAMESPACE",
        ["228"] = "SECCOMP",
        ["233"] = "RUNTIME_DIRECTORY",
        ["238"] = "STATE_DIRECTORY",
        ["239"] = "CACHE_DIRECTORY",
        ["243"] = "CREDENTIALS",
    };

    private static readonly Dictionary<string, string> s_signals = new()
    {
        ["1"] = "HUP",
        ["2"] = "INT",
        ["3"] = "QUIT",
        ["4"] = "ILL",
        ["6"] = "ABRT",
        ["7"] = "BUS",
        ["8"] = "FPE",
        ["9"] = "KILL",
        ["11"] = "SEGV",
        ["13"] = "PIPE",
        ["14"] = "ALRM",
        ["15"] = "TERM",
        ["24"] = "XCPU",
        ["25"] = "XFSZ",
        ["31"] = "SYS",
    };

    public string ActiveState { get; init; } = "";
    public string SubState { get; init; } = "";
    public string FreezerState { get; init; } = "";

    /// <summary>"1" when systemd stops it as soon as no other unit needs it, which a start over D-Bus does not.</summary>
    public string StopWhenUnneeded { get; init; } = "";

    /// <summary>Why it ended last: success, exit-code, signal, timeout, start-limit-hit, …; services only.</summary>
    public string Result { get; init; } = "";

    public string ExecMainCode { get; init; } = "";
    public string ExecMainStatus { get; init; } = "";

    internal bool IsActive => ActiveState is "active" or "reloading";

    internal bool IsDown => ActiveState is "inactive" or "failed";

    internal bool HasFailed => ActiveState == "failed";

    internal bool IsFrozen => FreezerState is "frozen" or "freezing";

    /// <summary>systemd refused to start it once more within StartLimitIntervalSec=.</summary>
    internal bool HitStartLimit => Result == "start-limit-hit";

    /// <summary>Its last run ended with nothing to complain about.</summary>
    internal bool EndedWell => !HasFailed && Result is "success" or "";

    /// <summary>The same with what has changed.</summary>
    internal UnitStatus With(Dictionary<string, string> properties) => new()
    {
        ActiveState = properties.GetValueOrDefault(nameof(ActiveState), ActiveState),
        SubState = properties.GetValueOrDefault(nameof(SubState), SubState),
        FreezerState = properties.GetValueOrDefault(nameof(FreezerState), FreezerState),
        StopWhenUnneeded = properties.GetValueOrDefault(nameof(StopWhenUnneeded), StopWhenUnneeded),
        Result = properties.GetValueOrDefault(nameof(Result), Result),
        ExecMainCode = properties.GetValueOrDefault(nameof(ExecMainCode), ExecMainCode),
        ExecMainStatus = properties.GetValueOrDefault(nameof(ExecMainStatus), ExecMainStatus),
    };

    /// <summary>"exit-code, status 203/EXEC", "signal, 9/KILL", "start-limit-hit".</summary>
    internal string EndText() => Result switch
    {
        "exit-code" => $"exit-code, status {Named(ExecMainStatus, s_ownStatuses)}",
        "signal" or "core-dump" => $"{Result}, {Named(ExecMainStatus, ExecMainCode == Exited ? [] : s_signals)}",
        "" => SubState,
        _ => Result,
    };

    private static string Named(string number, Dictionary<string, string> names) =>
        names.TryGetValue(number, out string? name) ? string.Create(CultureInfo.InvariantCulture, $"{number}/{name}") : number;
}
