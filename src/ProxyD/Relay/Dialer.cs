using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>How one attempt to reach one backend address stands.</summary>
internal enum DialStatus
{
    /// <summary>The connection stands.</summary>
    Standing,

    /// <summary>The peer has not answered yet; the descriptor becomes writable when it does.</summary>
    InProgress,

    /// <summary>It failed; the descriptor is closed.</summary>
    Failed,
}

/// <param name="Status">How it stands.</param>
/// <param name="Fd">The socket, or -1 after a failure.</param>
/// <param name="Error">Why it failed.</param>
internal readonly record struct DialResult(DialStatus Status, int Fd, Errno Error)
{
    internal static DialResult Failure(Errno error) => new(DialStatus.Failed, -1, error);
}

/// <summary>Opens backend connections without ever blocking.</summary>
internal static unsafe class Dialer
{
    /// <summary>Begins one attempt. On loopback and Unix sockets it is decided when this returns, unless a TCP backend's queue is full.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="descriptorCeiling">From this descriptor on it counts as EMFILE (<see cref="RelayLimits.DescriptorCeiling"/>).</param>
    internal static DialResult Begin(SocketAddress address, int descriptorCeiling)
    {
        SysResult socket = SysResult.From(Libc.socket(address.Family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!socket.Ok)
            return DialResult.Failure(socket.Errno);
        int fd = socket.Value;
        if (fd >= descriptorCeiling)
            return Fails(fd, Errno.EMFILE);
        SysResult connected = Connect(fd, address);
        if (connected.Errno == Errno.EINPROGRESS)
            return Conclude(fd, address);
        return connected.Ok ? Stands(fd, address) : Fails(fd, connected.Errno);
    }

    /// <summary>Asks how an attempt stands that was in progress.</summary>
    /// <remarks>
    /// A second connect(2) answers with one system call: 0 or EISCONN when it stands, EALREADY while the peer is silent, the
    /// error otherwise (__inet_stream_connect in the kernel's af_inet.c). SO_ERROR alone can't tell "stands" from "not yet".
    /// A peer that took the connection and has reset it already is a failure like any other: no byte of the client's was sent,
    /// so another attempt is safe.
    /// </remarks>
    internal static DialResult Conclude(int fd, SocketAddress address)
    {
        SysResult connected = Connect(fd, address);
        if (connected.Ok || connected.Errno == Errno.EISCONN)
            return Stands(fd, address);
        return connected.Errno is Errno.EALREADY or Errno.EINPROGRESS
            ? new(DialStatus.InProgress, fd, Errno.None)
            : Fails(fd, connected.Errno);
    }

    /// <summary>Whether a backend connection that nobody has used yet is still what it was.</summary>
    internal static bool IsUsable(int fd) => (Sockets.PollNow(fd, POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) == 0;

    private static SysResult Connect(int fd, SocketAddress address)
    {
        fixed (byte* bytes = address.Bytes)
        {
            return SysResult.From(Libc.connect(fd, bytes, (uint)address.Bytes.Length));
        }
    }

    private static DialResult Stands(int fd, SocketAddress address)
    {
        if (address.Family == AF_UNIX)
            return new(DialStatus.Standing, fd, Errno.None);
        // Sooner or later a connect to a port of the ephemeral range on this machine picks that very port as its own and meets
        // itself (TCP simultaneous open). Kept, it would take the backend's port away, so it must go without TIME_WAIT.
        if (address.IsSelfConnect(fd))
        {
            Sockets.Reset(fd);
            return DialResult.Failure(Errno.ECONNREFUSED);
        }
        TcpOptions.SendAtOnce(fd);
        if (!address.IsLoopback)
            TcpOptions.KeepAlive(fd);
        return new(DialStatus.Standing, fd, Errno.None);
    }

    private static DialResult Fails(int fd, Errno error)
    {
        Libc.close(fd);
        return DialResult.Failure(error);
    }
}
