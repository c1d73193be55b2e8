using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Carries a migration out: files, what starts at boot, and what runs.</summary>
internal sealed class MigrateApply(MigrationWishes wishes, TimeProvider time)
{
    private const string PolkitFolder = "/polkit-1/";

    /// <summary>Where systemd shows at a unit who stops with it (org.freedesktop.systemd1(5)).</summary>
    private static readonly string[] s_stopsWith = ["RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"];

    private readonly Systemctl _systemctl = new(wishes.IsUser);

    private bool IsInstalled => !wishes.IsFolderOnly;

    /// <summary>Notes what it is going to do, writes the files, with what they replace kept beside them, and brings the units over.</summary>
    /// <param name="stop">Somebody wants it to end: then all of it is taken back.</param>
    /// <returns>The files.</returns>
    /// <exception cref="ToolException">It can't be done, or was interrupted; all is as it was, or what of it is not is said.</exception>
    internal IReadOnlyList<WrittenFile> Apply(Migration migration, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
            throw new ToolException($"interrupted; {migration.Socket} is left as it is");
        FileChange[] changes = Changes(migration);
        if (IsInstalled)
            Require(migration);
        string[] sockets = IsInstalled ? [.. _systemctl.Running(migration.Socket)] : [];
        string[] dependents = IsInstalled ? Dependents(migration) : [];
        MigrateRecord record = Plan(migration, changes, sockets, dependents);
        string path = MigrateRecord.PathFor(wishes.UnitFolder, migration.Socket, time);
        // From here on whatever happens can be taken back, also by another process.
        record.Save(path);
        try
        {
            StopBefore(migration, record, sockets);
            stop.ThrowIfCancellationRequested();
            IReadOnlyList<WrittenFile> written = new UnitInstaller(time).Write(changes);
            if (IsInstalled)
                BringOver(migration, sockets, dependents, stop);
            stop.ThrowIfCancellationRequested();
            return written;
        }
        catch (Exception e) when (e is ToolException or OperationCanceledException)
        {
            // Ctrl-C reaches systemctl too, which then fails.
            throw GiveUp(path, record, stop.IsCancellationRequested ? "interrupted" : e.Message);
        }
    }

    /// <summary>The newest migration of a unit.</summary>
    /// <param name="unit">Its name; empty for any in the folder.</param>
    /// <exception cref="ToolException">There is none, or it can't be read.</exception>
    internal (string Path, MigrateRecord Record) Newest(string unit) => MigrateRecord.Newest(wishes.UnitFolder, unit)
        ?? throw new ToolException($"nothing in {wishes.UnitFolder} says that {(unit.Length > 0 ? unit : "a unit of it")} was migrated;"
            + " expected a *.migrated-DATE that --apply has left there");

    /// <summary>Takes a migration back, however far it came, or an earlier attempt to take it back did.</summary>
    /// <exception cref="ToolException">A file was changed since, and nothing is done; or it can't be carried out, and can be tried again.</exception>
    internal static void Rollback(string path, MigrateRecord record, bool isUser)
    {
        record.WayBack();
        new MigrateUndo(new(isUser), record).Run();
        MigrateRecord.Remove(path);
    }

    /// <summary>Takes back what was done so far.</summary>
    /// <returns>What to say: why, and how it is now.</returns>
    private ToolException GiveUp(string path, MigrateRecord record, string why)
    {
        try
        {
            Rollback(path, record, wishes.IsUser);
            return new($"{why}; everything is as it was");
        }
        catch (ToolException e)
        {
            string[] backups = [.. record.Files.Select(file => file.Backup).OfType<string>().Where(File.Exists)];
            string kept = backups.Length > 0 ? $"; what was there before is in {string.Join(", ", backups)}" : "";
            string command = MigrateReport.UndoCommand(record.Socket, wishes);
            return new($"{why}; and that could not be taken back: {e.Message}{kept}; once it can, do it with: {command}");
        }
    }

    private FileChange[] Changes(Migration migration)
    {
        UnitInstaller installer = new(time);
        List<FileChange> changes = [];
        foreach (MigratedFile file in migration.Files)
        {
            FileChange change = FileChange.Of(file.Path, file.After);
            if (file.Before is null ? change.Before is not null : change.Before is null || !change.Before.AsSpan().SequenceEqual(file.Before))
                throw new ToolException($"{file.Path} is not what it was when it was read; expected nobody else at work on it");
            if (change.IsNeeded)
                changes.Add(change with { Backup = change.IsNew ? null : installer.BackupFor(change.Path) });
        }
        return [.. changes];
    }

