using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ProxyD.BlackBox.Harness;

/// <summary>A client of proxyd's control socket, as any program may be one.</summary>
internal static class ControlSocket
{
    public const string StatusRequest = "{\"ask\":\"status\"}\n";

    /// <summary>Connects as soon as somebody listens: a daemon serves its clients before it makes the socket.</summary>
    public static Socket Connect(string path)
    {
        Socket? socket = null;
        Wait.Until(() => (socket = TryConnect(path)) is not null, $"a control socket at {path}");
        return socket!;
    }

    public static Socket? TryConnect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = Wait.DefaultTimeoutMs,
            SendTimeout = Wait.DefaultTimeoutMs,
        };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Asks, and gives the answer, which must be one line of JSON.</summary>
    public static JsonElement Ask(string path, string request = StatusRequest)
    {
        using Socket socket = Connect(path);
        socket.Send(Encoding.Latin1.GetBytes(request));
        return Answer(socket);
    }

    /// <summary>What comes until the end of the stream.</summary>
    public static JsonElement Answer(Socket socket)
    {
        StringBuilder text = new();
        byte[] some = new byte[65536];
        try
        {
            while (socket.Receive(some) is > 0 and int got)
                text.Append(Encoding.UTF8.GetString(some, 0, got));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // It ended with bytes of ours unread (unix(7)); what it had said before is all there.
        }
        Assert.EndsWith("\n", text.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, text.ToString().Count(c => c == '\n'));
        return JsonDocument.Parse(text.ToString()).RootElement;
    }

    /// <summary>The one destination of an answer.</summary>
    public static JsonElement Destination(this JsonElement answer) => Assert.Single(answer.GetProperty("destinations").EnumerateArray());

    public static string? Text(this JsonElement json, string name) => json.GetProperty(name).GetString();

    public static long Number(this JsonElement json, string name) => json.GetProperty(name).GetInt64();
}
