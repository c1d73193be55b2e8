using ProxyD.Rules;
using ProxyD.Testing;
using ProxyD.Units;

namespace ProxyD.Tests.Rules;

/// <summary>The trios of tests/Shared/Trios: every trap that is planted in them, and nothing else.</summary>
public sealed class TrioFolderTests
{
    public static TheoryData<string> Names { get; } = [.. TrioFolder.AllFolders().Select(folder => folder.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Exactly_the_planted_traps_are_found(string name)
    {
        // Goal: all rules together on whole trios; a rule that sees too much fails here as one that sees too little does.
        TrioFolder folder = TrioFolder.Named(name);
        Assert.Equal(folder.Expected, Findings(folder).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_rule_has_its_trap_in_some_trio()
    {
        // Goal: no rule is only tried on units that were written for it.
        string[] planted = [.. TrioFolder.AllFolders().SelectMany(folder => folder.Expected).Select(line => line.Split(' ')[0])];
        Assert.Empty(RuleTable.All.Select(rule => rule.Id).Except(planted));
    }

    private static IEnumerable<string> Findings(TrioFolder folder)
    {
        Dictionary<string, string> machine = folder.MachineFiles;
        IEnumerable<UnitFile> files = folder.UnitFiles.Select(file => UnitFile.Parse(File.ReadAllBytes(Path.Combine(folder.Path, file)), file));
        IEnumerable<string> rules = machine.Keys.Where(path => path.EndsWith(".rules", StringComparison.Ordinal));
        (string, string)[] polkit = [.. rules.Select(path => ("files" + path, File.ReadAllText(machine[path])))];
        string? Script(string path) => machine.TryGetValue(path, out string? file) ? File.ReadAllText(file) : null;
        CheckInput input = new(UnitSet.FromFiles(files, folder.IsUser), Script, exists: _ => false, polkit);
        return RuleTable.Run(input).Select(finding => $"{finding.RuleId} {finding.Path}:{finding.Line}");
    }
}
