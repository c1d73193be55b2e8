using System.Text;
using ProxyD.Units;

namespace ProxyD.Shell;

/// <summary>A variable as a unit sets it.</summary>
/// <param name="Value">As written: specifiers stay.</param>
/// <param name="Setting">The <c>Environment=</c> it stands in.</param>
/// <param name="Index">Which word of its value, counted from 0.</param>
internal sealed record EnvironmentWord(string Name, string Value, Setting Setting, int Index);

/// <summary>The variables that a service's commands find, as far as its unit and the files that it names tell; systemd.exec(5).</summary>
internal static class UnitEnvironment
{
    /// <summary>A key that no variable has: there, when others may be set by a file that can't be read.</summary>
    internal const string Elsewhere = "";

    /// <param name="fileOf">The text of a file by its path; null for what is not there or can't be read.</param>
    /// <param name="kept">What stands in place of the percent sign of a specifier that stays.</param>
    /// <returns>Each with its value, or with a mark of <see cref="ShellUnset"/> when only its name is known.</returns>
    internal static Dictionary<string, string> Of(Unit unit, Func<string, string?> fileOf, char kept = '%')
    {
        Dictionary<string, string> variables = new(StringComparer.Ordinal);
        foreach (string name in unit.All("Service", "PassEnvironment").SelectMany(setting => Words.Split(setting.Value)))
            variables[name] = ShellUnset.Mark(name);
        foreach (EnvironmentWord word in Written(unit))
            variables[word.Name] = Specifiers.Expand(word.Value, unit.Parts, unit.IsUser, kept);
        // Whatever their order in the unit, files come after Environment=.
        foreach (Setting setting in unit.All("Service", "EnvironmentFile"))
        {
            if (fileOf(setting.Value.TrimStart('-')) is not { } text)
                variables[Elsewhere] = "";
            else
            {
                foreach (string assignment in Assignments(text))
                    Set(variables, assignment);
            }
        }
        foreach (string name in variables.Where(variable => IsTakenAway(unit, variable.Key, variable.Value)).Select(variable => variable.Key).ToArray())
            variables.Remove(name);
        return variables;
    }

    /// <summary>The words of its <c>Environment=</c> lines, in order; of a variable that is set twice the last holds. None that
    /// <c>UnsetEnvironment=</c> takes away.</summary>
    internal static IEnumerable<EnvironmentWord> Written(Unit unit)
    {
        foreach (Setting setting in unit.All("Service", "Environment"))
        {
            List<string> words = Words.Split(setting.Item.Value);
            for (int i = 0; i < words.Count; i++)
            {
                string[] pair = words[i].Split('=', 2);
                if (pair is [{ Length: > 0 } name, var value] && !IsTakenAway(unit, name, value))
                    yield return new(name, value, setting, i);
            }
        }
    }

    /// <summary>A name alone takes any value away, <c>NAME=VALUE</c> only that one.</summary>
    private static bool IsTakenAway(Unit unit, string name, string value) =>
        unit.All("Service", "UnsetEnvironment").SelectMany(setting => Words.Split(setting.Value)).Any(word => word == name || word == $"{name}={value}");

    /// <summary>The names that its <c>EnvironmentFile=</c>s set; whatever <c>Environment=</c> says of them, does not hold.</summary>
    internal static HashSet<string> NamesInFiles(Unit unit, Func<string, string?> fileOf) =>
    [
        .. unit.All("Service", "EnvironmentFile").Select(setting => fileOf(setting.Value.TrimStart('-'))).OfType<string>().SelectMany(Assignments)
            .Select(assignment => assignment.Split('=')[0].TrimEnd()),
    ];

    /// <summary><c>$NAME</c> and <c>${NAME}</c> put in, where the value is known.</summary>
    internal static string Filled(string word, IReadOnlyDictionary<string, string> variables)
    {
        foreach ((string name, string value) in variables.OrderByDescending(variable => variable.Key.Length))
        {
            if (name == Elsewhere || ShellUnset.NameIn(value) is not null)
                continue;
            word = word.Replace($"${{{name}}}", value, StringComparison.Ordinal);
            word = word == $"${name}" ? value : word;
        }
        return word;
    }

    /// <summary>The lines of an environment file: comments left out, quotes and backslashes taken away.</summary>
    internal static IEnumerable<string> Assignments(string text)
    {
        int at = 0;
        while (at < text.Length)
        {
            string line = Line(text, ref at).Trim();
            if (line.Length > 0 && line[0] is not ('#' or ';'))
                yield return line;
        }
    }

    /// <summary>Up to a line end that is neither quoted nor escaped. In a comment neither means anything.</summary>
    private static string Line(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        bool isComment = at < text.Length && text[at] is '#' or ';';
        StringBuilder line = new();
        char quote = '\0';
        for (; at < text.Length && (text[at] != '\n' || quote != '\0'); at++)
        {
            char c = text[at];
            if (isComment)
                line.Append(c);
            else if (c == '\\' && quote != '\'' && at + 1 < text.Length)
                line.Append(Escaped(text[++at], quote));
            else if (quote == '\0' && c is '"' or '\'')
                quote = quote == '\0' ? c : quote;
            else if (c == quote && quote != '\0')
                quote = '\0';
            else
                line.Append(c);
        }
        at++;
        return line.ToString();
    }

    /// <summary>In double quotes only what a shell would act on needs its backslash.</summary>
    private static string Escaped(char c, char quote) =>
        c == '\n' ? "" : quote == '\0' || "\"\\`$".Contains(c, StringComparison.Ordinal) ? c.ToString() : $"\\{c}";

    private static void Set(Dictionary<string, string> variables, string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
            variables[assignment[..equals].TrimEnd()] = assignment[(equals + 1)..].TrimStart();
    }
}
