using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>--exit-idle-time ends the process when nobody has been connected for that long.</summary>
[Collection(Alone.Name)]
public sealed class IdleExitTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void A_proxy_to_which_nobody_ever_came_exits_too()
    {
        // Goal: idle from the start counts as idle (systemd-socket-proxyd waits for a first client).
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        Stopwatch alive = Stopwatch.StartNew();
        using Subject subject = Subject.Start(listener, _destination, "--exit-idle-time=300ms");

        Assert.Equal(0, subject.WaitForExit());
        Assert.InRange(alive.ElapsedMilliseconds, 290, int.MaxValue);
    }

    [Fact]
    public void A_live_connection_holds_off_the_exit_until_it_ends()
    {
        // Goal: idle means no connection, however silent; the time starts when the last one has ended.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        // There before the proxy: the idle time counts from its start.
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = Subject.Start(listener, _destination, "--exit-idle-time=300ms");
        client.AssertEcho("hello");
        Wait.While(() => !subject.HasExited, "a live connection", 700);
        client.AssertEcho("still here");

        Stopwatch idle = Stopwatch.StartNew();
        client.SendEnd();
        Assert.Equal(Ending.Eof, client.ReadEnding());

        Assert.Equal(0, subject.WaitForExit());
        Assert.InRange(idle.ElapsedMilliseconds, 290, int.MaxValue);
    }

    [Fact]
    public void A_waiting_client_holds_off_the_exit()
    {
        // Goal: somebody who waits for a cold backend isn't nobody.
        Requires.Proxyd();
        using Socket listener = Addresses.Listen();
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = Subject.Start(listener, _destination, "--exit-idle-time=200ms", "--wait-bind=30s");

        Wait.While(() => !subject.HasExited, "a waiting client", 600);
        using Backend backend = Backend.Echo(_destination);
        client.AssertEcho("hello");
    }

    [Fact]
    public void A_client_that_comes_at_the_moment_of_the_exit_is_served_by_the_next_instance()
    {
        // Goal: idle exit, like any other end, loses nobody: whatever the moment, the client is served or still queued.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        for (int i = 0; i < 10; i++)
        {
            using Subject leaving = Subject.Start(listener, _destination, "--exit-idle-time=100ms");
            Thread.Sleep(95 + i);
            using Peer client = Peer.Connect(listener.LocalEndPoint!);
            client.Send("hello");
            Wait.Until(() => client.HasInput() || leaving.HasExited, "served or left alone");
            using Subject? next = client.HasInput() ? null : Subject.Start(listener, _destination);
            Assert.Equal("hello", client.Read(5));
        }
    }
}
