using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>Units that name a plain service, and mean its daemon; once it is migrated, that name is the proxy's.</summary>
internal static class PlainTies
{
    /// <summary>What another unit says of a service, and the property in which systemd shows it at the service (org.freedesktop.systemd1(5)).</summary>
    private static readonly (string Key, string Property)[] s_ties =
    [
        ("Requires", "RequiredBy"), ("Requisite", "RequisiteOf"), ("BindsTo", "BoundBy"), ("PartOf", "ConsistsOf"), ("Wants", "WantedBy"),
        ("Upholds", "UpheldBy"), ("After", "Before"),
    ];

    /// <summary>Ties by which a unit goes when the other does.</summary>
    private static readonly string[] s_firm = ["Requires", "Requisite", "BindsTo", "PartOf"];

    internal static IEnumerable<string> Properties => s_ties.Select(tie => tie.Property);

    internal static bool IsFirm(string key) => s_firm.Contains(key);

    /// <summary>Each unit with the key by which it names the service, the firmest ties first. What the service's own [Install] put there is none.</summary>
    internal static IReadOnlyList<(string Key, string Unit)> Of(Unit service, UnitSet units, PlainService seen)
    {
        string[] installed =
        [
            .. service.Sources.SelectMany(source => source.Assignments).Where(a => a.Section == "Install")
                .SelectMany(a => Words.Split(a.Item.Value, keepsEscapes: true)),
        ];
        IEnumerable<(string Key, string Unit)> read =
            from tie in s_ties
            from unit in units.Units
            where unit.Names(service.Name, tie.Key) is not null
            select (tie.Key, unit.Name);
        IEnumerable<(string Key, string Unit)> shown =
            from named in seen.NamedBy
            from tie in s_ties
            where tie.Property == named.Property
            select (tie.Key, named.Unit);
        // What only comes later, as every target does, comes later still.
        return
        [
            .. read.Concat(shown).Where(tie => tie.Unit != service.Name && !installed.Contains(tie.Unit))
                .Where(tie => tie.Key != "After" || UnitName.TypeOf(tie.Unit) == UnitType.Service)
                .OrderBy(tie => IsFirm(tie.Key) ? 0 : tie.Key == "After" ? 2 : 1).DistinctBy(tie => tie.Unit),
        ];
    }
}
