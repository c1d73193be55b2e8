using ProxyD.Machine;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>A file that a migration writes or removes.</summary>
/// <param name="Path">Where.</param>
/// <param name="Backup">Where what was there before is kept; null when there was nothing.</param>
/// <param name="Before">What was there before; null when there was nothing.</param>
/// <param name="After">What is written; null when the file is removed.</param>
internal sealed record RecordedFile(string Path, string? Backup, byte[]? Before, byte[]? After)
{
    /// <summary>What has to change for it to be as it was.</summary>
    /// <remarks>It may be so already: the migration has not come so far, or a rollback has been there before.</remarks>
    /// <exception cref="ToolException">Somebody has changed it since, its backup is gone, or it can't be read.</exception>
    internal FileChange WayBack()
    {
        FileChange back = FileChange.Of(Path, Before);
        if (!back.IsNeeded)
            return back;
        if (back.Before is null ? After is not null : After is null || !back.Before.AsSpan().SequenceEqual(After))
            throw new ToolException($"{Path} was changed since, and would be lost; expected it as --apply left it");
        return Backup is null || File.Exists(Backup) ? back : throw new ToolException($"{Backup} is gone; without it {Path} can't be put back");
    }

    /// <summary>Has it as it was, with owner and mode, and no backup beside it.</summary>
    /// <exception cref="ToolException">It can't be put back; it is what it was before the attempt.</exception>
    internal void PutBack()
    {
        bool isNeeded = WayBack().IsNeeded;
        try
        {
            if (isNeeded && Backup is not null)
                File.Move(Backup, Path, overwrite: true);
            else if (isNeeded)
                Remove();
            else if (Backup is not null && File.Exists(Backup))
                File.Delete(Backup);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{Path} can't be put back: {FileChange.Reason(e)}");
        }
    }

    /// <summary>A unit's folder of drop-ins goes with the last of them.</summary>
    private void Remove()
    {
        File.Delete(Path);
        string folder = System.IO.Path.GetDirectoryName(Path)!;
        bool isDropIns = DropIn.IsFolder(System.IO.Path.GetFileName(folder));
        if (isDropIns && !Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }
}
