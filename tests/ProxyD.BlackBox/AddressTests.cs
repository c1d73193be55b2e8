using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;
using ProxyD.Testing;

namespace ProxyD.BlackBox;

/// <summary>Every way to write a destination.</summary>
public sealed class AddressTests
{
    private readonly int _port = Ports.Free();

    [Theory]
    [Trait("row", "W7")]
    [InlineData("[::1]:{0}")]
    [InlineData("::1:{0}")]
    [InlineData("[0:0:0:0:0:0:0:1]:{0}")]
    public void An_IPv6_destination_is_understood_with_and_without_brackets(string destination)
    {
        // Goal: the address as everybody writes it and as systemd-socket-proxyd wants it, split at the last colon.
        Requires.IPv6();
        using Backend backend = Backend.Echo(new IPEndPoint(IPAddress.IPv6Loopback, _port));
        AssertServes(string.Format(CultureInfo.InvariantCulture, destination, _port));
    }

    [Theory]
    [InlineData("127.0.0.1:{0}")]
    [InlineData("localhost:{0}")]
    public void An_IPv4_destination_is_understood_as_number_and_as_name(string destination)
    {
        // Goal: the plain cases.
        using Backend backend = Backend.Echo(new IPEndPoint(IPAddress.Loopback, _port));
        AssertServes(string.Format(CultureInfo.InvariantCulture, destination, _port));
    }

    [Theory]
    [Trait("row", "W7")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Each_address_of_a_name_is_tried(string listening)
    {
        // Goal: a name with an IPv4 and an IPv6 address reaches the backend that listens on only one of them.
        Requires.Root();
        Requires.IPv6();
        using TemporaryFolder folder = new();
        string hosts = folder.Write("hosts", "127.0.0.1 localhost\n127.0.0.1 both.test\n::1 both.test\n");
        using Backend backend = Backend.Echo(new IPEndPoint(IPAddress.Parse(listening), _port));
        AssertServes($"both.test:{_port}", hosts);
    }

    [Fact]
    [Trait("row", "W7")]
    public void A_bare_number_is_refused()
    {
        // Goal: `12346` is somebody who forgot the host, not the host 0.0.48.58.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup { Sockets = [listener], Arguments = ["12346"] });

        Assert.Equal(1, subject.WaitForExit());
        Assert.Contains("12346", Assert.Single(subject.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_without_an_address_stops_no_start_and_its_client_is_reset_in_time()
    {
        // Goal: a resolver that comes up late, or a mistyped name, costs the clients their wait and not the daemon its life.
        Requires.Proxyd();
        string destination = $"no-such-host.invalid:{_port}";
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup { Sockets = [listener], Arguments = ["--wait-bind=1s", destination] });
        using Peer client = Peer.Connect(listener.LocalEndPoint!);

        Assert.Equal(Ending.Reset, client.ReadEnding());

        subject.WaitForLog(destination, "did not answer", "name");
        Assert.False(subject.HasExited);
    }

    [Fact]
    public void A_Unix_path_is_a_destination()
    {
        // Goal: a destination that begins with a slash.
        using TemporaryFolder folder = new();
        using Backend backend = Backend.Echo(folder.Socket("backend.sock"));
        AssertServes(folder.File("backend.sock"));
    }

    [Fact]
    public void An_abstract_Unix_name_is_a_destination()
    {
        // Goal: a destination that begins with an at sign.
        UnixDomainSocketEndPoint name = Addresses.Abstract();
        using Backend backend = Backend.Echo(name);
        AssertServes(Addresses.Text(name));
    }

    [Fact]
    [Trait("row", "W7")]
    public void Connections_to_a_literal_address_start_no_threads()
    {
        // Goal: a literal address needs no resolver, least of all one for each connection.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(new IPEndPoint(IPAddress.Loopback, _port));

        // The runtime starts a thread of its own now and then. A new process each time: a resolver may keep its threads.
        Wait.ForOneGoodRound(() =>
        {
            using Subject subject = Subject.Start(listener, new IPEndPoint(IPAddress.Loopback, _port));
            using Peer first = Peer.Connect(listener.LocalEndPoint!);
            first.AssertEcho("up");
            int before = Proc.Settled(() => Proc.ThreadCount(subject.Id));
            Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 50);
            foreach (Peer client in clients)
                client.AssertEcho("served");
            int after = Proc.ThreadCount(subject.Id);
            foreach (Peer client in clients)
                client.Dispose();

            Assert.InRange(after, 0, before);
        });
    }

    private static void AssertServes(string destination, string? hostsFile = null)
    {
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(new SubjectSetup { Sockets = [listener], Arguments = [destination], HostsFile = hostsFile });
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.AssertEcho("hello");
    }
}
