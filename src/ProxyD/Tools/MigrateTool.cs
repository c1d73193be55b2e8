using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Proposes migrations, shows them, and carries them out when told to.</summary>
internal sealed class MigrateTool(MigrationWishes wishes, TextWriter output)
{
    /// <summary>Shows what would change, and with <paramref name="applies"/> changes it.</summary>
    /// <returns>Whether everything was understood.</returns>
    /// <exception cref="ToolException">It can't be read, or not be carried out.</exception>
    internal bool Propose(string target, bool applies, bool asJson)
    {
        MigrateTargets targets = new(wishes);
        IReadOnlyList<MigrateTarget> found = targets.Propose(target);
        List<(MigrateTarget Target, IReadOnlyList<Finding> Left)> shown = [.. found.Select(one => (one, Left(one, targets)))];
        foreach ((MigrateTarget one, IReadOnlyList<Finding> left) in asJson ? [] : shown)
            output.Write(MigrateReport.Text(one, left));
        output.Flush();
        Migration[] needed = [.. found.Select(one => one.Proposal).OfType<Migration>().Where(proposal => proposal.Files.Count > 0)];
        if (applies)
        {
            MigrateApply apply = new(targets.Wishes, TimeProvider.System);
            foreach (Migration proposal in needed)
            {
                (_, IReadOnlyList<WrittenFile> files) = apply.Apply(proposal);
                if (!asJson)
                    output.Write(MigrateReport.Applied(proposal, files, targets.Wishes));
            }
        }
        else if (needed.Length > 0 && !asJson)
            output.Write("Nothing is changed yet: --apply does it, and keeps what it replaces.\n");
        if (asJson)
            output.Write(MigrateReport.Json(shown, applies));
        return found.All(one => one.Problem is null);
    }

    /// <summary>Takes the newest migration of a unit back, or all in a folder.</summary>
    /// <exception cref="ToolException">There is none, or it can't be taken back.</exception>
    internal void Rollback(string target)
    {
        bool isFolder = target.Contains('/', StringComparison.Ordinal) && Directory.Exists(target);
        string folder = isFolder ? Path.GetFullPath(target).TrimEnd('/') : MigrateTargets.AdminFolder(wishes.IsUser);
        MigrationWishes there = wishes with { UnitFolder = folder, IsFolderOnly = isFolder && folder != MigrateTargets.AdminFolder(wishes.IsUser) };
        MigrateApply apply = new(there, TimeProvider.System);
        do
            output.Write(MigrateReport.RolledBack(apply.Rollback(isFolder ? "" : target)));
        while (isFolder && MigrateRecord.Newest(folder, "") is not null);
    }

    /// <summary>What check would still find; notes are no reason to look again.</summary>
    private static IReadOnlyList<Finding> Left(MigrateTarget target, MigrateTargets targets)
    {
        if (target.Proposal is not { } proposal)
            return [];
        Dictionary<string, byte[]?> changed = proposal.Files.ToDictionary(file => file.Path, file => file.After);
        IEnumerable<UnitFile> kept = targets.Units.Units.SelectMany(unit => unit.Sources).DistinctBy(source => source.Path)
            .Where(source => !changed.ContainsKey(source.Path));
        IEnumerable<UnitFile> made = changed.Where(file => file.Value is not null).Select(file => UnitFile.Parse(file.Value!, file.Key));
        (string, string)[] rules = [.. made.Where(file => file.Path.EndsWith(".rules", StringComparison.Ordinal)).Select(file => (file.Path, file.ToText()))];
        // Of a package's unit and its copy the copy counts.
        UnitSet units = UnitSet.FromFiles([.. made, .. kept], targets.Wishes.IsUser);
        HashSet<string> ours = [proposal.Socket, proposal.Service, proposal.Backend ?? ""];
        return [.. RuleTable.Run(new(units, targets.Script, targets.Exists, rules))
            .Where(finding => finding.Severity > Severity.Note && ours.Contains(finding.Unit))];
    }
}
