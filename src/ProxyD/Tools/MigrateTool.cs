using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Proposes migrations, shows them, and carries them out when told to.</summary>
internal sealed class MigrateTool(MigrationWishes wishes, TextWriter output)
{
    /// <summary>Shows what would change, and with <paramref name="applies"/> changes it: each target before the next is looked at again.</summary>
    /// <param name="stop">Somebody wants it to end: what is under way is taken back, and no other is begun.</param>
    /// <returns>Whether everything was understood.</returns>
    /// <exception cref="ToolException">It can't be read, or not be carried out.</exception>
    internal bool Propose(string target, bool applies, bool asJson, CancellationToken stop)
    {
        MigrateTargets targets = new(wishes);
        IReadOnlyList<MigrateTarget> found = targets.Propose(target);
        using MigrateJson? json = asJson ? new(output, "applied") : null;
        bool isUnderstood = true, isChanged = false, isNeeded = false;
        foreach (MigrateTarget first in found)
        {
            MigrateTarget one = first;
            if (isChanged)
            {
                // They may share a unit, which is not what it was.
                targets = new(wishes);
                one = targets.Propose(target, first.Name);
            }
            IReadOnlyList<Finding> left = Left(one, targets);
            if (NewError(one.Proposal, left, targets) is { } error)
                one = new(one.Name, null, $"{error.Unit} would have an error then, {error.RuleId}: {error.Why}");
            isUnderstood &= one.Problem is null;
            Show(one, left, json);
            if (one.Proposal is not { Files.Count: > 0 } proposal)
                continue;
            isNeeded = true;
            if (!applies)
                continue;
            IReadOnlyList<WrittenFile> files = new MigrateApply(targets.Wishes, TimeProvider.System).Apply(proposal, stop);
            isChanged = true;
            if (!asJson)
                output.Write(MigrateReport.Applied(proposal, files, targets.Wishes));
        }
        if (isNeeded && !applies && !asJson)
            output.Write("Nothing is changed yet: --apply does it, and keeps what it replaces.\n");
        if (json is not null)
            json.IsDone = applies;
        return isUnderstood;
    }

    /// <summary>Takes the newest migration of a unit back, or all in a folder, and shows before what that changes.</summary>
    /// <exception cref="ToolException">There is none, or it can't be taken back.</exception>
    internal void Rollback(string target, bool asJson)
    {
        (string folder, string unit) = MigrateTargets.Home(target, wishes.IsUser);
        MigrateApply apply = new(wishes with { UnitFolder = folder }, TimeProvider.System);
        (string Path, MigrateRecord Record)? next = apply.Newest(unit);
        using MigrateJson? json = asJson ? new(output, "rolled_back") : null;
        while (next is var (path, record))
        {
            IReadOnlyList<FileChange> changes = record.WayBack();
            if (json is null)
                output.Write(MigrateReport.WayBack(record, changes));
            else
                json.Write(record, changes);
            output.Flush();
            MigrateApply.Rollback(path, record, wishes.IsUser);
            if (json is null)
                output.Write(MigrateReport.RolledBack(record));
            next = unit.Length == 0 ? MigrateRecord.Newest(folder, "") : null;
        }
        if (json is not null)
            json.IsDone = true;
    }

    private void Show(MigrateTarget target, IReadOnlyList<Finding> left, MigrateJson? json)
    {
        if (json is null)
            output.Write(MigrateReport.Text(target, left));
        else
            json.Write(target, left);
        // Whoever reads has it before anything is written.
        output.Flush();
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

    /// <summary>An error that the units have only afterwards; null without one.</summary>
    private static Finding? NewError(Migration? made, IReadOnlyList<Finding> left, MigrateTargets targets)
    {
        Finding[] errors = [.. left.Where(finding => finding.Severity == Severity.Error)];
        if (made is null || errors.Length == 0)
            return null;
        // Of a trio that is new nothing was there before.
        if (made.Form == MigrationForm.Plain)
            return errors[0];
        IReadOnlyList<Finding> found = RuleTable.Run(new(targets.Units, targets.Script, targets.Exists, []));
        HashSet<(string, string)> before = [.. found.Select(finding => (finding.RuleId, finding.Unit))];
        return Array.Find(errors, error => !before.Contains((error.RuleId, error.Unit)));
    }
}
