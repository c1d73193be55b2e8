using ProxyD.Rules;

namespace ProxyD.Tests.Rules;

/// <summary>What holds for every rule.</summary>
public sealed class RuleTableTests
{
    public static TheoryData<string> Ids { get; } = [.. RuleTable.All.Select(rule => rule.Id)];

    [Fact]
    public void Ids_are_in_order_and_unique() =>
        // Goal: a rule is found by its id, and the list reads in order.
        Assert.Equal(RuleTable.All.Select(rule => rule.Id).Distinct().Order(StringComparer.Ordinal), RuleTable.All.Select(rule => rule.Id));

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_rule_can_be_explained(string id)
    {
        // Goal: each has a heading, one line of why and of fix, a story with the reason, and a man page to read on.
        Rule rule = RuleTable.Find(id.ToLowerInvariant())!;
        Assert.Matches("^PXD[0-9]{3}$", rule.Id);
        Assert.All([rule.Title, rule.Why, rule.Fix], line => Assert.Matches("^[^\n]{8,200}[^.\n]$", line));
        Assert.True(rule.Story.Length > 200, rule.Story);
        Assert.Matches(@"^[\w.-]+\([1-8]\)(, [\w.-]+\([1-8]\))*$", rule.ManPage);
    }

    [Fact]
    public void An_empty_world_has_no_findings() =>
        // Goal: no rule stumbles where there is nothing.
        Assert.Empty(Fixture.Findings(""));
}
