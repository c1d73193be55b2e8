namespace ProxyD.Units;

/// <summary>One <c>polkit.addRule()</c> of a rules file, as far as its text tells what it allows; polkit(8).</summary>
/// <remarks>
/// Rules are programs. What is read here are the words that such a rule consists of: which names it compares with, and what it never asks for.
/// Where a rule does more than compare names (patterns, groups, variables of its own), it is taken to allow.
/// </remarks>
internal sealed class PolkitRule
{
    private const string ManageUnits = "org.freedesktop.systemd1.manage-units";

    private static readonly string[] s_patterns = ["startsWith", "endsWith", ".match(", ".test(", "RegExp", ".search(", ".substr", ".slice("];

    private readonly string _code;
    private readonly string[] _names;
    private readonly string[] _lookups;

    private PolkitRule(string path, string code, IReadOnlyList<(string Text, int Position)> literals, int start, int end, int line)
    {
        Path = path;
        _code = code[start..end];
        (string Text, int Position)[] own = [.. literals.Where(literal => literal.Position >= start && literal.Position < end)];
        _lookups = [.. own.Where(literal => code[..literal.Position].TrimEnd().EndsWith("lookup(", StringComparison.Ordinal)).Select(l => l.Text)];
        _names = [.. own.Select(literal => literal.Text)];
        int named = own.Where(literal => literal.Text == ManageUnits).Select(literal => literal.Position).FirstOrDefault(start);
        Line = line + code.AsSpan(start, named - start).Count('\n');
    }

    internal string Path { get; }

    /// <summary>Where it names systemd's action, or begins.</summary>
    internal int Line { get; }

    /// <summary>Whether it asks which unit is meant.</summary>
    internal bool AsksUnit => _lookups.Contains("unit");

    /// <summary>Whether it asks what is to be done with it.</summary>
    internal bool AsksVerb => _lookups.Contains("verb");

    /// <summary>Whether it asks who wants it.</summary>
    internal bool AsksUser => _code.Contains("subject.", StringComparison.Ordinal);

    /// <summary>Whether it goes by groups, whose members nobody here knows.</summary>
    internal bool AsksGroup => _code.Contains("isInGroup", StringComparison.Ordinal) || _code.Contains("subject.groups", StringComparison.Ordinal);

    private bool HasPatterns => s_patterns.Any(pattern => _code.Contains(pattern, StringComparison.Ordinal));

    /// <summary>All rules of a file, in order.</summary>
    internal static IReadOnlyList<PolkitRule> Read(string text, string path)
    {
        (string code, List<(string, int)> literals) = ScriptText.Read(text);
        List<PolkitRule> rules = [];
        const string call = "addRule";
        for (int at = code.IndexOf(call, StringComparison.Ordinal); at >= 0; at = code.IndexOf(call, at + call.Length, StringComparison.Ordinal))
        {
            int end = ScriptText.Closing(code, at + call.Length);
            rules.Add(new(path, code, literals, at, end, 1 + code.AsSpan(0, at).Count('\n')));
        }
        return rules;
    }

    /// <summary>Whether it may let a user start a unit.</summary>
    internal bool Allows(string user, string unit) => SaysYes && IsOfAction && IsOfUnit(unit) && IsOfUser(user);

    private bool SaysYes => _code.Contains("Result.YES", StringComparison.Ordinal) || _names.Contains("yes");

    private bool IsOfAction =>
        !_code.Contains("action.id", StringComparison.Ordinal)
        || _names.Any(name => name == ManageUnits || (name.Length > 4 && ManageUnits.StartsWith(name, StringComparison.Ordinal)))
        || HasPatterns;

    private bool IsOfUnit(string unit)
    {
        // Of a template's instance only what stands before the specifier is known.
        int specifier = unit.IndexOf('%', StringComparison.Ordinal);
        string known = specifier < 0 ? unit : unit[..specifier];
        string[] units = [.. _names.Where(name => UnitName.TypeOf(name) != UnitType.Unknown)];
        return !AsksUnit || HasPatterns || units.Length == 0
            || units.Any(name => specifier < 0 ? name == unit : name.StartsWith(known, StringComparison.Ordinal));
    }

    private bool IsOfUser(string user) => !AsksUser || AsksGroup || HasPatterns || _names.Contains(user) || user.Contains('%', StringComparison.Ordinal);
}
