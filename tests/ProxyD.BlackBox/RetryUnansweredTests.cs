using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>--retry-unanswered: a connection that a dying backend has reset before its first byte is answered by the next one.</summary>
public sealed class RetryUnansweredTests
{
    private const string Retry = "--retry-unanswered";

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clients_in_the_backlog_of_a_listener_that_closes_are_answered_by_the_next_backend(bool unix)
    {
        // Goal: an idle exit in the wrong moment is no client's loss, behind TCP and Unix backends.
        Requires.Proxyd();
        EndPoint destination = unix ? Addresses.Abstract() : _destination;
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, destination, Retry, "--log-level=debug", "--wait-bind=30s");
        Peer[] clients = InDyingBacklog(listener, destination, 20);
        subject.WaitForLog("retried");

        using Backend backend = Backend.Named(destination, "new");

        for (int i = 0; i < clients.Length; i++)
            Assert.Equal($"new:{i}", clients[i].ReadTextToEnd());
    }

    [Fact]
    public void Without_the_option_they_are_reset()
    {
        // Goal: off by default, for a dying backend may have acted on what it was sent.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=30s");
        Peer[] clients = InDyingBacklog(listener, _destination, 3);

        using Backend backend = Backend.Named(_destination, "new");

        Assert.All(clients, client => Assert.Equal(Ending.Reset, client.ReadEnding()));
        Assert.Empty(backend.Accepted);
    }

    [Theory]
    [InlineData(50 * 1024, true)]
    [InlineData(65 * 1024, false)]
    public void A_body_of_up_to_64_KiB_is_sent_again_with_its_FIN(int bytes, bool retried)
    {
        // Goal: whole and once, or a reset: never a body without its beginning.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Backend first = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination, Retry, "--log-level=debug", "--wait-bind=30s");
        byte[] body = [.. Enumerable.Range(0, bytes).Select(i => (byte)(i * 31))];
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send(body);
        client.SendEnd();
        Assert.Equal(body, first.WaitForConnection().ReadToEnd().Bytes);
        // proxyd knocks again at once, and must not meet this one.
        first.StopListening();
        first.WaitForConnection().Reset();
        first.Dispose();
        Wait.ForTheSubjectToTry();

        using Backend second = Backend.Start(_destination, peer =>
        {
            byte[] got = peer.ReadToEnd().Bytes;
            peer.Send($"{got.AsSpan().SequenceEqual(body)}");
            peer.Dispose();
        });

        (byte[] answer, Ending ending) = client.ReadToEnd();
        Assert.Equal(retried ? ("True", Ending.Eof) : ("", Ending.Reset), (System.Text.Encoding.ASCII.GetString(answer), ending));
        if (!retried)
            subject.WaitForLog("Unanswered", $"{bytes} bytes up, 0 down");
        Assert.Equal(retried ? 1 : 0, second.Accepted.Length);
    }

    [Fact]
    public void Its_wait_has_the_limit_of_every_wait()
    {
        // Goal: --wait-bind bounds a second wait like the first.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, Retry, "--wait-bind=300ms");
        Peer client = Assert.Single(InDyingBacklog(listener, _destination, 1));

        Assert.Equal(Ending.Reset, client.ReadEnding());
        subject.WaitForLog("did not answer", "client reset");
    }

    [Fact]
    public void SIGTERM_resets_it_and_ends_at_once()
    {
        // Goal: no next instance can serve it, so a drain doesn't wait for it; who is in the queue stays there.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, Retry, "--wait-bind=infinity", "--drain-time=infinity");
        Peer client = Assert.Single(InDyingBacklog(listener, _destination, 1));
        using Peer queued = Peer.Connect(listener.LocalEndPoint!);
        queued.Send("queued\n");
        Wait.While(() => !client.HasInput(), "the connection waits", 200);

        subject.Terminate();

        Assert.Equal(Ending.Reset, client.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
        using Backend backend = Backend.Named(_destination, "new");
        using Subject next = Subject.Start(listener, _destination);
        Assert.Equal("new:queued", queued.ReadTextToEnd());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_leaves_while_it_waits_is_taken_nowhere(bool unix)
    {
        // Goal: nobody acts on the request of somebody who has gone: RST on TCP, a close on a Unix socket.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen(unix ? Addresses.Abstract() : null);
        using Subject subject = Subject.Start(listener, _destination, Retry, "--log-level=debug", "--wait-bind=30s");
        Peer client = Assert.Single(InDyingBacklog(listener, _destination, 1));
        subject.WaitForLog("retried");

        if (unix)
            client.Dispose();
        else
            client.Reset();

        subject.WaitForLog("connection ended", unix ? "ClientGone" : "ClientReset");
        using Backend backend = Backend.Named(_destination, "new");
        Wait.While(() => backend.Accepted.Length == 0, "nobody comes", 300);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_thousand_retries_leave_nothing_behind(int threads)
    {
        // Goal: neither descriptors nor buffers are lost on the way, and everybody gets the answer to its own question.
        Requires.Proxyd();
        const int Rounds = 20, ClientsEach = 50;
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, Retry, $"--threads={threads}", "--wait-bind=30s");
        (int Files, int Kb) before = (0, 0);
        for (int round = 0; round < Rounds; round++)
        {
            Peer[] clients = InDyingBacklog(listener, _destination, ClientsEach);
            using (Backend backend = Backend.Named(_destination, "new"))
            {
                for (int i = 0; i < ClientsEach; i++)
                    Assert.Equal($"new:{i}", clients[i].ReadTextToEnd());
            }
            Array.ForEach(clients, client => client.Dispose());
            // The first rounds fill the pools.
            if (round == 3)
                before = (Files(subject), Proc.ResidentKb(subject.Id));
        }

        // The first log line, whenever it comes, opens two.
        Assert.InRange(Files(subject), 0, before.Files + 4);
        // 800 lost buffers would be 3 MiB even if of each only the first page had been used.
        Assert.InRange(Proc.ResidentKb(subject.Id), 0, before.Kb + 2500);
    }

    private static int Files(Subject subject) => Proc.Settled(() => Proc.FdCount(subject.Id));

    /// <summary>Clients whose lines lie in the backlog of a listener that has closed since.</summary>
    private static Peer[] InDyingBacklog(Socket listener, EndPoint destination, int count)
    {
        Peer[] clients;
        using (Socket dying = Addresses.Listen(destination))
        {
            clients = Peer.ConnectMany(listener.LocalEndPoint!, count);
            for (int i = 0; i < count; i++)
                clients[i].Send($"{i}\n");
            Wait.Until(() => dying.Poll(0, SelectMode.SelectRead), "a connection in the backlog");
            Wait.ForTheSubjectToTry(100);
        }
        return clients;
    }
}
