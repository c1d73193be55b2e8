using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>What a unit that is to be woken by clients says about itself.</summary>
/// <param name="Restart">As <c>Restart=</c> has it.</param>
/// <param name="StopWhenUnneeded">systemd stops it when no active unit needs it.</param>
/// <param name="RefuseManualStart">Only as another unit's dependency may it be started.</param>
internal sealed record ExistingUnit(string Restart, bool StopWhenUnneeded, bool RefuseManualStart)
{
    /// <summary>What is assumed of a unit that can't be looked at: that it restarts itself, as servers do.</summary>
    internal static ExistingUnit Unseen { get; } = new("always", StopWhenUnneeded: false, RefuseManualStart: false);

    /// <summary>Whether it comes back from an end that was no failure.</summary>
    internal bool RestartsAfterSuccess => Restart is "always" or "on-success";

    /// <summary>The drop-in that makes it fit to be woken; null when it is as it is.</summary>
    /// <param name="isPlain">systemd keeps it up while the proxy runs; otherwise proxyd starts it.</param>
    internal string? DropIn(bool isPlain)
    {
        bool isStoppedBySystemd = isPlain && !StopWhenUnneeded, isStoppedTooEarly = !isPlain && StopWhenUnneeded, isClosed = !isPlain && RefuseManualStart;
        if (!RestartsAfterSuccess && !isPlain && !isStoppedTooEarly && !isClosed)
            return null;
        UnitWriter unit = new();
        if (isPlain || isStoppedTooEarly || isClosed)
            unit.Section("Unit");
        unit.SetIf(isStoppedBySystemd, "StopWhenUnneeded", "yes", "Stopped when the proxy has gone: nothing else needs it.");
        unit.SetIf(isPlain, "StartLimitIntervalSec", "0", TrioFiles.OftenReason);
        unit.SetIf(isStoppedTooEarly, "StopWhenUnneeded", "no", "proxyd starts it over D-Bus: no unit needs it then, and systemd would stop it at once.");
        unit.SetIf(isClosed, "RefuseManualStart", "no", "proxyd starts it by its name.");
        if (RestartsAfterSuccess)
            unit.Section("Service").Set("Restart", "no", TrioFiles.RestartReason);
        return unit.ToString();
    }
}
