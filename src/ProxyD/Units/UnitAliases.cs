namespace ProxyD.Units;

/// <summary>The other names that units go by: links to their files, systemd.unit(5).</summary>
internal sealed class UnitAliases
{
    /// <summary>A link to a link to a link; systemd ends a chain that leads back to its begin too.</summary>
    private const int StepsMax = 8;

    private readonly Dictionary<string, string> _targets = new(StringComparer.Ordinal);

    /// <param name="targets">Other names, each with the name that it stands for; of one that comes twice the first counts.</param>
    internal UnitAliases(IEnumerable<KeyValuePair<string, string>> targets)
    {
        foreach ((string name, string target) in targets.Where(pair => pair.Key != pair.Value))
            _targets.TryAdd(name, target);
    }

    internal static UnitAliases None { get; } = new([]);

    internal IEnumerable<KeyValuePair<string, string>> Targets => _targets;

    internal bool IsEmpty => _targets.Count == 0;

    /// <summary>The name that systemd itself calls a unit by (its Id): of another name, the one that it stands for; of any other, itself.</summary>
    /// <remarks>What is an alias of a template makes aliases of its instances.</remarks>
    internal string IdOf(string name)
    {
        for (int step = 0; step < StepsMax && Target(new(name)) is { } target; step++)
            name = target;
        return name;
    }

    private string? Target(UnitName name)
    {
        if (_targets.TryGetValue(name.Full, out string? target))
            return target;
        return name.Template is { } template && _targets.TryGetValue(template, out string? other) && new UnitName(other).IsTemplate
            ? new UnitName(other).With(name.Instance!)
            : null;
    }
}
