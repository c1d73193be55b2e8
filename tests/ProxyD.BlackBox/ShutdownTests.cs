using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>SIGTERM: stop accepting, let what lives finish, leave in time.</summary>
public sealed class ShutdownTests
{
    private const int TransferBytes = 8 << 20;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Theory]
    [Trait("row", "W10")]
    [InlineData(Native.SIGTERM)]
    [InlineData(Native.SIGINT)]
    public void A_transfer_in_flight_is_finished_after_the_signal(int signal)
    {
        // Goal: the signal cuts nobody off; when the last connection has ended the process ends with 0.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            using (peer)
                peer.Send(new byte[TransferBytes]);
        });
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using Peer client = Peer.Connect(listener.LocalEndPoint!, receiveBufferBytes: 16384);
        client.Read(1000);

        subject.Signal(signal);
        WaitUntilItAcceptsNoMore(subject, listener);

        Assert.Equal(TransferBytes - 1000, client.ReadToEnd().Bytes.Length);
        client.Dispose();
        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    [Trait("row", "W10")]
    public void While_draining_a_connection_works_in_both_directions()
    {
        // Goal: a connection that lives during the drain isn't merely flushed: a dialogue can be brought to its end.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.AssertEcho("before");

        subject.Terminate();
        WaitUntilItAcceptsNoMore(subject, listener);

        client.AssertEcho("after");
        client.SendEnd();
        Assert.Equal(Ending.Eof, client.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    public void What_lives_longer_than_the_drain_time_is_reset()
    {
        // Goal: --drain-time is the limit, and both sides are told by RST that they lost something.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=300ms");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Peer served = backend.WaitForConnection();
        Stopwatch draining = Stopwatch.StartNew();

        subject.Terminate();

        Assert.Equal(Ending.Reset, client.ReadEnding());
        // The default is 5 s.
        Assert.InRange(draining.ElapsedMilliseconds, 290, 4500);
        Assert.Equal(Ending.Reset, served.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    public void A_second_signal_ends_the_drain_at_once()
    {
        // Goal: somebody who presses Ctrl-C twice doesn't wait.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.AssertEcho("before");
        subject.Terminate();
        Wait.While(() => !subject.HasExited, "the drain", 200);

        subject.Signal(Native.SIGINT);

        subject.WaitForExit();
        // A stream that is cut must not look finished.
        Assert.Equal(Ending.Reset, client.ReadEnding());
    }

    [Fact]
    public void Without_connections_the_signal_ends_it_at_once()
    {
        // Goal: an idle stop takes no time.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using (Peer client = Peer.Connect(listener.LocalEndPoint!))
        {
            client.AssertEcho("up");
            client.SendEnd();
            Assert.Equal(Ending.Eof, client.ReadEnding());
        }
        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    [Trait("row", "W10")]
    public void A_client_that_comes_during_the_drain_stays_queued_for_the_next_instance()
    {
        // Goal: "stop accepting" doesn't mean "turn away": the queue belongs to systemd.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--drain-time=60s");
        using Peer old = Peer.Connect(listener.LocalEndPoint!);
        old.AssertEcho("before");
        subject.Terminate();
        WaitUntilItAcceptsNoMore(subject, listener);
        using Peer late = Peer.Connect(listener.LocalEndPoint!);
        late.Send("hello");
        Wait.While(() => !late.HasInput(), "the late client waits", 200);
        old.Dispose();
        Assert.Equal(0, subject.WaitForExit());

        using Subject next = Subject.Start(listener, _destination);

        Assert.Equal("hello", late.Read(5));
    }

    /// <summary>The signal is handled once the proxy has closed its copy of the listener, or has ended as the incumbent does.</summary>
    private static void WaitUntilItAcceptsNoMore(Subject subject, Socket listener) =>
        Wait.Until(() => subject.HasExited || !Proc.Holds(subject.Id, listener), "the proxy has let go of its listener");
}
