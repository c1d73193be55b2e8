using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>The end comes when it is asked for, and takes nobody by surprise.</summary>
public sealed class RobustEndTests
{
    /// <summary>What a pipe holds (pipe(7)).</summary>
    private const int PipeBytes = 65536;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    public RobustEndTests() => Requires.Proxyd();

    [Fact]
    public void A_log_that_nobody_reads_stops_neither_service_nor_end()
    {
        // Goal: stderr is a pipe that is full: clients are served, and SIGTERM works.
        using TemporaryFolder folder = new();
        using ChildProcess fifoMaker = ChildProcess.Start(new ChildSetup(
            Command: ["mkfifo", folder.File("log")], Environment: new Dictionary<string, string>(), InheritedFds: [], IgnoresSigpipe: false));
        Assert.Equal(0, fifoMaker.WaitForExit(Wait.DefaultTimeoutMs));
        // Linux opens a FIFO for both without waiting for anybody (fifo(7)).
        using FileStream full = new(folder.File("log"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        full.Write(new byte[PipeBytes]);
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Named(_destination, "served");
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = ["--log-level=debug", Addresses.Text(_destination)],
            Prelude = [$"exec 2>'{folder.File("log")}'"],
        });
        for (int i = 0; i < 20; i++)
        {
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            client.Send("hello\n");
            Assert.Equal("served:hello", client.ReadTextToEnd());
        }

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    public void A_hang_up_beside_SIGTERM_does_not_cut_the_drain()
    {
        // Goal: SendSIGHUP= in a unit, and sessions that end, send both; only a second SIGTERM or SIGINT means "now".
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.AssertEcho("before");

        subject.Terminate();
        subject.Signal(Native.SIGHUP);
        Wait.ForTheSubjectToTry();

        client.AssertEcho("after");
        client.SendEnd();
        Assert.Equal(Ending.Eof, client.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    public void What_the_backend_left_running_gets_the_time_to_end_itself()
    {
        // Goal: the shell that --exec started ends at once at SIGTERM; its worker, which needs a second, is not killed for that.
        using TemporaryFolder folder = new();
        string ready = folder.File("ready"), clean = folder.File("clean");
        string script = folder.Write("leader.sh", $$"""
            (trap 'sleep 1; echo > {{clean}}; exit' TERM
             echo > {{ready}}
             while :; do sleep 0.05; done) &
            wait
            """);
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, $"--exec=sh {script}", "--wait-bind=30s");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Wait.Until(() => File.Exists(ready), "the worker");

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
        Assert.True(File.Exists(clean), "the worker has ended as it wanted to");
    }

    [Fact]
    public void A_client_that_comes_back_at_once_finds_the_room_it_left()
    {
        // Goal: whoever has seen its connection's end is not over the limit with the next one.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "-c", "2", "--threads=2");
        using Peer pinned = Peer.Connect(listener.LocalEndPoint!);
        pinned.AssertEcho("here");

        for (int i = 0; i < 2000; i++)
        {
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            client.SendEnd();
            Assert.Equal((i, Ending.Eof), (i, client.ReadEnding()));
        }
    }

    [Fact]
    public void The_end_reaches_an_accepted_client_of_whom_the_service_manager_keeps_a_copy()
    {
        // Goal: with Accept=yes systemd holds the client's socket until the service has ended; FIN must not wait for that.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Named(_destination, "served");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Wait.Until(() => listener.Poll(0, SelectMode.SelectRead), "the client in the queue");
        using Socket copy = listener.Accept();
        using Subject subject = Subject.Start(copy, _destination);
        client.Send("hello\n");

        Assert.Equal("served:hello", client.ReadTextToEnd());
        Assert.Equal(Ending.Eof, client.ReadEnding());
    }

    [Fact]
    public void Too_few_descriptors_for_any_client_are_an_error_at_the_start()
    {
        // Goal: no daemon that looks healthy and can serve nobody.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = [Addresses.Text(_destination)],
            Prelude = ["ulimit -n 40"],
        });

        Assert.Equal(1, subject.WaitForExit());
        Assert.Contains("40 open files are allowed; expected at least 48", Assert.Single(subject.Log), StringComparison.Ordinal);
    }
}
