using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>
/// Retrying connect() to a loopback port inside ip_local_port_range may pick the destination as its own source port, and TCP then
/// connects the socket to itself. With a range of four ports that happens on the first or second try instead of once in thousands.
/// </summary>
public sealed class SelfConnectTests
{
    private const int BackendPort = 30_000;

    private readonly IPEndPoint _destination = new(IPAddress.Loopback, BackendPort);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public void A_waiting_client_is_never_connected_to_itself(string host)
    {
        // Goal: no echo of the client's own bytes while nobody listens, and the port is still free for the backend.
        Requires.Root();
        using PrivateNetwork network = new("30000 30003");
        using Socket listener = network.Run(() => Addresses.Listen(new IPEndPoint(IPAddress.Loopback, 20_000)));
        using Subject subject = network.Run(() => Subject.Start(listener, new IPEndPoint(IPAddress.Parse(host), BackendPort), "--wait-bind=30s"));
        using Peer client = network.Run(() => Peer.Connect(listener.LocalEndPoint!, from: new IPEndPoint(IPAddress.Loopback, 20_001)));
        client.Send("hello\n");
        // Some hundred tries, each of which the kernel may answer with the port itself.
        Wait.While(() => !client.HasInput(), "the client hears nothing", 1500);

        using Backend backend = network.Run(BindAsTheProxyRetries);

        Assert.Equal("backend:hello", client.ReadTextToEnd());
    }

    /// <summary>A try that is being made just now holds the port for microseconds; one that holds it longer is the bug.</summary>
    private Backend BindAsTheProxyRetries()
    {
        // The bug holds it for the whole wait of 30 s.
        const int PatienceMs = 5000;
        Stopwatch tried = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return Backend.Named(_destination, "backend");
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && tried.ElapsedMilliseconds < PatienceMs)
            {
                Thread.Sleep(1);
            }
        }
    }
}
