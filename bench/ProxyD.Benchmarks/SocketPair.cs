using System.Runtime.InteropServices;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Benchmarks;

/// <summary>Two connected, non-blocking Unix stream sockets: as little kernel as a stream can have, so that our own part shows.</summary>
internal sealed unsafe partial class SocketPair : IDisposable
{
    internal SocketPair()
    {
        Open(out int outer, out int inner);
        (Outer, Inner) = (outer, inner);
    }

    /// <summary>The end that stands for the client or the backend.</summary>
    internal int Outer { get; }

    /// <summary>The end that proxyd holds.</summary>
    internal int Inner { get; }

    /// <summary>For those who close the descriptors themselves.</summary>
    internal static void Open(out int first, out int second)
    {
        int* fds = stackalloc int[2];
        SysResult.From(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)).OrThrow("socketpair");
        (first, second) = (fds[0], fds[1]);
    }

    public void Dispose()
    {
        Libc.close(Outer);
        Libc.close(Inner);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* fds);
}
