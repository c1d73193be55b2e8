using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>What may be passed by LISTEN_FDS, and what is said about the rest.</summary>
public sealed class ActivationTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    [Trait("row", "W15")]
    public void A_wrapper_script_without_exec_is_told_what_is_wrong()
    {
        // Goal: sockets passed to another process are explained in one line, in words that lead to `exec`.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = [Addresses.Text(_destination)],
            WrapperForgetsExec = true,
        });

        Assert.Equal(1, subject.WaitForExit());
        Assert.Contains("exec", Assert.Single(subject.Log), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("row", "W16")]
    public void A_connected_socket_is_served_and_then_the_process_ends()
    {
        // Goal: Accept=yes: the one connection works to its end, then exit 0.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = StartFor(listener);

        client.AssertEcho("hello");
        client.SendEnd();

        Assert.Equal(Ending.Eof, client.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
        Assert.Single(backend.Accepted);
    }

    [Fact]
    [Trait("row", "W16")]
    public void A_connected_socket_waits_for_a_cold_backend()
    {
        // Goal: the hold works for a client that systemd has accepted already.
        using Socket listener = Addresses.Listen();
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = StartFor(listener);
        client.Send("hello");
        Thread.Sleep(300);
        using Backend backend = Backend.Echo(_destination);

        Assert.Equal("hello", client.Read(5));
    }

    [Fact]
    public void A_connected_socket_whose_backend_never_comes_is_reset()
    {
        // Goal: the same end of a wait as for a queued client, and the process doesn't stay: it has failed its one task.
        using Socket listener = Addresses.Listen();
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = StartFor(listener, "--wait-bind=200ms");

        Assert.Equal(Ending.Reset, client.ReadEnding());
        int exitCode = subject.WaitForExit();
        if (!Subject.IsIncumbent)
            Assert.Equal(1, exitCode);
        Assert.Contains(subject.Log, line => line.Contains(Addresses.Text(_destination), StringComparison.Ordinal));
    }

    [Fact]
    public void A_datagram_socket_is_refused()
    {
        // Goal: one line that says what was passed and what was expected.
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        AssertRefused([udp], "datagram");
    }

    [Fact]
    public void A_stream_socket_that_neither_listens_nor_is_connected_is_refused()
    {
        // Goal: a bound but idle socket would never become readable; better to say so.
        using Socket idle = Addresses.NewSocket(_destination);
        idle.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        AssertRefused([idle], "neither listens nor is connected");
    }

    [Fact]
    public void A_descriptor_that_is_no_socket_is_refused()
    {
        // Goal: ListenFIFO= or ListenSpecial= in the .socket unit is explained, not served as silence.
        AssertRefused(
            new SubjectSetup { Prelude = ["exec 3</dev/null", "export LISTEN_PID=$$ LISTEN_FDS=1"], Arguments = ["127.0.0.1:1"] },
            "it is no socket");
    }

    [Fact]
    public void A_connected_socket_among_several_is_refused()
    {
        // Goal: whether to end with the one client or to serve the listeners on can't be known.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        AssertRefused([listener, client.Socket], "2 sockets were passed, one of them connected");
    }

    [Fact]
    public void Sockets_that_were_passed_to_another_process_of_our_number_are_refused()
    {
        // Goal: LISTEN_PID alone can name a process long gone; no pidfd has the inode 1, on no kernel.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        AssertRefused(
            new SubjectSetup
            {
                Sockets = [listener],
                Arguments = ["127.0.0.1:1"],
                Environment = new Dictionary<string, string> { ["LISTEN_PIDFDID"] = "1" },
            },
            "LISTEN_PIDFDID 1");
    }

    [Fact]
    public void Without_sockets_and_without_listen_it_says_what_it_needs()
    {
        // Goal: run by hand, the program explains itself in one line.
        using Subject subject = Subject.Start(new SubjectSetup { Arguments = [Addresses.Text(_destination)] });

        Assert.Equal(1, subject.WaitForExit());
        string line = Assert.Single(subject.Log);
        if (!Subject.IsIncumbent)
            Assert.Contains("--listen", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Listeners_of_all_three_families_are_served_at_once()
    {
        // Goal: IPv4, IPv6 and Unix listeners in one process.
        Requires.IPv6();
        using TemporaryFolder folder = new();
        using Socket v4 = Addresses.Listen();
        using Socket v6 = Addresses.Listen(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        using Socket local = Addresses.Listen(folder.Socket("public.sock"));
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(new SubjectSetup { Sockets = [v4, v6, local], Arguments = [Addresses.Text(_destination)] });

        foreach (EndPoint at in new[] { v4.LocalEndPoint!, v6.LocalEndPoint!, folder.Socket("public.sock") })
        {
            using Peer client = Peer.Connect(at);
            client.AssertEcho("hello");
        }
    }

    private static void AssertRefused(Socket[] sockets, string expected) =>
        AssertRefused(new SubjectSetup { Sockets = sockets, Arguments = ["127.0.0.1:1"] }, expected);

    private static void AssertRefused(SubjectSetup setup, string expected)
    {
        using Subject subject = Subject.Start(setup);

        Assert.Equal(1, subject.WaitForExit());
        string line = Assert.Single(subject.Log);
        Assert.Empty(subject.Output);
        if (!Subject.IsIncumbent)
            Assert.Contains(expected, line, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Accepts the waiting client and passes it on, as systemd does with Accept=yes.</summary>
    private Subject StartFor(Socket listener, params string[] options)
    {
        Wait.Until(() => listener.Poll(0, SelectMode.SelectRead), "a client");
        // Our own copy must go, or the client would never see the end.
        using Socket connection = listener.Accept();
        return Subject.Start(new SubjectSetup
        {
            Sockets = [connection],
            SocketNames = "connection",
            Arguments = [.. options, Addresses.Text(_destination)],
        });
    }
}
