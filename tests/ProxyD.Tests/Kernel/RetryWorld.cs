using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>A relay that retries, and backends that come and go at one address.</summary>
internal sealed class RetryWorld : IDisposable
{
    private readonly EndPoint _where;
    private Socket? _backend;

    /// <param name="unix">The backend's address is an abstract Unix one.</param>
    internal RetryWorld(bool unix = false, int? holdMs = null, RelayLimits? limits = null, bool isGated = false)
    {
        string name = $"proxyd-test-{Guid.NewGuid()}";
        IPEndPoint free = RelayHarness.FreeEndpoint();
        _where = unix ? new UnixDomainSocketEndPoint('\0' + name) : free;
        Interop.SocketAddress address = unix ? Interop.SocketAddress.UnixAbstract(name) : Interop.SocketAddress.Internet(free.Address, free.Port);
        StartBackend();
        Relay = RelayHarness.Retrying(address, holdMs, limits, isGated);
    }

    internal RelayHarness Relay { get; }

    /// <summary>A backend listens; who connects is in its backlog until <see cref="Accept"/>.</summary>
    /// <param name="receiveBufferBytes">For a backend that takes little at once.</param>
    internal void StartBackend(int? receiveBufferBytes = null)
    {
        bool unix = _where is UnixDomainSocketEndPoint;
        _backend = new(_where.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        if (!unix)
            _backend.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        if (receiveBufferBytes is { } bytes)
            _backend.ReceiveBufferSize = bytes;
        // A child that another test is just starting holds a copy of the former listener until it runs its program.
        RelayHarness.Eventually(() => TryBind(_backend), $"{_where} is free");
        _backend.Listen(1024);
    }

    private bool TryBind(Socket socket)
    {
        try
        {
            socket.Bind(_where);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    /// <summary>The listener closes: whoever is in its backlog is reset.</summary>
    internal void EndBackend() => _backend!.Dispose();

    internal Socket Accept()
    {
        Assert.True(_backend!.Poll(RelayHarness.Patience, SelectMode.SelectRead), "nobody connected to the backend");
        Socket accepted = _backend.Accept();
        accepted.ReceiveTimeout = accepted.SendTimeout = (int)RelayHarness.Patience.TotalMilliseconds;
        return accepted;
    }

    internal bool SomebodyConnects(int withinMs = 100) => _backend!.Poll(withinMs * 1000, SelectMode.SelectRead);

    /// <summary>A client whose bytes were passed on to a connection that the backend has not accepted.</summary>
    internal Socket ClientInBacklog(byte[] request)
    {
        int moved = 0;
        Relay.Server.TellNextMove(() => Interlocked.Exchange(ref moved, 1));
        Assert.True(Relay.Server.PingAsync().Wait(RelayHarness.Patience), "a data-plane thread hangs");
        Socket client = Relay.Connect();
        client.Send(request);
        RelayHarness.Eventually(() => Volatile.Read(ref moved) == 1, "the client's bytes at the backend");
        Relay.Server.TellNextMove(null);
        return client;
    }

    /// <summary>A client that was in the backlog of a backend that has ended, and waits for the next.</summary>
    internal Socket ClientThatWaits(byte[] request)
    {
        Socket client = ClientInBacklog(request);
        EndBackend();
        RelayHarness.Eventually(() => Relay.Server.WaitingFor(0) == 1, "the connection waits");
        return client;
    }

    /// <summary>A client whose request a backend has read, but for its last byte, before it reset the connection and ended.</summary>
    /// <remarks>Unread input is what makes a Unix socket reset.</remarks>
    internal Socket ClientAfterReadAndReset(byte[] request, bool fin = false)
    {
        Socket client = Relay.Connect();
        Socket upstream = Accept();
        AssertPassedOn(client, upstream, request, unread: 1);
        RelayHarness.Eventually(() => upstream.Available > 0, "the last byte");
        if (fin)
        {
            client.Shutdown(SocketShutdown.Send);
            RelayHarness.Eventually(() => Sockets.PollNow((int)upstream.Handle, LibcConstants.POLLRDHUP) != 0, "FIN at the backend");
        }
        EndBackend();
        RelayHarness.ResetNow(upstream);
        return client;
    }

    internal static void AssertPassedOn(Socket from, Socket to, byte[] bytes, int unread = 0)
    {
        Task<int> sending = Task.Run(() => from.Send(bytes));
        Assert.Equal(bytes[..^unread], RelayHarness.ReadExactly(to, bytes.Length - unread));
        Assert.True(sending.Wait(RelayHarness.Patience), "the client can't send");
    }

    internal int Count(RelayEventKind kind) => Relay.Events.Count(e => e.Kind == kind);

    internal static byte[] Numbered(int count, int salt = 0) => [.. Enumerable.Range(0, count).Select(i => (byte)((i * 7) + (i >> 8) + salt))];

    public void Dispose()
    {
        Relay.Dispose();
        _backend?.Dispose();
    }
}
