using System.Net;
using System.Net.Sockets;

namespace ProxyD.Tests.Kernel;

/// <summary>Attempts that the kernel doesn't decide at once, and backends with several addresses.</summary>
/// <remarks>A listener whose accept queue is full drops SYNs even on loopback: an attempt towards it stays in progress.</remarks>
public sealed class AttemptTests
{
    [Fact]
    public void Addresses_are_tried_in_order_and_a_refused_one_is_passed_over()
    {
        // Goal: the client of a name with two addresses reaches the one that listens.
        using Socket backend = RelayHarness.Listen(IPAddress.Loopback);
        using RelayHarness relay = new(new(), holdMs: 0, RelayHarness.FreeEndpoint(), (IPEndPoint)backend.LocalEndPoint!);
        using Socket client = relay.Connect();
        using Socket upstream = RelayHarness.Accept(backend);
    }

    [Fact]
    public void A_silent_address_is_given_up_after_its_time_and_the_next_is_tried()
    {
        // Goal: one address that swallows SYNs costs ConnectTimeoutMs, not the client.
        using SilentBackend silent = new();
        using Socket backend = RelayHarness.Listen(IPAddress.Loopback);
        using RelayHarness relay = new(
            new() { ConnectTimeoutMs = 100 }, holdMs: 0, silent.EndPoint, (IPEndPoint)backend.LocalEndPoint!);
        using Socket client = relay.Connect();
        client.Send("x"u8);
        using Socket upstream = RelayHarness.Accept(backend);
        Assert.Equal("x"u8.ToArray(), RelayHarness.ReadExactly(upstream, 1));
    }

    [Fact]
    public void A_client_waits_for_an_attempt_in_progress_and_is_paired_when_it_stands()
    {
        // Goal: a connection that completes later (the SYN is sent again after 1 s) is a client's, not a lost one.
        using SilentBackend silent = new();
        using RelayHarness relay = new(new() { ConnectTimeoutMs = 8_000 }, holdMs: null, silent.EndPoint);
        using Socket client = relay.Connect();
        client.Send("x"u8);
        RelayHarness.Eventually(() => relay.Server.WaitingFor(0) == 1, "the client waits");
        using Socket upstream = silent.AcceptUntilOneSpeaks();
        Assert.Equal("x"u8.ToArray(), RelayHarness.ReadExactly(upstream, 1));
        Assert.Equal(0, relay.Server.WaitingFor(0));
    }

    [Fact]
    public void Stopping_in_the_middle_of_an_attempt_leaves_the_client_queued()
    {
        // Goal: an attempt in progress carries no client; dropping it loses none.
        using SilentBackend silent = new();
        using RelayHarness relay = new(new(), holdMs: null, silent.EndPoint);
        using Socket client = relay.Connect();
        RelayHarness.Eventually(() => relay.Server.WaitingFor(0) == 1, "the client waits");
        relay.StopAccepting();
        Assert.False(client.Poll(50_000, SelectMode.SelectRead), "the client was closed");
    }

    /// <summary>Listens with the smallest queue, filled: whoever connects now gets no answer until it accepts.</summary>
    private sealed class SilentBackend : IDisposable
    {
        private readonly Socket _listener = RelayHarness.Listen(IPAddress.Loopback, RelayHarness.FreeEndpoint().Port, backlog: 0);
        private readonly List<Socket> _fillers = [];

        internal SilentBackend()
        {
            // A queue of 0 takes one connection (the kernel compares with '>').
            Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            filler.Connect(EndPoint);
            _fillers.Add(filler);
        }

        internal IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

        internal Socket AcceptUntilOneSpeaks()
        {
            RelayHarness.Accept(_listener).Dispose();
            return RelayHarness.Accept(_listener);
        }

        public void Dispose()
        {
            _fillers.ForEach(f => f.Dispose());
            _listener.Dispose();
        }
    }
}