    /// <summary>Services of others that run, and stop with what is stopped: they are started again, whichever way it goes.</summary>
    private string[] Dependents(Migration migration)
    {
        HashSet<string> own = [migration.Socket, migration.Service, migration.Backend ?? "", .. migration.Stops];
        own.UnionWith(migration.Files.Select(file => Path.GetFileName(file.Path)));
        HashSet<string> found = [];
        string[] next = [.. migration.Stops.SelectMany(_systemctl.Running)];
        while (next.Length > 0)
        {
            IEnumerable<string> named = next.Select(unit => _systemctl.Show(unit, s_stopsWith))
                .SelectMany(shown => s_stopsWith.SelectMany(key => Words.Split(shown.GetValueOrDefault(key, ""), keepsEscapes: true)));
            next =
            [
                .. named.Distinct().Where(unit => UnitName.TypeOf(unit) == UnitType.Service && !own.Contains(unit))
                    .SelectMany(_systemctl.Running).Where(found.Add),
            ];
        }
        return [.. found];
    }

    private MigrateRecord Plan(Migration migration, FileChange[] changes, string[] sockets, string[] dependents) => new()
    {
        Files = [.. changes.Select(change => new RecordedFile(change.Path, change.Backup, change.Before, change.After))],
        Socket = migration.Socket,
        Service = migration.Service,
        IsInstalled = IsInstalled,
        ReopensSocket = migration.IsSocketChanged || migration.IsSocketNew,
        Disabled = IsInstalled ? [.. migration.Disables.Where(_systemctl.IsEnabled)] : [],
        Enabled = IsInstalled && migration.IsSocketNew ? [migration.Socket] : [],
        Active = IsInstalled ? [.. sockets, .. migration.Stops.SelectMany(_systemctl.Running), .. dependents] : [],
        Made = IsInstalled ? [.. changes.Where(change => change.IsNew).Select(change => Path.GetFileName(change.Path)).Where(IsUnknown)] : [],
    };

    /// <summary>A unit that systemd has no file for; of a package's unit the file alone is new.</summary>
    private bool IsUnknown(string name) => UnitName.TypeOf(name) is UnitType.Service or UnitType.Socket
        && _systemctl.Show(new UnitName(name).Loadable, "LoadState").GetValueOrDefault("LoadState") == "not-found";

    /// <summary>What must be there before anything is touched.</summary>
    private void Require(Migration migration)
    {
        if (!File.Exists(wishes.Proxyd))
            throw new ToolException($"there is no {wishes.Proxyd}; expected proxyd: {DaemonFile.InstallAs(wishes.Proxyd)}, or --proxyd=PATH");
        bool needsPolkit = migration.Files.Any(file => file.Path.Contains(PolkitFolder, StringComparison.Ordinal));
        if (needsPolkit && _systemctl.Show("polkit.service", "LoadState").GetValueOrDefault("LoadState") != "loaded")
        {
            throw new ToolException("polkit is not installed, and without it an unprivileged proxyd may not start its backend;"
                + " expected polkitd, or no --resident");
        }
    }

    /// <summary>A socket that opens anew, and a daemon whose port becomes the socket's, have to be out of the way first.</summary>
    private void StopBefore(Migration migration, MigrateRecord record, string[] sockets)
    {
        if (record.Disabled.Count > 0)
            _systemctl.Must(["disable", .. record.Disabled]);
        if (!IsInstalled)
            return;
        if (migration.IsSocketNew)
            _systemctl.Must(["stop", .. migration.Stops]);
        if (migration.IsSocketChanged && sockets.Length > 0)
            _systemctl.Must(["stop", .. sockets]);
    }

    /// <summary>The proxy goes last: until it is stopped, the old one serves, and who comes in between waits in the socket's queue.</summary>
    private void BringOver(Migration migration, string[] sockets, string[] dependents, CancellationToken stop)
    {
        foreach (MigratedFile user in migration.Files.Where(file => file.After is not null && file.Path.Contains("/sysusers.d/", StringComparison.Ordinal)))
        {
            (int status, _, string error) = OtherProgram.Run("systemd-sysusers", user.Path);
            if (status != 0)
                throw new ToolException($"systemd-sysusers {user.Path}: {error.Split('\n')[0]}");
        }
        _systemctl.Must("daemon-reload");
        if (migration is { RuleFor: { } proxyUser, Backend: { } backend })
            PolkitWait.Until(proxyUser, new UnitName(backend).Loadable);
        stop.ThrowIfCancellationRequested();
        string[] stops = [.. migration.Stops.SelectMany(_systemctl.Running)];
        if (stops.Length > 0)
            _systemctl.Must(["stop", .. stops]);
        if (migration.IsSocketNew)
            _systemctl.Must("enable", "--now", migration.Socket);
        foreach (string socket in sockets)
        {
            _systemctl.Run("reset-failed", socket, migration.Service);
            _systemctl.Must("start", socket);
        }
        if (dependents.Length > 0)
            _systemctl.Must(["start", .. dependents]);
    }
}
