using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Relay;
using ProxyD.Testing;

namespace ProxyD.Tests.Kernel;

/// <summary>A data plane in this process: one service, real sockets on loopback, everything it reports kept.</summary>
internal sealed class RelayHarness : IDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket _listener;
    private readonly RelayLimits _limits;
    private readonly int? _holdMs;
    private readonly IPEndPoint[] _backends;
    private readonly RelayServer _server;
    private readonly ConcurrentQueue<RelayEvent> _events = new();

    /// <param name="holdMs">As ServiceSettings.HoldTimeoutMs.</param>
    /// <param name="backends">In the order in which they are to be tried.</param>
    internal RelayHarness(RelayLimits limits, int? holdMs, params IPEndPoint[] backends)
        : this(Listen(IPAddress.Loopback), limits, holdMs, backends)
    {
    }

    private RelayHarness(
        Socket listener, RelayLimits limits, int? holdMs, IPEndPoint[] backends, Func<ServiceSettings, ServiceSettings>? with = null,
        ListenerKind kind = ListenerKind.Tcp, bool reportEnds = true)
    {
        (_listener, _limits, _holdMs, _backends) = (listener, limits, holdMs, backends);
        // The server closes its own copy, as it would one that systemd holds too.
        int fd = SysResult.From(Libc.fcntl((int)_listener.Handle, DuplicateCloseOnExec, 0)).OrThrow("dup");
        ServiceSettings settings = new()
        {
            Index = 0,
            Listeners = [new Listener(fd, kind)],
            Addresses = [.. backends.Select(b => Interop.SocketAddress.Internet(b.Address, b.Port))],
            NeedsResolver = false,
            HoldTimeoutMs = holdMs,
        };
        _server = new(limits, [with?.Invoke(settings) ?? settings], _events.Enqueue, reportEnds);
        _server.Start();
    }

    /// <summary>F_DUPFD_CLOEXEC of fcntl.h.</summary>
    private const int DuplicateCloseOnExec = 1030;

    internal RelayServer Server => _server;

    internal IReadOnlyCollection<RelayEvent> Events => _events;

    /// <summary>One whose clients are let through only when the test opens it.</summary>
    internal static RelayHarness Gated(int? holdMs, IPEndPoint backend) =>
        new(Listen(IPAddress.Loopback), new(), holdMs, [backend], settings => settings with { IsGated = true });

    /// <summary>One that does not report the end of each connection, as proxyd runs by default.</summary>
    internal static RelayHarness Silent(IPEndPoint backend) => new(Listen(IPAddress.Loopback), new(), holdMs: null, [backend], reportEnds: false);

    /// <summary>One that takes a connection which its backend resets unanswered to the next backend.</summary>
    internal static RelayHarness Retrying(Interop.SocketAddress backend, int? holdMs = null, RelayLimits? limits = null, bool isGated = false) =>
        new(
            Listen(IPAddress.Loopback), limits ?? new(), holdMs, [],
            settings => settings with { Addresses = [backend], IsGated = isGated, RetryUnanswered = true });

    /// <summary>The same on a listener of the caller's that does not tell how many wait, as a Unix socket.</summary>
    internal static RelayHarness GatedUncounted(Socket listener, IPEndPoint backend) =>
        new(listener, new(), holdMs: null, [backend], settings => settings with { IsGated = true }, ListenerKind.Other);

    /// <summary>Another data plane on the same listening socket, as after a restart.</summary>
    internal RelayHarness NextInstance() => new(_listener, _limits, _holdMs, _backends);

    internal static Socket Listen(IPAddress address, int port = 0, int backlog = 128)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>A loopback port that nobody listens at.</summary>
    internal static IPEndPoint FreeEndpoint() => new(IPAddress.Loopback, Ports.Free());

    /// <summary>Returns when no client is taken any more.</summary>
    internal void StopAccepting()
    {
        _server.StopAccepting();
        Assert.True(_server.PingAsync().Wait(Patience), "a data-plane thread hangs");
    }

    internal Socket Connect() => ConnectTo((IPEndPoint)_listener.LocalEndPoint!);

    internal static Socket ConnectTo(IPEndPoint listener)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.ReceiveTimeout = client.SendTimeout = (int)Patience.TotalMilliseconds;
        client.Connect(listener);
        return client;
    }

    internal RelayEvent WaitFor(RelayEventKind kind, int count = 1)
    {
        Eventually(() => _events.Count(e => e.Kind == kind) >= count, $"{count} x {kind}; seen: {string.Join(", ", _events)}");
        return _events.Where(e => e.Kind == kind).ElementAt(count - 1);
    }

    internal static void Eventually(Func<bool> condition, string what)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(waited.Elapsed < Patience, $"did not come: {what}");
            Thread.Sleep(2);
        }
    }

    internal static Socket Accept(Socket listener)
    {
        Assert.True(listener.Poll(Patience, SelectMode.SelectRead), "nobody connected to the backend");
        Socket accepted = listener.Accept();
        accepted.ReceiveTimeout = accepted.SendTimeout = (int)Patience.TotalMilliseconds;
        accepted.NoDelay = true;
        return accepted;
    }

    internal static void ResetNow(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    internal static byte[] ReadExactly(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int have = 0; have < count;)
        {
            int got = socket.Receive(bytes, have, count - have, SocketFlags.None);
            Assert.True(got > 0, $"the stream ended after {have} of {count} bytes");
            have += got;
        }
        return bytes;
    }

    internal static bool EndsWithReset(Socket socket)
    {
        try
        {
            byte[] rest = new byte[65536];
            while (socket.Receive(rest) > 0)
            {
                // Reads on until the end.
            }
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    public void Dispose()
    {
        StopAccepting();
        Assert.True(_server.AbortAllAsync().Wait(Patience), "a data-plane thread hangs");
        _server.StopWorkers();
        _listener.Dispose();
    }
}
