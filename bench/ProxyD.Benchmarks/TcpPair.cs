using System.Net;
using System.Net.Sockets;

namespace ProxyD.Benchmarks;

/// <summary>Two ends of one TCP connection through loopback, non-blocking: segments, copies and acknowledgements as proxyd meets them.</summary>
internal sealed class TcpPair : IDisposable
{
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
