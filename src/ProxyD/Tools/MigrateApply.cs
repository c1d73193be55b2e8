using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Carries a migration out, and takes one back: files, what starts at boot, and what runs.</summary>
internal sealed class MigrateApply(MigrationWishes wishes, TimeProvider time)
{
    private const string PolkitFolder = "/polkit-1/";

    private readonly Systemctl _systemctl = new(wishes.IsUser);

    private bool IsInstalled => !wishes.IsFolderOnly;

    /// <summary>Writes the files, with what they replace kept beside them, and brings the units over.</summary>
    /// <returns>Where what was done is recorded, and the files.</returns>
    /// <exception cref="ToolException">It can't be done; all is as it was.</exception>
    internal (string Record, IReadOnlyList<WrittenFile> Files) Apply(Migration migration)
    {
        FileChange[] changes = [.. migration.Files.Select(file => FileChange.Of(file.Path, file.After))];
        foreach ((MigratedFile file, FileChange change) in migration.Files.Zip(changes))
        {
            if (file.Before is null ? change.Before is not null : change.Before is null || !change.Before.AsSpan().SequenceEqual(file.Before))
                throw new ToolException($"{file.Path} is not what it was when it was read; expected nobody else at work on it");
        }
        if (IsInstalled)
            Require(migration);
        string[] stops = IsInstalled ? [.. migration.Stops.SelectMany(Running)] : [];
        string[] sockets = IsInstalled ? [.. Running(migration.Socket)] : [];
        MigrateRecord record = new()
        {
            Files = [],
            Socket = migration.Socket,
            Service = migration.Service,
            IsInstalled = IsInstalled,
            ReopensSocket = migration.IsSocketChanged || migration.IsSocketNew,
            Disabled = IsInstalled ? [.. migration.Disables.Where(IsEnabled)] : [],
            Enabled = IsInstalled && migration.IsSocketNew ? [migration.Socket] : [],
            Active = [.. sockets, .. stops],
        };
        IReadOnlyList<WrittenFile> written = [];
        try
        {
            StopBefore(migration, record, sockets);
            written = new UnitInstaller(time).Write(changes);
            record = record with { Files = [.. written.Select(file => new RecordedFile(file.Path, file.Backup, AfterOf(file.Path, changes)))] };
            string path = MigrateRecord.PathFor(wishes.UnitFolder, migration.Socket, time);
            new UnitInstaller(time).Write([FileChange.Of(path, record.ToJson())]);
            written = [.. written, new WrittenFile(path, null)];
            if (IsInstalled)
                BringOver(migration, sockets);
            return (path, [.. written.SkipLast(1)]);
        }
        catch (ToolException e)
        {
            Undo(record, written);
            throw new ToolException($"{e.Message}; everything is as it was");
        }
    }

    /// <summary>Takes the newest migration of a unit back.</summary>
    /// <returns>What was put back and removed.</returns>
    /// <exception cref="ToolException">There is none, or a file was changed since.</exception>
    internal MigrateRecord Rollback(string unit)
    {
        (string path, MigrateRecord record) = MigrateRecord.Newest(wishes.UnitFolder, unit)
            ?? throw new ToolException($"nothing in {wishes.UnitFolder} says that {(unit.Length > 0 ? unit : "a unit of it")} was migrated;"
                + " expected a *.migrated-DATE that --apply has left there");
        foreach (RecordedFile file in record.Files)
        {
            byte[]? now = File.Exists(file.Path) ? File.ReadAllBytes(file.Path) : null;
            if (now is null ? file.After is not null : file.After is null || !now.AsSpan().SequenceEqual(file.After))
                throw new ToolException($"{file.Path} was changed since, and would be lost; expected it as --apply left it");
            if (file.Backup is not null && !File.Exists(file.Backup))
                throw new ToolException($"{file.Backup} is gone; without it {file.Path} can't be put back");
        }
        Undo(record, record.Files.Select(file => new WrittenFile(file.Path, file.Backup)));
        File.Delete(path);
        return record;
    }

    /// <summary>Files first, then what starts at boot, then what runs.</summary>
    private void Undo(MigrateRecord record, IEnumerable<WrittenFile> written)
    {
        if (record.IsInstalled && record.ReopensSocket && Running(record.Socket).Concat(Running(record.Service)).ToArray() is { Length: > 0 } running)
            _systemctl.Run(["stop", .. running]);
        if (record.Enabled.Count > 0)
            _systemctl.Run(["disable", .. record.Enabled]);
        UnitInstaller.TakeBack(written);
        if (record.IsInstalled)
            Restore(record);
    }

    private static byte[]? AfterOf(string path, FileChange[] changes) => changes.First(change => change.Path == path).After;

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
    private void BringOver(Migration migration, string[] sockets)
    {
        foreach (MigratedFile user in migration.Files.Where(file => file.After is not null && file.Path.Contains("/sysusers.d/", StringComparison.Ordinal)))
        {
            (int status, _, string error) = OtherProgram.Run("systemd-sysusers", user.Path);
            if (status != 0)
                throw new ToolException($"systemd-sysusers {user.Path}: {error.Split('\n')[0]}");
        }
        _systemctl.Must("daemon-reload");
        if (migration is { RuleFor: { } proxyUser, Backend: { } backend })
            PolkitWait.Until(proxyUser, new UnitName(backend) is { IsTemplate: true } template ? template.With("x") : backend);
        string[] stops = [.. migration.Stops.SelectMany(Running)];
        if (stops.Length > 0)
            _systemctl.Must(["stop", .. stops]);
        if (migration.IsSocketNew)
            _systemctl.Must("enable", "--now", migration.Socket);
        foreach (string socket in sockets)
        {
            _systemctl.Run("reset-failed", socket, migration.Service);
            _systemctl.Must("start", socket);
        }
    }

    private void Restore(MigrateRecord record)
    {
        _systemctl.Must("daemon-reload");
        foreach (string unit in record.Disabled)
            _systemctl.Must("enable", unit);
        // The new form's proxy ends; the old units come up as they ran.
        string[] proxies = [.. Running(record.Service)];
        if (proxies.Length > 0)
            _systemctl.Must(["stop", .. proxies]);
        foreach (string unit in record.Active)
        {
            _systemctl.Run("reset-failed", unit);
            _systemctl.Must("start", unit);
        }
    }

    private bool IsEnabled(string unit) => _systemctl.Show(unit, "UnitFileState").GetValueOrDefault("UnitFileState", "") is "enabled" or "enabled-runtime";

    /// <summary>A unit if it runs; of a template, its instances that do.</summary>
    private IEnumerable<string> Running(string unit)
    {
        string pattern = new UnitName(unit).IsTemplate ? new UnitName(unit).With("*") : unit;
        string output = _systemctl.Must("list-units", "--plain", "--no-legend", "--full", "--state=active,activating,reloading,deactivating", pattern);
        return output.Split('\n').Select(line => line.Split(' ')[0]).Where(name => name.Length > 0);
    }
}
