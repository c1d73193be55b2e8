using System.Text;

namespace ProxyD.Units;

/// <summary>The percent signs of systemd.unit(5), as far as the unit's name alone decides what they stand for.</summary>
internal static class Specifiers
{
    /// <summary>Puts in what is known. The machine's and the user's own (<c>%H</c>, <c>%m</c>, a user manager's <c>%h</c> and <c>%t</c>, …)
    /// stay as they are.</summary>
    /// <param name="unit">Of a template, the instance's specifiers stay as they are.</param>
    /// <param name="isUser">The unit is a user manager's, so that the folders of the system don't hold.</param>
    /// <param name="kept">What stands in place of the percent sign of those that stay.</param>
    internal static string Expand(string value, UnitName unit, bool isUser = false, char kept = '%')
    {
        if (!value.Contains('%', StringComparison.Ordinal))
            return value;
        StringBuilder text = new();
        for (int i = 0; i < value.Length; i++)
        {
            string? replacement = value[i] == '%' && i + 1 < value.Length ? Replacement(value[i + 1], unit, isUser) : null;
            if (replacement is null)
                text.Append(value[i] == '%' ? kept : value[i]);
            else
                text.Append(replacement);
            i += replacement is null ? 0 : 1;
        }
        return text.ToString();
    }

    private static string? Replacement(char specifier, UnitName unit, bool isUser) => specifier switch
    {
        '%' => "%",
        'n' => unit.IsTemplate ? null : unit.Full,
        'N' => unit.IsTemplate ? null : unit.Stem,
        'p' => unit.Prefix,
        'P' => UnitName.Unescape(unit.Prefix),
        'j' => LastPart(unit.Prefix),
        'J' => UnitName.Unescape(LastPart(unit.Prefix)),
        'i' => unit.IsTemplate ? null : unit.Instance ?? "",
        'I' => unit.IsTemplate ? null : UnitName.Unescape(unit.Instance ?? ""),
        'f' => unit.IsTemplate ? null : Slashed(UnitName.Unescape(unit.Instance ?? unit.Prefix)),
        'T' => "/tmp",
        'V' => "/var/tmp",
        _ => isUser ? null : OfTheSystem(specifier),
    };

    /// <summary>What the system manager's folders and its user are.</summary>
    private static string? OfTheSystem(char specifier) => specifier switch
    {
        't' => "/run",
        'S' => "/var/lib",
        'C' => "/var/cache",
        'L' => "/var/log",
        'E' => "/etc",
        'h' => "/root",
        'u' or 'g' => "root",
        'U' or 'G' => "0",
        _ => null,
    };

    private static string LastPart(string prefix) => prefix[(prefix.LastIndexOf('-') + 1)..];

    private static string Slashed(string path) => path.StartsWith('/') ? path : "/" + path;
}
