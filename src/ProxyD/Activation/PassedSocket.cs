using System.Diagnostics.CodeAnalysis;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Activation;

/// <summary>What a passed socket is good for.</summary>
internal enum PassedSocketKind
{
    /// <summary>A listening TCP socket, IPv4 or IPv6.</summary>
    ListeningTcp,

    /// <summary>A listening stream socket over Unix, or over another protocol than TCP: it tells only whether somebody waits.</summary>
    ListeningOther,

    /// <summary>One client's own stream socket (<c>Accept=yes</c>).</summary>
    Connected,
}

/// <summary>A socket that is ours to serve: passed by a service manager, or bound by ourselves.</summary>
internal sealed record PassedSocket(int Fd, string Name, PassedSocketKind Kind)
{
    /// <summary>Asks the kernel what a descriptor is, and makes it non-blocking and close-on-exec.</summary>
    /// <param name="problem">Why it can't be served: what it is and what was expected.</param>
    internal static bool TryExamine(
        int fd, string name, [NotNullWhen(true)] out PassedSocket? socket, [NotNullWhen(false)] out string? problem)
    {
        socket = null;
        problem = null;
        SysResult type = Sockets.GetOption(fd, SOL_SOCKET, SO_TYPE);
        SysResult family = Sockets.GetOption(fd, SOL_SOCKET, SO_DOMAIN);
        if (!type.Ok || !family.Ok)
            problem = $"it is no socket ({type.Errno.Text()})";
        else if (type.Value != SOCK_STREAM)
            problem = $"it is a {TypeName(type.Value)} socket";
        else if (family.Value is not (AF_INET or AF_INET6 or AF_UNIX))
            problem = $"its address family is {family.Value}, not AF_INET, AF_INET6 or AF_UNIX";
        else if (Classify(fd, family.Value) is { } kind)
            socket = new(fd, name, kind);
        else
            problem = "it neither listens nor is connected";
        if (socket is not null)
        {
            Sockets.SetNonBlocking(fd);
            Sockets.SetCloseOnExec(fd);
        }
        return socket is not null;
    }

    private static unsafe PassedSocketKind? Classify(int fd, int family)
    {
        if (Sockets.GetOption(fd, SOL_SOCKET, SO_ACCEPTCONN).Value == 1)
        {
            bool isTcp = family != AF_UNIX && Sockets.GetOption(fd, SOL_SOCKET, SO_PROTOCOL).Value == IPPROTO_TCP;
            return isTcp ? PassedSocketKind.ListeningTcp : PassedSocketKind.ListeningOther;
        }
        byte* peer = stackalloc byte[SocketAddress.MaxBytes];
        uint length = SocketAddress.MaxBytes;
        return Libc.getpeername(fd, peer, &length) == 0 ? PassedSocketKind.Connected : null;
    }

    private static string TypeName(int type) => type switch
    {
        2 => "datagram (UDP)",
        3 => "raw",
        5 => "seqpacket",
        _ => $"type {type}",
    };
}
