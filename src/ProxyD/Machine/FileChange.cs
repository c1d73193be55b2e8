using System.Runtime.InteropServices;
using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>A file as it is and as it is to be.</summary>
/// <param name="Path">Where; a symbolic link has been followed.</param>
/// <param name="Before">Null when there is none.</param>
/// <param name="After">What is to be in it; null when it is to go.</param>
internal sealed record FileChange(string Path, byte[]? Before, byte[]? After)
{
    /// <summary>Where a file that is replaced or removed is to stay; null where the installer may choose.</summary>
    internal string? Backup { get; init; }

    internal bool IsNew => Before is null;

    /// <summary>Whether writing it would change anything.</summary>
    internal bool IsNeeded => Before is null || After is null ? Before != After : !Before.AsSpan().SequenceEqual(After);

    /// <summary>As patch(1) takes it; empty when nothing changes.</summary>
    internal string Diff => UnifiedDiff.Between(Before is null ? null : UnitText.Decode(Before).Text, After is null ? null : UnitText.Decode(After).Text, Path);

    /// <summary>Compares what is to be with what is there.</summary>
    /// <exception cref="ToolException">Something is there that can't be read, or is no file of its own.</exception>
    internal static FileChange Of(string path, byte[]? after)
    {
        try
        {
            string target = Target(path);
            return new(target, File.Exists(target) ? File.ReadAllBytes(target) : null, after);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path} can't be read: {Reason(e)}");
        }
    }

    /// <summary>errno(3): Linux has none as high.</summary>
    private const int ErrnoEnd = 4096;

    /// <summary>What systemd says of an error, without .NET's own sentence around it.</summary>
    internal static string Reason(Exception error) => error switch
    {
        UnauthorizedAccessException => "permission denied",
        FileNotFoundException or DirectoryNotFoundException => "there is no such file or folder",
        // .NET puts the errno there, and leaves its own texts out of what is compiled ahead of time.
        IOException { HResult: > 0 and < ErrnoEnd } => Marshal.GetPInvokeErrorMessage(error.HResult),
        _ => error.Message,
    };

    /// <summary>Where a path leads: a file that was linked into the unit folder is changed where it is, as an editor would.</summary>
    private static string Target(string path)
    {
        if (Directory.Exists(path))
            throw new ToolException($"{path} is a folder; expected a file, or nothing");
        string target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        // systemctl-mask(1): a unit that links to /dev/null.
        return target == "/dev/null"
            ? throw new ToolException($"{path} is masked; expected a file, or nothing (systemctl unmask {System.IO.Path.GetFileName(path)})")
            : target;
    }
}
