using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Nobody is held for ever: not by a backend that never comes, not by a client that has vanished.</summary>
[Collection(Alone.Name)]
public sealed partial class WaitLimitTests
{
    /// <summary>Two clocks that count whole milliseconds differ by so much at most, with room.</summary>
    private const int ClockSlackMs = 10;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    [Trait("row", "W9")]
    public void A_client_whose_backend_never_comes_is_reset_when_the_wait_is_over()
    {
        // Goal: held for --wait-bind and not for the default of 5 s, then RST and not a silent EOF, and a log line that says why.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=300ms");
        Stopwatch held = Stopwatch.StartNew();
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("request");

        Assert.Equal(Ending.Reset, client.ReadEnding());

        Assert.InRange(held.ElapsedMilliseconds, 300 - ClockSlackMs, 4500);
        string line = subject.WaitForLog(Addresses.Text(_destination), "refused");
        Assert.InRange(WaitedMs(line), 300, held.ElapsedMilliseconds + ClockSlackMs);
        Assert.False(subject.HasExited);
    }

    [Fact]
    public void Each_waiting_client_has_its_own_deadline()
    {
        // Goal: the one who came 300 ms later isn't reset with the first, but has its full time too.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=600ms");
        Stopwatch sinceEarly = Stopwatch.StartNew();
        using Peer early = Peer.Connect(listener.LocalEndPoint!);
        Thread.Sleep(300);
        Stopwatch sinceLate = Stopwatch.StartNew();
        using Peer late = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal(Ending.Reset, early.ReadEnding());
        Assert.InRange(sinceEarly.ElapsedMilliseconds, 600 - ClockSlackMs, int.MaxValue);
        Assert.Equal(Ending.Reset, late.ReadEnding());
        Assert.InRange(sinceLate.ElapsedMilliseconds, 600 - ClockSlackMs, int.MaxValue);
        Wait.Until(() => subject.Log.Length == 2, "a log line for each");
        Assert.All(subject.Log, line => Assert.InRange(WaitedMs(line), 600, int.MaxValue));
    }

    [Fact]
    public void A_hold_of_zero_still_waits_for_the_name_to_be_resolved()
    {
        // Goal: "try once" means one attempt, and there is none before the address is known.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(new SubjectSetup { Sockets = [listener], Arguments = ["--wait-bind=0", $"localhost:{_destination.Port}"] });
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        client.AssertEcho("hello");
    }

    [Fact]
    public void After_a_failed_wait_the_next_client_starts_a_new_one()
    {
        // Goal: the daemon lives on, and a later client of the same backend is served.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=3s");
        using (Peer unlucky = Peer.Connect(listener.LocalEndPoint!))
            Assert.Equal(Ending.Reset, unlucky.ReadEnding());

        using Peer lucky = Peer.Connect(listener.LocalEndPoint!);
        Thread.Sleep(100);
        using Backend backend = Backend.Echo(_destination);

        lucky.AssertEcho("hello");
    }

    [Fact]
    public void A_wait_of_zero_tries_once()
    {
        // Goal: --wait-bind=0 answers at once, yes when the backend listens and no when it doesn't.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=0");
        using (Peer refused = Peer.Connect(listener.LocalEndPoint!))
        {
            Stopwatch held = Stopwatch.StartNew();
            Assert.Equal(Ending.Reset, refused.ReadEnding());
            // The default is 5 s.
            Assert.InRange(held.ElapsedMilliseconds, 0, 4500);
        }

        using Backend backend = Backend.Echo(_destination);
        using Peer served = Peer.Connect(listener.LocalEndPoint!);
        served.AssertEcho("hello");
    }

    [Fact]
    public void Clients_of_a_Unix_listener_are_let_go_when_the_wait_is_over()
    {
        // Goal: the deadline holds for listeners whose queue length the kernel doesn't tell.
        using TemporaryFolder folder = new();
        using Socket listener = Addresses.Listen(folder.Socket("public.sock"));
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=300ms");
        Peer[] clients = Peer.ConnectMany(folder.Socket("public.sock"), 3);

        foreach (Peer client in clients)
        {
            using (client)
                Assert.Empty(client.ReadToEnd().Bytes);
        }
    }

    [Theory]
    [Trait("row", "W9")]
    [InlineData(true)]
    [InlineData(false)]
    public void An_accepted_client_has_keep_alive_armed(bool cameBeforeTheProxy)
    {
        // Goal: a client that has vanished without FIN is found out in the end, and doesn't hold off --exit-idle-time for ever.
        using Socket atTheProxy = AcceptedSocket(cameBeforeTheProxy);
        Assert.NotEqual(0, atTheProxy.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_accepted_client_has_no_Nagle_delay(bool cameBeforeTheProxy)
    {
        // Goal: the proxy passes small messages on as they come.
        using Socket atTheProxy = AcceptedSocket(cameBeforeTheProxy);
        Assert.True(atTheProxy.NoDelay);
    }

    /// <summary>How long the proxy says that it held the client.</summary>
    private static int WaitedMs(string logLine) =>
        int.Parse(Waited().Match(logLine).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"did not answer for (\d+) ms")]
    private static partial Regex Waited();

    /// <summary>
    /// The proxy's end of a client's connection. The client whose arrival started the proxy is a case of its own: its socket was
    /// made before the proxy could set any option on the listener.
    /// </summary>
    private Socket AcceptedSocket(bool cameBeforeTheProxy)
    {
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Peer first = Peer.Connect(listener.LocalEndPoint!);
        using Subject subject = Subject.Start(listener, _destination);
        first.AssertEcho("first");
        using Peer second = Peer.Connect(listener.LocalEndPoint!);
        second.AssertEcho("second");
        return Proc.SocketTo(subject.Id, (cameBeforeTheProxy ? first : second).LocalPort);
    }
}
