using System.CommandLine.Parsing;
using System.Globalization;

namespace ProxyD.Cli;

/// <summary>The values of <see cref="BackendOptions"/>.</summary>
internal static class BackendValues
{
    /// <summary>UNIT_NAME_MAX of systemd, counted with the suffix (systemd.unit(5)).</summary>
    private const int UnitNameMaxLength = 255;

    private const string UnitAccepted = "a unit's name, as systemctl start takes it";
    private const string ReadyAccepted = "http:/PATH[,STATUS…], unit or exec:COMMAND";

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
            "unit" => new(ReadyKind.Unit, "", []),
            ['h', 't', 't', 'p', ':', '/', ..] => ParseHttp(text["http:".Length..]),
            ['e', 'x', 'e', 'c', ':', .. string command] when !string.IsNullOrWhiteSpace(command) => new(ReadyKind.Command, command, []),
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
        List<(int, int)> statuses = [];
        string path = text;
        // A path may hold commas, too: what is read from its end are statuses, and the last must be one.
        while (path.LastIndexOf(',') is > 0 and int comma && ParseStatuses(path[(comma + 1)..]) is { } range)
        {
            statuses.Insert(0, range);
            path = path[..comma];
        }
        if (statuses.Count == 0 && text.Contains(',', StringComparison.Ordinal))
            return null;
        // A URL begins with two; and a space or control character would break the request line.
        bool isPath = !path.StartsWith("//", StringComparison.Ordinal) && path.All(c => c is > ' ' and < '\x7f');
        return isPath ? new(ReadyKind.Http, path, statuses) : null;
    }

    /// <summary><c>404</c>, or <c>200-399</c>.</summary>
    private static (int From, int To)? ParseStatuses(string text)
    {
        string[] ends = text.Split('-');
        bool areStatuses = ends.Length <= 2 && ends.All(end => end.Length == 3 && end.All(char.IsAsciiDigit) && end[0] is >= '1' and <= '5');
        return areStatuses && string.CompareOrdinal(ends[0], ends[^1]) <= 0
            ? (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture))
            : null;
    }

    /// <summary>VALID_CHARS of systemd's unit-name.c.</summary>
    private static bool IsUnitCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_' or '.' or '\\' or '@';
}
