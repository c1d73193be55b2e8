using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>A backend that lives but whose Unix listen queue is full is a backend to wait for.</summary>
[Trait("row", "W8")]
public sealed class UnixBacklogTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Clients_of_a_backend_with_a_full_Unix_queue_are_all_served(int backlog)
    {
        // Goal: EAGAIN from connect() on a Unix socket means "wait", not "fail".
        using TemporaryFolder folder = new();
        using Socket slow = Addresses.Listen(folder.Socket("backend.sock"), backlog);
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, folder.Socket("backend.sock"));
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 10);
        for (int i = 0; i < clients.Length; i++)
            clients[i].Send($"client {i}\n");

        Thread.Sleep(300);
        using Backend backend = Backend.On(slow, peer => Backend.Answer(peer, "served"));

        for (int i = 0; i < clients.Length; i++)
        {
            using Peer client = clients[i];
            Assert.Equal($"served:client {i}", client.ReadTextToEnd());
        }
    }

    [Fact]
    public void A_full_Unix_queue_ends_the_wait_when_its_time_is_up()
    {
        // Goal: waiting for room in the queue has the same limit as waiting for a listener.
        using TemporaryFolder folder = new();
        using Socket stuck = Addresses.Listen(folder.Socket("backend.sock"), backlog: 0);
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, folder.Socket("backend.sock"), "--wait-bind=300ms");
        using Peer queued = Peer.Connect(listener.LocalEndPoint!);
        Wait.ForTheSubjectToTry(100);

        using Peer waiting = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal(Ending.Reset, waiting.ReadEnding());
        Assert.False(queued.HasInput());
    }
}
