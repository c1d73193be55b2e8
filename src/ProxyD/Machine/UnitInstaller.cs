using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Machine;

/// <summary>A file that was written.</summary>
/// <param name="Path">Where.</param>
/// <param name="Backup">What was there before, under another name; null when there was nothing.</param>
internal sealed record WrittenFile(string Path, string? Backup);

/// <summary>Writes files that systemd reads: each whole or not at all, and either all of them or none.</summary>
/// <param name="time">Whose local day the backups are named after.</param>
internal sealed class UnitInstaller(TimeProvider time)
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>
    /// Writes what is not there yet, and removes what is to go; a file that is replaced or removed stays beside it as
    /// <c>NAME.bak-YYYYMMDD</c>, the day's next with <c>-2</c>.
    /// </summary>
    /// <remarks>No reader of a unit folder takes such a name for a unit, a drop-in or a rule: they go by the end of the name.</remarks>
    /// <returns>The files that were written, in order.</returns>
    /// <exception cref="ToolException">Nothing has changed: which file could not be written, and why.</exception>
    internal IReadOnlyList<WrittenFile> Write(IEnumerable<FileChange> changes)
    {
        List<(FileChange Change, string? Temporary)> prepared = [];
        List<WrittenFile> written = [];
        try
        {
            foreach (FileChange change in changes.Where(change => change.IsNeeded))
                prepared.Add((change, change.After is null ? null : Attempt(change.Path, () => Prepare(change, change.After))));
            foreach ((FileChange change, string? temporary) in prepared)
                Attempt(change.Path, () => Commit(change, temporary, written));
            return written;
        }
        catch (ToolException e)
        {
            try
            {
                TakeBack(written);
            }
            catch (ToolException second)
            {
                throw new ToolException($"{e.Message}; and {second.Message}");
            }
            throw;
        }
        finally
        {
            // Those that became files bear other names now.
            foreach ((_, string? temporary) in prepared)
            {
                if (temporary is not null)
                    File.Delete(temporary);
            }
        }
    }

    /// <summary>Where a file would stay if it were replaced now.</summary>
    internal string BackupFor(string path)
    {
        string day = time.GetLocalNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        string backup = $"{path}.bak-{day}";
        for (int number = 2; Path.Exists(backup); number++)
            backup = string.Create(CultureInfo.InvariantCulture, $"{path}.bak-{day}-{number}");
        return backup;
    }

    /// <summary>Puts back what was there before, and removes what was not.</summary>
    /// <exception cref="ToolException">Which file could not be put back, and why; those before it have been.</exception>
    internal static void TakeBack(IEnumerable<WrittenFile> written)
    {
        foreach (WrittenFile file in written.Reverse())
        {
            Attempt(file.Path, () =>
            {
                if (file.Backup is null)
                    File.Delete(file.Path);
                else
                    File.Move(file.Backup, file.Path, overwrite: true);
                return true;
            });
        }
    }

    /// <summary>The new file under a name that nobody reads, in the same folder, so that a rename makes it the file.</summary>
    private static string Prepare(FileChange change, byte[] after)
    {
        string folder = Path.GetDirectoryName(change.Path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            // As for the file: whatever the umask, who asks systemd about a unit may read it.
            File.SetUnixFileMode(folder, FolderMode);
        }
        string temporary = $"{folder}/.{Path.GetFileName(change.Path)}.{Guid.NewGuid():N}";
        try
        {
            using FileStream file = new(temporary, System.IO.FileMode.CreateNew, FileAccess.Write);
            file.Write(after);
            // After a crash of the machine a rename may be there and the bytes not.
            file.Flush(flushToDisk: true);
            File.SetUnixFileMode(file.SafeFileHandle, change.IsNew ? FileMode : File.GetUnixFileMode(change.Path));
            if (!change.IsNew)
                GiveOwnerOf(change.Path, file.SafeFileHandle);
            return temporary;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private bool Commit(FileChange change, string? temporary, List<WrittenFile> written)
    {
        if (change.IsNew && temporary is not null)
        {
            // Whoever made such a file since we looked keeps it.
            File.Move(temporary, change.Path, overwrite: false);
            written.Add(new(change.Path, null));
            return true;
        }
        // Noted first: if the rename fails, the backup goes back.
        written.Add(new(change.Path, BackUp(change.Path, change.Backup ?? BackupFor(change.Path))));
        if (temporary is null)
            File.Delete(change.Path);
        else
            File.Move(temporary, change.Path, overwrite: true);
        return true;
    }

    /// <summary>A copy with owner and mode; the file itself stays where it is, so that there is one at every moment.</summary>
    private static string BackUp(string path, string backup)
    {
        // Copies the mode too.
        File.Copy(path, backup);
        using SafeFileHandle copy = File.OpenHandle(backup, System.IO.FileMode.Open, FileAccess.ReadWrite);
        GiveOwnerOf(path, copy);
        RandomAccess.FlushToDisk(copy);
        return backup;
    }

    /// <summary>Only root can give files away; a user who may replace another's file keeps the new one.</summary>
    private static unsafe void GiveOwnerOf(string path, SafeFileHandle file)
    {
        statx status = default;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            SysResult.From(Libc.statx(AT_FDCWD, name, 0, STATX_UID | STATX_GID, &status)).OrThrow("asking for the owner");
        }
        SysResult given = SysResult.From(Libc.fchown((int)file.DangerousGetHandle(), status.stx_uid, status.stx_gid));
        if (given.Errno != Errno.EPERM)
            given.OrThrow("giving it to its owner");
    }

    private static T Attempt<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SysException)
        {
            throw new ToolException($"{path} can't be written: {FileChange.Reason(e)}");
        }
    }
}
