using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>All that rules may look at.</summary>
/// <param name="units">The units to judge, and what they name.</param>
/// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
/// <param name="exists">Whether the machine has a unit of that name, where <paramref name="units"/> has not.</param>
/// <param name="polkitRules">polkit's rule files, or null when they can't be read: then nothing is known of them.</param>
/// <param name="systemdVersion">Of the machine that will run the units; null when that is not known.</param>
internal sealed class CheckInput(
    UnitSet units, Func<string, string?> script, Func<string, bool> exists, IReadOnlyList<(string Path, string Text)>? polkitRules = null,
    int? systemdVersion = null)
{
    internal UnitSet Units { get; } = units;

    /// <summary>The proxies among the units, each with its sockets, hooks and backends.</summary>
    internal IReadOnlyList<Trio> Trios { get; } = new TrioFinder(units, script).Find();

    internal IReadOnlyList<(string Path, string Text)>? PolkitRules { get; } = polkitRules;

    internal int? SystemdVersion { get; } = systemdVersion;

    /// <inheritdoc cref="CheckInput" path="/param[@name='script']"/>
    internal string? Script(string path) => script(path);

    /// <summary>Whether a unit is among these or, as far as is known, on the machine.</summary>
    internal bool Exists(string unit) => Units.Find(unit) is not null || exists(unit);

    /// <summary>The trio whose backend a unit is, or null.</summary>
    internal Trio? TrioOfBackend(Unit unit) => Trios.FirstOrDefault(trio => trio.Backends.Any(backend => backend.Name == unit.Name));
}
