using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>One <c>polkit.addRule()</c> of a rules file, as far as its text tells what it allows; polkit(8).</summary>
/// <remarks>
/// Rules are programs. What is read here are the words that such a rule consists of: which names it compares with, and what it never asks for.
/// Where a rule does more than compare names (patterns, groups, variables from elsewhere in the file), it is taken to allow, and its extent
/// can't be told.
/// </remarks>
internal sealed class PolkitRule
{
    private const string ManageUnits = "org.freedesktop.systemd1.manage-units";

    /// <summary>What can be called without doing more than to compare names.</summary>
    private static readonly string[] s_comparing = ["lookup", "log", "indexOf", "includes", "isInGroup"];

    /// <summary>What of the subject decides only between people at a terminal; anything but these and its name may mean a service.</summary>
    private static readonly string[] s_ofSessions = ["user", "active", "local", "seat", "session", "pid"];

    /// <summary>What stands before a name that the user is held against.</summary>
    private static readonly string[] s_userTests = [".user==", ".user===", ".user!=", ".user!=="];

    /// <summary>Literals that are put together with others, or looked for within others.</summary>
    private static readonly string[] s_joins = ["+\"", "\"+"], s_parts = [.. s_joins, ".indexOf(\"", ".includes(\""];

    private static readonly char[] s_quotes = ['"', '\'', '`'];

    private readonly string _code;
    private readonly string[] _names;
    private readonly string[] _lookups;

    /// <summary>The users that it compares with whole, and the verbs that it lets through.</summary>
    private readonly string[] _users, _verbs;
    private readonly ScriptFunction? _function;

    /// <summary>Whether it is a function that says everything itself.</summary>
    private readonly bool _isClosed;

    private PolkitRule(string path, string code, IReadOnlyList<(string Text, int Position)> literals, int start, int end, int line)
    {
        Path = path;
        _code = string.Concat(code[start..end].Where(c => !char.IsWhiteSpace(c)));
        (string Text, int Position)[] own = [.. literals.Where(literal => literal.Position >= start && literal.Position < end)];
        _lookups = [.. own.Where(literal => code.AsSpan(start, literal.Position - start).TrimEnd().EndsWith("lookup(")).Select(l => l.Text)];
        string Before(int position) => string.Concat(code[start..position].Where(c => !char.IsWhiteSpace(c)));
        _users = [.. own.Where(literal => s_userTests.Any(test => Before(literal.Position).EndsWith(test, StringComparison.Ordinal))).Select(l => l.Text)];
        _verbs = [.. own.Where((literal, i) => i > 0 && own[i - 1].Text == "verb" && IsVerbTest(Before(literal.Position))).Select(l => l.Text)];
        _names = [.. own.Select(literal => Unescaped(literal.Text))];
        _function = ScriptFunction.Read(code, Math.Clamp(code.IndexOf('(', start) + 1, start, end), end);
        _isClosed = _function is { IsClosed: true };
        int named = own.Where(literal => literal.Text == ManageUnits).Select(literal => literal.Position).FirstOrDefault(start);
        Line = line + code.AsSpan(start, named - start).Count('\n');
    }

    internal string Path { get; }

    /// <summary>Where it names systemd's action, or begins.</summary>
    internal int Line { get; }

    /// <summary>Whether it asks which unit is meant.</summary>
    internal bool AsksUnit => _lookups.Contains("unit") || !IsLiteral;

    /// <summary>Whether it asks what is to be done with it.</summary>
    internal bool AsksVerb => _lookups.Contains("verb") || !IsLiteral;

    /// <summary>Whether it asks who wants it.</summary>
    internal bool AsksUser => OfSubject.Any();

    /// <summary>Whether it only asks for details by names that are written there.</summary>
    private bool IsLiteral => _function?.Calls.Count(call => call == "lookup") == _lookups.Length;

    private IEnumerable<string> OfSubject => _function?.MembersOf(1) ?? [""];

    private string[] Actions => [.. _names.Where(IsAction)];

    /// <summary>Whether it looks into names, or puts them together, instead of comparing them whole.</summary>
    private bool HasPatterns => _function is null || _function.Calls.Except(s_comparing).Any() || HasParts;

    private bool HasParts => Has(s_parts) || HasTemplates;

