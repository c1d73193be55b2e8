using System.Globalization;

namespace ProxyD.Rules;

/// <summary>The values of <c>Limit…=</c>; systemd.exec(5).</summary>
internal static class ResourceLimit
{
    private const string Suffixes = "KMGTPE";

    /// <summary>The soft limit of <c>SOFT</c> or <c>SOFT:HARD</c>, with the suffixes K to E to the base 1024.</summary>
    /// <returns>Infinity for <c>infinity</c> and for what is no number, which systemd ignores.</returns>
    internal static double SoftBytes(string value)
    {
        string soft = value.Split(':')[0].Trim();
        int power = soft.Length > 0 ? Suffixes.IndexOf(soft[^1], StringComparison.Ordinal) + 1 : 0;
        string digits = power > 0 ? soft[..^1] : soft;
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number * Math.Pow(1024, power)
            : double.PositiveInfinity;
    }
}
