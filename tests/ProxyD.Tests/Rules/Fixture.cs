using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tests.Rules;

/// <summary>Units as one text: a line <c>--- NAME</c> before each file, which may be a drop-in (<c>web.service.d/x.conf</c>), a script
/// (<c>/srv/wrap.sh</c>) or polkit rules (<c>50-web.rules</c>).</summary>
internal static class Fixture
{
    /// <param name="exists">Whether the machine has a unit that the text has not; by default it has all.</param>
    /// <param name="systemdVersion">The machine's; by default nothing is known of it.</param>
    internal static CheckInput Read(string text, Func<string, bool>? exists = null, int? systemdVersion = null)
    {
        List<UnitFile> files = [];
        Dictionary<string, string> scripts = [];
        List<(string Path, string Text)> polkit = [];
        foreach (string part in ("\n" + text.Trim() + "\n").Split("\n--- ", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] headAndBody = part.Split('\n', 2);
            string path = headAndBody[0].Trim();
            if (path.EndsWith(".rules", StringComparison.Ordinal))
                polkit.Add((path, headAndBody[1]));
            else if (path.StartsWith('/') && UnitName.TypeOf(path) == UnitType.Unknown)
                scripts[path] = headAndBody[1];
            else
                files.Add(UnitFile.Parse(headAndBody[1], path));
        }
        return new(UnitSet.FromFiles(files), scripts.GetValueOrDefault, exists ?? (_ => true), polkit, systemdVersion);
    }

    /// <summary>All findings, as <c>PXD001 web.socket:3</c>.</summary>
    internal static string[] Findings(string text, Func<string, bool>? exists = null) =>
        [.. RuleTable.Run(Read(text, exists)).Select(finding => $"{finding.RuleId} {finding.Path}:{finding.Line}")];

    /// <summary>One rule's findings, as <c>web.socket:3</c>; a note has <c>note </c> before it where the rule's severity is another.</summary>
    internal static string[] Findings(string id, string text, Func<string, bool>? exists = null, int? systemdVersion = null)
    {
        Rule rule = RuleTable.Find(id) ?? throw new ArgumentException($"no rule {id}", nameof(id));
        IEnumerable<Finding> findings = rule.Find(Read(text, exists, systemdVersion)).Distinct();
        return [.. findings.Select(f => $"{(f.Severity == rule.Severity ? "" : f.Severity.ToString().ToLowerInvariant() + " ")}{f.Path}:{f.Line}")];
    }
}
