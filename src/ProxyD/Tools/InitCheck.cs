using ProxyD.Rules;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>What check would say of a trio that is not written yet: a command that names the public port, or a unit with a trap of its own.</summary>
internal static class InitCheck
{
    /// <summary>An existing backend's [Install] stays in its file, and is out of force once init has it disabled.</summary>
    private static readonly string s_installed = new BackendStartsAtBoot().Id, s_elsewhere = new BackendElsewhere().Id;

    /// <summary>Nobody could ever be served.</summary>
    internal static bool IsFatal(Finding finding) => finding.Severity == Severity.Error || finding.RuleId == s_elsewhere;

    /// <param name="files">The trio's files, with where each goes.</param>
    /// <param name="existing">The backend that is there already, if there is one.</param>
    /// <returns>No notes.</returns>
    internal static IReadOnlyList<Finding> Of(TrioRequest request, IEnumerable<(string Path, GeneratedFile File)> files, Unit? existing)
    {
        IEnumerable<UnitFile> made = files.Where(file => file.File.Home == FileHome.Unit).Select(file => UnitFile.Parse(file.File.Text, file.Path));
        UnitSet units = UnitSet.FromFiles(made.Concat(existing?.Sources ?? []).DistinctBy(file => file.Path), request.IsUser);
        return
        [
            .. RuleTable.Run(new(units, script: _ => null, exists: _ => true))
                .Where(finding => finding.Severity > Severity.Note && !(finding.RuleId == s_installed && finding.Unit == request.Existing)),
        ];
    }
}
