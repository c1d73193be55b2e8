using System.CommandLine.Parsing;
using System.Globalization;

namespace ProxyD.Cli;

/// <summary>The values of <see cref="BackendOptions"/>.</summary>
internal static class BackendValues
{
    /// <summary>UNIT_NAME_MAX of systemd, counted with the suffix (systemd.unit(5)).</summary>
    private const int UnitNameMaxLength = 255;

    private const string UnitAccepted = "a unit's name, as systemctl start takes it";
    private const string ReadyAccepted = "http:/PATH[,STATUS], unit or exec:COMMAND";

    private static readonly string[] s_suffixes = [".service", ".socket", ".target", ".scope", ".slice", ".mount", ".path", ".timer"];

    /// <summary>A missing suffix means ".service", as with systemctl(1).</summary>
    internal static string? ParseUnit(ArgumentResult result)
    {
        string name = Values.Text(result);
        if (!s_suffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal)))
            name += ".service";
        int at = name.IndexOf('@', StringComparison.Ordinal);
        if (at == 0 || name[0] == '.' || name.Length > UnitNameMaxLength || !name.All(IsUnitCharacter))
            Values.Refuse(result, UnitAccepted);
        else if (at > 0 && name[at + 1] == '.')
            Values.Refuse(result, $"an instance of that template, such as {name[..(at + 1)]}NAME{name[(at + 1)..]}");
        return name;
    }

    internal static ReadyCheck? ParseReady(ArgumentResult result)
    {
        string text = Values.Text(result);
        ReadyCheck? check = text switch
        {
            "unit" => new(ReadyKind.Unit, "", null),
            ['h', 't', 't', 'p', ':', '/', ..] => ParseHttp(text["http:".Length..]),
            ['e', 'x', 'e', 'c', ':', .. string command] when !string.IsNullOrWhiteSpace(command) => new(ReadyKind.Command, command, null),
            _ => null,
        };
        if (check is null)
            Values.Refuse(result, ReadyAccepted);
        return check;
    }

    internal static string? ParseOneOf(ArgumentResult result, params string[] names)
    {
        if (!names.Contains(Values.Text(result)))
            Values.Refuse(result, string.Join(" or ", names));
        return Values.Text(result);
    }

    private static ReadyCheck? ParseHttp(string text)
    {
        int comma = text.LastIndexOf(',');
        string path = comma < 0 ? text : text[..comma];
        int? status = null;
        if (comma >= 0)
        {
            if (!int.TryParse(text.AsSpan(comma + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int wanted) || wanted is < 100 or > 599)
                return null;
            status = wanted;
        }
        // A URL begins with two; and a space or control character would break the request line.
        bool isPath = !path.StartsWith("//", StringComparison.Ordinal) && path.All(c => c is > ' ' and < '\x7f');
        return isPath ? new(ReadyKind.Http, path, status) : null;
    }

    /// <summary>VALID_CHARS of systemd's unit-name.c.</summary>
    private static bool IsUnitCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_' or '.' or '\\' or '@';
}
