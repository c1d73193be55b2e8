using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>A Unix listener tells that somebody waits, not how many: each of them has a deadline of its own all the same.</summary>
public sealed class UnixListenerHoldTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    public UnixListenerHoldTests() => Requires.Proxyd();

    [Fact]
    public void Clients_that_came_together_are_let_go_together()
    {
        // Goal: twelve behind one wake-up wait one hold, not twelve in a row.
        const int HoldMs = 1000;
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen(folder.Socket("public.sock"));
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 12);
        long start = Stopwatch.GetTimestamp();
        using Subject subject = Subject.Start(listener, _destination, $"--wait-bind={HoldMs}ms");

        foreach (Peer client in clients)
            client.ReadEnding();

        double tookMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.InRange(tookMs, HoldMs, clients.Length * HoldMs / 2);
    }

    [Fact]
    public void Clients_that_came_together_are_all_served_when_the_backend_comes()
    {
        // Goal: whoever hides behind another's wake-up is not forgotten.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen(folder.Socket("public.sock"));
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 40);
        using Subject subject = Subject.Start(listener, _destination);
        Wait.ForTheSubjectToTry();

        using Backend backend = Backend.Echo(_destination);

        foreach (Peer client in clients)
            client.AssertEcho("hello");
    }
}
