using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>What the service manager is told on $NOTIFY_SOCKET.</summary>
public sealed class NotifyTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Theory]
    [Trait("row", "W10")]
    [InlineData(false)]
    [InlineData(true)]
    public void Readiness_and_the_stop_are_announced_on_paths_and_abstract_names(bool isAbstract)
    {
        // Goal: READY=1 when the listeners are ours although no backend is there, STOPPING=1 when the drain begins.
        using TemporaryFolder folder = new();
        using NotifySocket notify = new(isAbstract ? Addresses.Abstract() : folder.Socket("notify.sock"));
        using Socket listener = Addresses.Listen();
        using Subject subject = Start(listener, notify);
        notify.WaitFor("READY=1");
        Assert.DoesNotContain("STOPPING=1", notify.Lines);

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
        notify.WaitFor("STOPPING=1");
    }

    [Fact]
    public void The_status_line_tells_who_is_connected_and_who_waits_for_what()
    {
        // Goal: `systemctl status` answers "is anybody waiting, and for what".
        Requires.Proxyd();
        using TemporaryFolder folder = new();
        using NotifySocket notify = new(folder.Socket("notify.sock"));
        using Socket listener = Addresses.Listen();
        using Subject subject = Start(listener, notify, "--wait-bind=30s");
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 2);

        notify.WaitFor(line => IsStatus(line, $"2 waiting for {Addresses.Text(_destination)}"), "two waiting");
        using Backend backend = Backend.Echo(_destination);
        notify.WaitFor(line => IsStatus(line, "2 connections"), "two connected");

        foreach (Peer client in clients)
            client.Dispose();
    }

    [Fact]
    public void The_watchdog_is_fed_while_nothing_happens()
    {
        // Goal: WATCHDOG=1 comes again and again without any client; that it is in time is WatchdogIntervalTests' matter.
        Requires.Proxyd();
        const int PeriodMs = 400;
        using TemporaryFolder folder = new();
        using NotifySocket notify = new(folder.Socket("notify.sock"));
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = [Addresses.Text(_destination)],
            NotifySocket = notify.Address,
            Environment = new Dictionary<string, string>
            {
                ["WATCHDOG_USEC"] = (PeriodMs * 1000).ToString(CultureInfo.InvariantCulture),
            },
        });
        notify.WaitFor("READY=1");

        for (int fed = 1; fed <= 4; fed++)
            Wait.Until(() => notify.Lines.Count(line => line == "WATCHDOG=1") >= fed, $"WATCHDOG=1 number {fed}");
    }

    [Fact]
    public void A_notify_socket_that_does_not_exist_stops_nothing_and_is_told_once()
    {
        // Goal: telling the service manager may fail; the bytes still flow, and the log says so at the first of many messages.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start(listener, folder.File("nobody.sock"));

        AssertServes(subject, listener);
        subject.Terminate();
        subject.WaitForExit();

        if (!Subject.IsIncumbent)
            Assert.Single(subject.Log, line => line.Contains("service manager can't be told", StringComparison.Ordinal));
    }

    [Fact]
    public void A_notify_socket_that_nobody_reads_from_delays_neither_clients_nor_the_end()
    {
        // Goal: a service manager that hangs is not waited for, although its queue is full and takes not even READY=1.
        using TemporaryFolder folder = new();
        using Socket deaf = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        deaf.Bind(folder.Socket("deaf.sock"));
        Fill(folder.Socket("deaf.sock"));
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start(listener, folder.File("deaf.sock"));

        AssertServes(subject, listener);
        subject.Terminate();
        Assert.Equal(0, subject.WaitForExit());
    }

    private static bool IsStatus(string line, string text) =>
        line.StartsWith("STATUS=", StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal);

    /// <summary>Sends until the queue takes no more (net.unix.max_dgram_qlen).</summary>
    private static void Fill(EndPoint queue)
    {
        using Socket sender = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        sender.Connect(queue);
        try
        {
            while (true)
                sender.Send("X=1"u8);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
        {
        }
    }

    /// <summary>Several clients one after the other, each of them a change that the service manager would be told of.</summary>
    private static void AssertServes(Subject subject, Socket listener)
    {
        for (int i = 0; i < 3; i++)
        {
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            client.AssertEcho("hello");
            client.SendEnd();
            Assert.Equal(Ending.Eof, client.ReadEnding());
        }
        Assert.False(subject.HasExited);
    }

    private Subject Start(Socket listener, NotifySocket notify, params string[] options) => Start(listener, notify.Address, options);

    private Subject Start(Socket listener, string notifySocket, params string[] options) => Subject.Start(new SubjectSetup
    {
        Sockets = [listener],
        Arguments = [.. options, Addresses.Text(_destination)],
        NotifySocket = notifySocket,
    });
}
