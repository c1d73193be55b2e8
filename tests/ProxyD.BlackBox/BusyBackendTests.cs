using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>A backend that is there but can't take another connection for a moment.</summary>
public sealed class BusyBackendTests
{
    [Fact]
    public void A_full_queue_that_empties_is_no_cold_start_in_the_log()
    {
        // Goal: no line for an ordinary connection: forty clients of a Unix backend with room for one are no forty cold starts.
        Requires.Proxyd();
        using TemporaryFolder folder = new();
        using Socket narrow = Addresses.Listen(folder.Socket("backend.sock"), backlog: 1);
        using Backend backend = Backend.On(narrow, Backend.EchoAll);
        using Socket listener = Addresses.Listen();
        // Room for all rounds: on a slow machine the ends of one overlap with the next.
        using Subject subject = Subject.Start(listener, folder.Socket("backend.sock"), "--connections-max=1000");

        for (int round = 0; round < 10; round++)
        {
            Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 40);
            foreach (Peer client in clients)
                client.AssertEcho("hello");
            foreach (Peer client in clients)
                client.Dispose();
        }

        subject.Terminate();
        Assert.Equal(0, subject.WaitForExit());
        Assert.Empty(subject.Log);
    }

    [Fact]
    public void A_full_TCP_queue_is_noticed_before_the_kernel_would_knock_again()
    {
        // Goal: on loopback a SYN that was dropped is a refusal, not a wait of a second and more for its retransmission.
        Requires.Proxyd();
        IPEndPoint destination = Addresses.FreeEndPoint();
        using Socket full = Addresses.Listen(destination, backlog: 0);
        using Peer first = Peer.Connect(destination);
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, destination, "--log-level=debug");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        subject.WaitForLog("a client waits", "temporarily unavailable");
        using Backend backend = Backend.On(full, Backend.EchoAll);

        client.AssertEcho("hello");
    }
}
