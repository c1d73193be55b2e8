using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>A client that comes before the backend listens is served as soon as it does.</summary>
[Trait("row", "W1")]
public sealed class ColdBackendTests
{
    private const int BackendDelayMs = 300;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_client_that_comes_before_the_backend_is_served()
    {
        // Goal: connecting first and asking later works although nobody listens for the first 300 ms.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        using Backend backend = StartLate(Backend.EchoAll);

        client.AssertEcho("hello");
    }

    [Fact]
    public void Twenty_clients_that_come_before_the_backend_are_all_served()
    {
        // Goal: a cold start loses nobody, however many wait for it.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 20);

        using Backend backend = StartLate(Backend.EchoAll);

        for (int i = 0; i < clients.Length; i++)
        {
            using Peer client = clients[i];
            client.AssertEcho($"client {i}");
        }
    }

    [Fact]
    public void A_request_and_its_FIN_sent_before_the_backend_came_are_answered()
    {
        // Goal: a client that has sent everything and FIN while it waited is still a client (`printf req | nc -N`).
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("request\n");
        client.SendEnd();

        using Backend backend = StartLate(peer => Backend.Answer(peer, "late"));

        Assert.Equal("late:request", client.ReadTextToEnd());
    }

    [Fact]
    public void A_banner_of_a_late_backend_reaches_a_silent_client()
    {
        // Goal: protocols in which the server speaks first (SSH, SMTP, MySQL) survive a cold start.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        using Backend backend = StartLate(peer =>
        {
            peer.Send("220 ready\n");
            Backend.EchoAll(peer);
        });

        Assert.Equal("220 ready\n", client.Read("220 ready\n".Length));
        client.AssertEcho("EHLO");
    }

    [Fact]
    public void A_Unix_backend_whose_socket_file_does_not_exist_yet_is_waited_for()
    {
        // Goal: ENOENT means "not yet" for a Unix destination, just as ECONNREFUSED does for a port.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, folder.Socket("backend.sock"));
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        Thread.Sleep(BackendDelayMs);
        using Backend backend = Backend.Echo(folder.Socket("backend.sock"));

        client.AssertEcho("hello");
    }

    [Fact]
    public void A_client_on_a_Unix_listener_waits_for_a_late_backend()
    {
        // Goal: the hold works the same for listeners that have no TCP_INFO to ask.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen(folder.Socket("public.sock"));
        using Subject subject = Subject.Start(listener, _destination);
        Peer[] clients = Peer.ConnectMany(folder.Socket("public.sock"), 5);

        using Backend backend = StartLate(Backend.EchoAll);

        foreach (Peer client in clients)
        {
            using (client)
                client.AssertEcho("hello");
        }
    }

    [Fact]
    public void A_Unix_client_that_wrote_and_closed_while_waiting_is_still_a_client()
    {
        // Goal: close() on a Unix socket shows as a hang-up, with the request still to be read: it must be delivered.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen(folder.Socket("public.sock"));
        using Subject subject = Subject.Start(listener, _destination);
        using (Peer client = Peer.Connect(folder.Socket("public.sock")))
            client.Send("request");

        using Backend backend = StartLate(_ => { });

        Assert.Equal("request", backend.WaitForConnection().ReadTextToEnd());
    }

    private Backend StartLate(Action<Peer> serve)
    {
        Thread.Sleep(BackendDelayMs);
        return Backend.Start(_destination, serve);
    }
}
