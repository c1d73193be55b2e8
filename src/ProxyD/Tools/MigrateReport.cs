using System.Text;
using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Rules;

namespace ProxyD.Tools;

/// <summary>How proposals are shown.</summary>
internal static class MigrateReport
{
    /// <summary>For people: what was understood, then the change as patch(1) takes it.</summary>
    internal static string Text(MigrateTarget target, IReadOnlyList<Finding> left)
    {
        if (target.Proposal is not { } proposal)
            return $"{target.Name}: left alone. {target.Problem}\n";
        if (proposal.Files.Count == 0)
            return $"{target.Name}: nothing to do\n";
        StringBuilder text = new();
        text.Append(proposal.Socket).Append(" -> ").Append(proposal.Service).Append(" -> ").Append(proposal.Backend ?? "its backend")
            .Append(": ").Append(FormText(proposal.Form)).Append('\n');
        if (proposal.WaitBind is { } wait)
            text.Append("  a client waits ").Append(wait).Append(" for the backend (--wait-bind)")
                .Append(proposal.Ready is null ? "" : $", and until {proposal.Ready} says that it is ready (--ready)").Append('\n');
        foreach (string note in proposal.Notes)
            text.Append("  ").Append(note).Append('\n');
        foreach (Finding finding in left)
            text.Append($"  left: {finding.RuleId} {FindingText.Word(finding.Severity)} in {finding.Unit}: {finding.Why}\n");
        text.Append('\n');
        foreach (MigratedFile file in proposal.Files)
            text.Append(file.Diff);
        return text.Append('\n').ToString();
    }

    /// <summary>After <c>--apply</c>: what is where, and the ways on and back.</summary>
    internal static string Applied(Migration proposal, IReadOnlyList<WrittenFile> files, MigrationWishes wishes)
    {
        StringBuilder text = new();
        foreach (WrittenFile file in files)
        {
            string verb = file.Backup is null ? "added" : File.Exists(file.Path) ? "written" : "removed";
            text.Append(verb).Append(' ').Append(file.Path).Append(file.Backup is null ? "" : $", before: {file.Backup}").Append('\n');
        }
        if (!wishes.IsFolderOnly)
            text.Append("try it:    proxyd verify ").Append(proposal.Socket).Append(wishes.IsUser ? " --user" : "").Append('\n');
        return text.Append("undo it:   ").Append(UndoCommand(proposal.Socket, wishes)).Append('\n').ToString();
    }

    /// <summary>What takes a migration back.</summary>
    internal static string UndoCommand(string socket, MigrationWishes wishes) =>
        $"proxyd migrate {(wishes.IsFolderOnly ? $"{wishes.UnitFolder}/{socket}" : socket)}{(wishes.IsUser ? " --user" : "")} --rollback";

    /// <summary>Before <c>--rollback</c>: what it changes, as patch(1) takes it.</summary>
    internal static string WayBack(MigrateRecord record, IReadOnlyList<FileChange> changes) =>
        $"{record.Socket} -> {record.Service}: back to what was there before --apply\n\n{string.Concat(changes.Select(change => change.Diff))}\n";

    /// <summary>After <c>--rollback</c>.</summary>
    internal static string RolledBack(MigrateRecord record)
    {
        StringBuilder text = new();
        foreach (RecordedFile file in record.Files)
            text.Append(file.Backup is null ? "removed " : "put back ").Append(file.Path).Append('\n');
        bool hasUser = record.Files.Any(file => file.Path.Contains("/sysusers.d/", StringComparison.Ordinal));
        return text.Append(hasUser ? "the user that was made stays; userdel removes it\n" : "").ToString();
    }

    private static string FormText(MigrationForm form) => form switch
    {
        MigrationForm.Minimal => "proxyd in place of the proxy and its guards",
        MigrationForm.Resident => "a resident proxyd that owns its backend",
        _ => "a trio in place of the service",
    };
}
