using ProxyD.Interop;

namespace ProxyD.Backend;

/// <summary>Why something could not be done with a unit.</summary>
/// <param name="Cause">In words, with what would help.</param>
/// <param name="IsPassing">The bus or the service manager can't be reached just now; the unit itself may be fine.</param>
internal sealed record UnitProblem(string Cause, bool IsPassing)
{
    private const string Systemd = "org.freedesktop.systemd1.";
    private const string DBus = "org.freedesktop.DBus.Error.";

    /// <summary>What an error of the bus means for a unit.</summary>
    /// <param name="error">What a call was answered with, or how the connection failed.</param>
    /// <param name="verb">What was to be done: start, stop, freeze, thaw.</param>
    /// <param name="unit">With which unit.</param>
    /// <param name="ofUser">The user manager's rather than the system's.</param>
    internal static UnitProblem From(BusException error, string verb, string unit, bool ofUser)
    {
        string systemctl = ofUser ? "systemctl --user" : "systemctl";
        string what = $"{verb} {unit}";
        return error.Name switch
        {
            "" => new($"the {(ofUser ? "user's" : "system")} bus can't be reached ({error.Message})", IsPassing: true),
            DBus + "ServiceUnknown" or DBus + "NameHasNoOwner" or DBus + "NoReply" or DBus + "Disconnected" or DBus + "Timeout" or DBus + "TimedOut" =>
                new($"systemd can't be reached on the bus ({error.Message})", IsPassing: true),
            var name when name.StartsWith("System.Error.", StringComparison.Ordinal) =>
                new($"the {(ofUser ? "user's" : "system")} bus can't be reached ({error.Message})", IsPassing: true),
            var name when name.StartsWith(DBus + "Spawn.", StringComparison.Ordinal) => new($"systemd is not on the bus ({error.Message})", IsPassing: true),
            Systemd + "NoSuchUnit" => new($"there is no unit {unit}; see: {systemctl} cat {unit}", IsPassing: false),
            Systemd + "UnitMasked" => new($"{unit} is masked; {systemctl} unmask {unit} would allow it", IsPassing: false),
            Systemd + "LoadFailed" or Systemd + "BadUnitSetting" =>
                new($"{unit} can't be loaded ({error.Message}); see: systemd-analyze verify {unit}", IsPassing: false),
            Systemd + "OnlyByDependency" => new($"{unit} may only be started as another unit's dependency (RefuseManualStart=)", IsPassing: false),
            DBus + "AccessDenied" or DBus + "InteractiveAuthorizationRequired" => new(Denied(verb, unit), IsPassing: false),
            DBus + "NotSupported" or DBus + "UnknownMethod" when verb is "freeze" or "thaw" =>
                new($"{what} is not possible here ({error.Message}); it needs systemd 246 and a pure cgroup v2 tree", IsPassing: false),
            _ => new($"systemd would not {what}: {error.Message}", IsPassing: false),
        };
    }

    /// <summary>Freezing takes more than the others: systemd's own policy on the bus lets nobody but root ask for it.</summary>
    private static string Denied(string verb, string unit) =>
        $"user {Environment.UserName} may not {verb} {unit}: a polkit rule for {unit} is missing;"
        + " deploy/polkit/50-proxyd.rules of proxyd's sources is one, for /etc/polkit-1/rules.d"
        + (verb is "freeze" or "thaw" ? ", with proxyd-freeze.conf beside it" : "");
}
