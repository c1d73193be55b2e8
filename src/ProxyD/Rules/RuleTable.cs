namespace ProxyD.Rules;

/// <summary>All rules, in the order of their ids, and what runs them.</summary>
internal static class RuleTable
{
    internal static IReadOnlyList<Rule> All { get; } =
    [
        new SocketTiedToProxy(),
        new NothingWaits(),
        new HandWrittenGuard(),
        new GuardOutlivesTimeout(),
        new RestartFightsSleep(),
        new BackendOnPublicPort(),
        new BackendOnAllInterfaces(),
        new SocketsShareAPort(),
        new FailureKillsSocket(),
        new BackendStartsAtBoot(),
        new StoppedAsUnneeded(),
        new BackendWaitsForProxy(),
        new WrapperWithoutExec(),
        new AcceptingSocket(),
        new TypeMismatch(),
        new TooFewFiles(),
        new FamilyForbidden(),
        new CallForbidden(),
        new TmpNotShared(),
        new DeferredBanner(),
        new PolkitRuleMissing(),
        new PolkitRuleTooBroad(),
        new AddressSpaceLimited(),
        new ProxyAsRoot(),
        new UnitMissing(),
        new ProxyToItself(),
        new DynamicUserOnBus(),
        new NotAStream(),
        new ProxyRestarts(),
        new NetworkNotShared(),
        new ManualStartRefused(),
        new ChildKilledFirst(),
        new ReadinessUnsaid(),
        new QueueFlushed(),
        new IdleExitMeetsStartLimit(),
        new SettingMisplaced(),
        new UnitsExcludeEachOther(),
        new BackendElsewhere(),
        new SleepsUnderOthers(),
    ];

    /// <summary>A rule by its id, in any case; null for an unknown one.</summary>
    internal static Rule? Find(string id) => All.FirstOrDefault(rule => rule.Id.Equals(id, StringComparison.OrdinalIgnoreCase));

    /// <summary>What is found, in the order of files and lines; a finding that two trios share comes once.</summary>
    internal static IReadOnlyList<Finding> Run(CheckInput input) =>
    [
        .. All.SelectMany(rule => rule.Find(input)).Distinct()
            .OrderBy(finding => finding.Path, StringComparer.Ordinal).ThenBy(finding => finding.Line).ThenBy(finding => finding.RuleId, StringComparer.Ordinal),
    ];
}
