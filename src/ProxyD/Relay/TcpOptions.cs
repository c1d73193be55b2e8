using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>The socket options of relayed connections (tcp(7)). On a listener, connections that arrive later inherit them.</summary>
internal static class TcpOptions
{
    /// <summary>After so long without a byte: ask whether the peer still lives. A dead one is noticed after four minutes.</summary>
    private const int KeepAliveIdleSeconds = 120;
    private const int KeepAliveIntervalSeconds = 30;
    private const int KeepAliveProbes = 4;

    /// <summary>Whoever wrote the bytes has decided when to send them; we add no delay. Fails, harmlessly, on a Unix socket.</summary>
    internal static void SendAtOnce(int fd) => Sockets.SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);

    internal static void KeepAlive(int fd)
    {
        Sockets.SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        Sockets.SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, KeepAliveIdleSeconds);
        Sockets.SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, KeepAliveIntervalSeconds);
        Sockets.SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, KeepAliveProbes);
    }

    internal static bool HasKeepAlive(int fd) => Sockets.GetOption(fd, SOL_SOCKET, SO_KEEPALIVE).Value == 1;
}
