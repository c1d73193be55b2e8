using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>One trap, how to see it, and what is to be said about it.</summary>
/// <param name="id"><c>PXD001</c> and so on.</param>
/// <param name="severity">Of its findings, where one doesn't say otherwise.</param>
/// <param name="title">A few words; a heading.</param>
/// <param name="manPage">What it rests on, as <c>systemd.unit(5)</c>.</param>
internal abstract class Rule(string id, Severity severity, string title, string manPage)
{
    internal string Id { get; } = id;

    internal Severity Severity { get; } = severity;

    internal string Title { get; } = title;

    internal string ManPage { get; } = manPage;

    /// <summary>What happens, in one line.</summary>
    internal abstract string Why { get; }

    /// <summary>What to write instead, in one line.</summary>
    internal abstract string Fix { get; }

    /// <summary>The whole story for <c>--explain</c>: how it comes about, how it shows, what helps and why. Paragraphs of plain text.</summary>
    internal abstract string Story { get; }

    /// <summary>Every place where it is broken. What is not sure is left out, or a note.</summary>
    internal abstract IEnumerable<Finding> Find(CheckInput input);

    /// <param name="setting">What is wrong; null when something is missing from the unit.</param>
    /// <param name="why">With the names of this case; otherwise <see cref="Why"/>.</param>
    protected Finding At(Unit unit, Setting? setting, string? why = null, string? fix = null, Severity? severity = null) =>
        new(Id, severity ?? Severity, unit.Name, setting?.Path ?? unit.Path, setting?.Line ?? 1, why ?? Why, fix ?? Fix);
}

/// <summary>A rule that looks at one proxy and what belongs to it.</summary>
/// <inheritdoc cref="Rule(string,Severity,string,string)"/>
internal abstract class TrioRule(string id, Severity severity, string title, string manPage) : Rule(id, severity, title, manPage)
{
    internal override IEnumerable<Finding> Find(CheckInput input) => input.Trios.SelectMany(trio => Find(trio, input));

    /// <inheritdoc cref="Rule.Find"/>
    protected abstract IEnumerable<Finding> Find(Trio trio, CheckInput input);
}
