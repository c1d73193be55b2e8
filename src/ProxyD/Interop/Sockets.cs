using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Interop;

/// <summary>The few socket operations that several layers share.</summary>
internal static unsafe class Sockets
{
    internal static SysResult SetOption(int fd, int level, int name, int value) =>
        SysResult.From(Libc.setsockopt(fd, level, name, &value, sizeof(int)));

    internal static SysResult GetOption(int fd, int level, int name)
    {
        int value = 0;
        uint length = sizeof(int);
        SysResult result = SysResult.From(Libc.getsockopt(fd, level, name, &value, &length));
        return result.Ok ? SysResult.From(value) : result;
    }

    /// <summary>Reads and clears the socket's pending error (SO_ERROR).</summary>
    internal static Errno TakeError(int fd)
    {
        SysResult result = GetOption(fd, SOL_SOCKET, SO_ERROR);
        return result.Ok ? (Errno)result.Value : result.Errno;
    }

    /// <summary>Closes so that the peer is told by RST that the stream was cut, not finished (SO_LINGER with time 0, socket(7)).</summary>
    internal static void Reset(int fd)
    {
        linger now = new() { l_onoff = 1, l_linger = 0 };
        Libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, (uint)sizeof(linger));
        Libc.close(fd);
    }

    /// <summary>Whether the peer is gone with nothing left to say. One that sent FIN, or wrote and closed, still is a client.</summary>
    /// <remarks>RST always shows as POLLERR. On a Unix socket a plain close shows as POLLHUP, with its last bytes still to be read.</remarks>
    internal static bool IsDead(int fd)
    {
        short events = PollNow(fd, 0);
        if ((events & POLLERR) != 0)
            return true;
        byte first;
        return (events & POLLHUP) != 0 && Libc.recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    }

    /// <summary>Bytes that the peer's kernel has not confirmed yet (SIOCOUTQ, tcp(7)); on a Unix socket, not read yet.</summary>
    internal static int UnsentBytes(int fd)
    {
        int count = 0;
        return Libc.ioctl(fd, SIOCOUTQ, &count) == 0 ? count : 0;
    }

    /// <summary>Asks poll(2) without waiting; returns the events that are there now.</summary>
    internal static short PollNow(int fd, short events)
    {
        pollfd item = new() { fd = fd, events = events };
        return Libc.poll(&item, 1, 0) > 0 ? item.revents : (short)0;
    }

    internal static SysResult SetNonBlocking(int fd)
    {
        SysResult flags = SysResult.From(Libc.fcntl(fd, F_GETFL, 0));
        return flags.Ok ? SysResult.From(Libc.fcntl(fd, F_SETFL, flags.Value | O_NONBLOCK)) : flags;
    }

    internal static SysResult SetCloseOnExec(int fd) => SysResult.From(Libc.fcntl(fd, F_SETFD, FD_CLOEXEC));
}
