using System.Net;
using System.Net.Sockets;

namespace ProxyD.Benchmarks;

/// <summary>Two ends of one TCP connection through loopback, non-blocking: segments, copies and acknowledgements as proxyd meets them.</summary>
internal sealed class TcpPair : IDisposable
{
    // netinet/tcp.h: a congestion control that paces (bbr) would measure its timers; reno is always there.
    private const int ProtocolTcp = 6;
    private const int TcpCongestion = 13;

    private readonly Socket _outer;
    private readonly Socket _inner;

    internal TcpPair()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _outer = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _outer.Connect(listener.LocalEndPoint!);
        _inner = listener.Accept();
        _outer.NoDelay = _inner.NoDelay = true;
        foreach (Socket end in new[] { _outer, _inner })
            end.SetRawSocketOption(ProtocolTcp, TcpCongestion, "reno"u8);
        _outer.Blocking = _inner.Blocking = false;
    }

    /// <summary>The end that stands for the client or the backend.</summary>
    internal int Outer => (int)_outer.Handle;

    /// <summary>The end that proxyd holds.</summary>
    internal int Inner => (int)_inner.Handle;

    public void Dispose()
    {
        _outer.Dispose();
        _inner.Dispose();
    }
}
