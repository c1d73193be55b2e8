using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyD.BlackBox.Harness;

/// <summary>The service manager's end of $NOTIFY_SOCKET: collects each datagram.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _lines = [];

    public NotifySocket(EndPoint at)
    {
        _socket.Bind(at);
        Address = at.ToString()!;
        Background.Start(Receive);
    }

    /// <summary>The value of $NOTIFY_SOCKET.</summary>
    public string Address { get; }

    /// <summary>Every VARIABLE=VALUE line received, in order.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public void WaitFor(string line) => WaitFor(l => l == line, line);

    public void WaitFor(Func<string, bool> matches, string what) =>
        Wait.Until(() => Lines.Any(matches), $"{what} on the notify socket, which got: {string.Join(" | ", Lines)}");

    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (true)
            {
                int count = _socket.Receive(buffer);
                lock (_lines)
                    _lines.AddRange(Encoding.UTF8.GetString(buffer, 0, count).Split('\n', StringSplitOptions.RemoveEmptyEntries));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test disposed of us.
        }
    }
}
