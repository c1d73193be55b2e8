using System.Globalization;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>How often a unit may be started; systemd.unit(5).</summary>
/// <param name="Interval">Zero for as often as one likes.</param>
/// <param name="Burst">So many starts are admitted within the interval; 0 for as many as one likes.</param>
internal sealed record StartLimit(TimeSpan Interval, int Burst)
{
    // DefaultStartLimitIntervalSec= and DefaultStartLimitBurst= of systemd-system.conf(5).
    private const int DefaultSeconds = 10;
    private const int DefaultBurst = 5;

    internal bool IsOff => Interval == TimeSpan.Zero || Burst == 0;

    internal static StartLimit Of(Unit unit)
    {
        bool hasInterval = TimeSpanParser.TryParse(unit.Last("Unit", "StartLimitIntervalSec")?.Value ?? "", out TimeSpan? span);
        bool hasBurst = int.TryParse(unit.Last("Unit", "StartLimitBurst")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int burst);
        return new(hasInterval ? span ?? TimeSpan.MaxValue : TimeSpan.FromSeconds(DefaultSeconds), hasBurst ? burst : DefaultBurst);
    }

    /// <summary>Whether starts that are at least so far apart can reach it.</summary>
    internal bool IsReachedEvery(TimeSpan pause) => !IsOff && pause.TotalSeconds * Burst < Interval.TotalSeconds;
}
