using System.Text;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Machine;

/// <summary>Reads files whose paths others have chosen: a pipe would keep its reader waiting for ever, a file without an end take all memory.</summary>
internal static class RegularFile
{
    // S_IFMT, S_IFCHR and S_IFREG of sys/stat.h.
    private const int TypeMask = 0xF000;
    private const int CharacterDevice = 0x2000;
    private const int Regular = 0x8000;

    /// <summary>All bytes of a regular file; none of /dev/null, to which units and drop-ins are linked that are switched off (systemd.unit(5)).</summary>
    /// <exception cref="IOException">It is not there, can't be read, is no regular file, or is larger.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static byte[] Read(string path, int bytesMax)
    {
        string expected = $"expected a regular file of at most {bytesMax / 1024} KiB";
        int type = TypeOf(path);
        if (type == CharacterDevice && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) == "/dev/null")
            return [];
        // Of what is not there, opening says why.
        if (type is not (0 or Regular))
            throw new IOException($"it is no regular file; {expected}");
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > bytesMax)
            throw new IOException($"it is larger; {expected}");
        byte[] bytes = new byte[file.Length];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    /// <summary>Whether a path leads to anything. <see cref="File.Exists"/> is content with a link that leads nowhere.</summary>
    internal static bool IsThere(string path) => Status(path, out _).Errno != Errno.ENOENT;

    /// <summary>Whether a path leads to a device, as a masked unit's does to /dev/null.</summary>
    internal static bool IsDevice(string path) => TypeOf(path) == CharacterDevice;

    /// <summary>What .NET does not tell apart; 0 when it is not there.</summary>
    private static int TypeOf(string path) => Status(path, out statx status).Ok ? status.stx_mode & TypeMask : 0;

    private static unsafe SysResult Status(string path, out statx status)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        fixed (statx* into = &status)
            return SysResult.From(Libc.statx(AT_FDCWD, name, 0, STATX_TYPE, into));
    }
}
