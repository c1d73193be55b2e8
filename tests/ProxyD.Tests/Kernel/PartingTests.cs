using System.Net;
using System.Net.Sockets;
using ProxyD.Relay;

namespace ProxyD.Tests.Kernel;

/// <summary>An RST that waits until the last bytes are taken does not wait for ever.</summary>
public sealed class PartingTests : IDisposable
{
    private readonly Socket _backend = RelayHarness.Listen(IPAddress.Loopback);

    public void Dispose() => _backend.Dispose();

    [Fact]
    public void A_client_that_takes_nothing_is_cut_although_it_never_stops_sending()
    {
        // Goal: the tail of a reset backend's reply is kept for its client, but not against all reason: what the client sends keeps
        // the connection busy, and must not put the end off.
        using RelayHarness relay = new(new() { HalfCloseTimeoutMs = 500 }, 0, (IPEndPoint)_backend.LocalEndPoint!);
        using Socket client = relay.Connect();
        Socket upstream = RelayHarness.Accept(_backend);
        client.Send("?"u8);
        RelayHarness.ReadExactly(upstream, 1);
        SendUntilFull(upstream);
        RelayHarness.ResetNow(upstream);
        Thread sender = new(() => SendUntilCut(client)) { IsBackground = true };

        sender.Start();

        RelayEvent end = relay.WaitFor(RelayEventKind.ConnectionEnded);
        Assert.Equal(CloseReason.HalfCloseTimeout, end.Reason);
        Assert.True(sender.Join(RelayHarness.Patience), "the client is told");
    }

    private static void SendUntilFull(Socket socket)
    {
        byte[] chunk = new byte[65536];
        socket.Blocking = false;
        for (int quiet = 0; quiet < 20; quiet++)
        {
            while (socket.Send(chunk, 0, chunk.Length, SocketFlags.None, out SocketError error) > 0 && error == SocketError.Success)
                quiet = 0;
            Thread.Sleep(10);
        }
    }

    private static void SendUntilCut(Socket socket)
    {
        byte[] chunk = new byte[4096];
        try
        {
            while (true)
                socket.Send(chunk);
        }
        catch (SocketException)
        {
            // That is the end it waits for.
        }
    }
}