    /// <summary>Literals with variables in them.</summary>
    private bool HasTemplates => _names.Any(name => name.Contains("${", StringComparison.Ordinal));

    private bool Has(string[] parts) =>
        parts.Any(part => s_quotes.Any(quote => _code.Contains(part.Replace('"', quote), StringComparison.Ordinal)));

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
    /// <param name="unit">As systemd itself calls it: polkit is told no other name.</param>
    internal bool Allows(string user, string unit) => SaysYes && IsOfAction && IsOfUnit(unit, user) && IsOfUser(user) && IsOfStart;

    /// <summary>Whether it lets this user do what it doesn't ask about: it names the user, or asks for nothing about who wants it, and it is about
    /// nothing but systemd's action.</summary>
    internal bool IsCertain(string user) =>
        _isClosed && !HasPatterns && IsLiteral && Actions.All(IsManageUnits)
        && (!AsksUser || (OfSubject.All(member => member == "user") && _names.Contains(user)));

    private bool SaysYes => _code.Contains("Result.YES", StringComparison.Ordinal) || _names.Contains("yes") || !_isClosed;

    private bool IsOfAction
    {
        get
        {
            bool isAsked = _function?.MembersOf(0).Any(member => member != "lookup") ?? true;
            // The begin of a name, as rules look for it, is seen in the name itself.
            bool isPattern = _function?.Calls.Except([.. s_comparing, "startsWith"]).Any() ?? false;
            return !isAsked || isPattern || Actions.Length == 0 || Actions.Any(IsManageUnits);
        }
    }

    private bool IsOfUnit(string unit, string user)
    {
        // Of a template's instance only what stands before the specifier is known.
        int specifier = unit.IndexOf('%', StringComparison.Ordinal);
        string known = specifier < 0 ? unit : unit[..specifier];
        string[] units = [.. _names.Where(name => UnitName.TypeOf(name) != UnitType.Unknown)];
        // systemd never leaves the suffix out, as people do.
        string stem = new UnitName(unit).Stem;
        bool isCutShort = stem != user && _names.Contains(stem);
        return !AsksUnit || !_isClosed || HasPatterns || (units.Length == 0 && !isCutShort)
            || units.Any(name => specifier < 0 ? name == unit : name.StartsWith(known, StringComparison.Ordinal));
    }

    /// <summary>Whether it lets a unit be started, as far as it asks: one that compares each verb with a name, and none is start, doesn't.</summary>
    private bool IsOfStart =>
        !_isClosed || HasPatterns || _verbs.Length == 0 || _verbs.Length != _lookups.Count(lookup => lookup == "verb") || _verbs.Contains("start");

    /// <summary>Whether a text ends where a verb is compared with what follows.</summary>
    private static bool IsVerbTest(string before) => s_quotes.Any(quote =>
        before.EndsWith($"lookup({quote}{quote})==", StringComparison.Ordinal) || before.EndsWith($"lookup({quote}{quote})===", StringComparison.Ordinal));

    private bool IsOfUser(string user)
    {
        // Whatever else it asks, and however: it is for the users that it names.
        string[] asked = [.. OfSubject];
        bool isNamed = !user.Contains('%', StringComparison.Ordinal) && !user.All(char.IsAsciiDigit);
        bool isWhole = _users.Length > 0 && !Has(s_joins) && !HasTemplates && asked.Count(member => member == "user") == _users.Length;
        if (isNamed && isWhole && asked.All(s_ofSessions.Contains))
            return _users.Contains(user);
        // The groups of a user, and the unit that a process belongs to, nobody here knows; nor whose number a number is.
        bool isKnown = isNamed && asked.Contains("user") && asked.All(s_ofSessions.Contains);
        return !isKnown || !_isClosed || HasPatterns || _names.Contains(user);
    }

    private static bool IsAction(string name) =>
        name.Count(c => c == '.') >= 2 && char.IsAsciiLetter(name[0]) && UnitName.TypeOf(name) == UnitType.Unknown;

    /// <summary>Or the begin of its name.</summary>
    private static bool IsManageUnits(string action) => ManageUnits.StartsWith(action, StringComparison.Ordinal);

    /// <summary>A name with a backslash in it, as systemd-escape(1) makes them, is written with two.</summary>
    private static string Unescaped(string literal) => literal.Replace("\\\\", "\\", StringComparison.Ordinal);
}
