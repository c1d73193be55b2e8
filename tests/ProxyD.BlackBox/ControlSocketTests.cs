using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>The socket at which a running proxyd is asked what it does.</summary>
public sealed class ControlSocketTests : IDisposable
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = Addresses.Listen();

    public ControlSocketTests() => Requires.Proxyd();

    private string ControlPath => _folder.File("control");

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void It_tells_what_runs_and_goes_with_the_process()
    {
        // Goal: connections, bytes and the state as they are at the moment of asking; mode 0600; no file left behind.
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start();
        JsonElement before = ControlSocket.Ask(ControlPath);
        Assert.Equal((1, subject.Id, 256), (before.Number("format"), before.Number("pid"), before.Number("connectionsMax")));
        Assert.Equal(("unknown", 0), (before.Destination().Text("state"), before.Destination().Number("served")));
        using (Peer gone = Peer.Connect(_listener.LocalEndPoint!))
            gone.AssertEcho("hello");
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);
        client.AssertEcho("good day");
        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination().Number("live") == 1, "the first client's end is seen");

        JsonElement destination = ControlSocket.Ask(ControlPath).Destination();
        Assert.Equal(("ready", Addresses.Text(_destination)), (destination.Text("state"), destination.Text("address")));
        Assert.Equal((2, 13, 13), (destination.Number("served"), destination.Number("upBytes"), destination.Number("downBytes")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ControlPath));

        subject.Terminate();
        Wait.Until(() => ControlSocket.Ask(ControlPath).GetProperty("draining").GetBoolean(), "the drain shows while the client is there");
        client.Dispose();
        Assert.Equal(0, subject.WaitForExit());
        Assert.False(File.Exists(ControlPath));
    }

    [Fact]
    public void Who_waits_and_who_was_reset_is_told_with_the_cause()
    {
        // Goal: a backend that is not there: clients wait, then are lost, and the failed wake says why.
        using Subject subject = Start("--wait-bind=700ms");
        Peer[] clients = Peer.ConnectMany(_listener.LocalEndPoint!, 3);
        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination() is var d && d.Number("waiting") == 3 && d.Text("state") == "waking", "three wait");
        Array.ForEach(clients, client => Assert.Equal(Ending.Reset, client.ReadEnding()));

        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination().Text("state") == "unreachable", "the wait is over");
        JsonElement lost = ControlSocket.Ask(ControlPath).Destination();
        Assert.Equal((0, 3, 1, 0), (lost.Number("waiting"), lost.Number("resetWaiting"), lost.Number("wakesFailed"), lost.Number("wakesAnswered")));
        JsonElement wake = Assert.Single(lost.GetProperty("wakes").EnumerateArray());
        Assert.Equal("Connection refused", wake.Text("problem"));
        Assert.InRange(wake.Number("endedMs"), 700, Wait.DefaultTimeoutMs);

        using Backend backend = Backend.Echo(_destination);
        using Peer served = Peer.Connect(_listener.LocalEndPoint!);
        served.AssertEcho("hello");
        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination().Text("state") == "ready", "it has come");
    }

    [Fact]
    public void A_command_that_it_starts_is_told()
    {
        // Goal: asleep until the first client, and what would be started.
        using Subject subject = Start("--exec=sh -c 'exit 3'", "--wait-bind=300ms");
        JsonElement asleep = ControlSocket.Ask(ControlPath).Destination();
        Assert.Equal(("asleep", "sh -c 'exit 3'"), (asleep.Text("state"), asleep.Text("starts")));
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);
        Assert.Equal(Ending.Reset, client.ReadEnding());
        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination().Number("wakesFailed") == 1, "the failed wake shows");
        JsonElement failed = ControlSocket.Ask(ControlPath).Destination();
        Assert.Equal(("failed", 1), (failed.Text("state"), failed.Number("resetWaiting")));
        Assert.Contains("status 3", failed.Text("cause"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garbage\n")]
    [InlineData("\n")]
    [InlineData("{}\n")]
    [InlineData("[\"status\"]\n")]
    [InlineData("{\"ask\":1}\n")]
    [InlineData("{\"ask\":\"stop\"}\n")]
    [InlineData("{\"ask\":\"status\"\n")]
    [InlineData("\xff\xfe\0\n")]
    public void A_request_that_makes_no_sense_is_told_so(string request)
    {
        // Goal: one line that says what is expected, and the next one is served.
        using Subject subject = Start();
        Assert.Contains("expected one line", ControlSocket.Ask(ControlPath, request).Text("error"), StringComparison.Ordinal);
        Assert.Equal(subject.Id, ControlSocket.Ask(ControlPath).Number("pid"));
    }

    [Fact]
    public void A_request_without_an_end_is_read_no_further_than_its_bound()
    {
        // Goal: a megabyte is refused after its first bytes.
        using Subject subject = Start();
        Assert.Contains("at most 4096 bytes", ControlSocket.Ask(ControlPath, new string(' ', 4096)).Text("error"), StringComparison.Ordinal);
        using (Socket flood = ControlSocket.Connect(ControlPath))
            Assert.Throws<SocketException>(() => SendAll(flood, new byte[1 << 20]));
        Assert.Equal(subject.Id, ControlSocket.Ask(ControlPath).Number("pid"));
    }

    [Fact]
    public void A_client_that_says_nothing_and_one_that_reads_nothing_hold_up_nobody_for_long()
    {
        // Goal: the relayed connections don't notice, and whoever asks after them is answered.
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start();
        using Socket silent = ControlSocket.Connect(ControlPath);
        using Socket deaf = ControlSocket.Connect(ControlPath);
        deaf.Send("{\"ask\":\"status\"}\n"u8);
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);
        client.AssertEcho("hello");
        Assert.Equal(1, ControlSocket.Ask(ControlPath).Destination().Number("live"));
        Assert.Contains("no line", ControlSocket.Answer(silent).Text("error"), StringComparison.Ordinal);
        client.AssertEcho("again");
    }

    [Fact]
    public void A_hundred_clients_at_once_are_all_answered()
    {
        // Goal: one after the other, each with its line.
        using Subject subject = Start();
        ControlSocket.Ask(ControlPath);
        Socket[] clients = [.. Enumerable.Range(0, 100).Select(_ => ControlSocket.Connect(ControlPath))];
        Array.ForEach(clients, client => client.Send("{\"ask\":\"status\"}\n"u8));
        foreach (Socket client in clients)
        {
            Assert.Equal(subject.Id, ControlSocket.Answer(client).Number("pid"));
            client.Dispose();
        }
        // What they cost is gone with them.
        int descriptors = Proc.Settled(() => Proc.FdCount(subject.Id));
        ControlSocket.Ask(ControlPath);
        Assert.Equal(descriptors, Proc.Settled(() => Proc.FdCount(subject.Id)));
    }

    private Subject Start(params string[] options) => Subject.Start(new SubjectSetup
    {
        Sockets = [_listener],
        Arguments = [.. options, Addresses.Text(_destination)],
        Environment = new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = Path.GetDirectoryName(ControlPath)! },
    });

    private static void SendAll(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
            sent += socket.Send(bytes.AsSpan(sent));
    }
}
