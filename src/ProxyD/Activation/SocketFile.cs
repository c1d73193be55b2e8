using System.Text;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Activation;

/// <summary>What is at a path where a Unix socket is to be bound.</summary>
internal enum SocketFileState
{
    /// <summary>Nothing is there.</summary>
    Absent,

    /// <summary>A socket file without a listener: a crash left it.</summary>
    Stale,

    /// <summary>Somebody listens.</summary>
    Live,

    /// <summary>Something else is there.</summary>
    NoSocket,
}

/// <summary>The files that Unix sockets leave in the file system.</summary>
internal static unsafe class SocketFile
{
    /// <summary>Looks by connecting: whoever listens sees a connection that ends at once.</summary>
    internal static SocketFileState Probe(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
            return SocketFileState.Absent;
        if (!IsSocket(path))
            return SocketFileState.NoSocket;
        SysResult socket = SysResult.From(Libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        fixed (byte* bytes = SocketAddress.UnixPath(path).Bytes)
        {
            SysResult connected = SysResult.From(Libc.connect(socket.Value, bytes, (uint)SocketAddress.UnixPath(path).Bytes.Length));
            Libc.close(socket.Value);
            return connected.Errno == Errno.ECONNREFUSED ? SocketFileState.Stale : SocketFileState.Live;
        }
    }

    internal static SysResult Unlink(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return SysResult.From(Libc.unlink(name));
        }
    }

    private static bool IsSocket(string path) =>
        // .NET reports sockets, pipes and devices as plain attributes; only the mode tells. S_IFSOCK is 0xC000 of 0xF000.
        (Mode(path) & 0xF000) == 0xC000;

    private static int Mode(string path)
    {
        statx status = default;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return Libc.statx(AT_FDCWD, name, 0, STATX_TYPE, &status) == 0 ? status.stx_mode : 0;
        }
    }
}
