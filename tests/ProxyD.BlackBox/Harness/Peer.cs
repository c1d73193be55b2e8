using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyD.BlackBox.Harness;

/// <summary>How a connection ended, as seen by the one who reads.</summary>
internal enum Ending
{
    /// <summary>read returned 0: the other side sent FIN.</summary>
    Eof,

    /// <summary>read failed with ECONNRESET: the other side sent RST.</summary>
    Reset,
}

/// <summary>One end of a connection, the client's or the backend's, with blocking calls that give up after ten seconds.</summary>
internal sealed class Peer : IDisposable
{
    public Peer(Socket socket)
    {
        Socket = socket;
        socket.SendTimeout = Wait.DefaultTimeoutMs;
        socket.ReceiveTimeout = Wait.DefaultTimeoutMs;
        // The tests' own ends send at once, so a delay that shows is the proxy's.
        if (socket.AddressFamily != AddressFamily.Unix)
            socket.NoDelay = true;
    }

    public Socket Socket { get; }

    public int LocalPort => ((IPEndPoint)Socket.LocalEndPoint!).Port;

    /// <summary>Connects to an IP or Unix address, optionally with a small receive buffer or from a chosen local address.</summary>
    public static Peer Connect(EndPoint to, int? receiveBufferBytes = null, EndPoint? from = null)
    {
        Socket socket = Addresses.NewSocket(to);
        // SO_RCVBUF counts only when it is set before the handshake announces a window.
        if (receiveBufferBytes is { } bytes)
            socket.ReceiveBufferSize = bytes;
        try
        {
            if (from is not null)
                socket.Bind(from);
            socket.Connect(to);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return new Peer(socket);
    }

    public static Peer[] ConnectMany(EndPoint to, int count) => [.. Enumerable.Range(0, count).Select(_ => Connect(to))];

    /// <summary>Connects to an address that a process which has just started is about to listen on.</summary>
    public static Peer ConnectWhenUp(EndPoint to)
    {
        Peer? client = null;
        Wait.Until(
            () =>
            {
                try
                {
                    client = Connect(to);
                }
                catch (SocketException)
                {
                    // Not bound yet.
                }
                return client is not null;
            },
            $"a listener on {to}");
        return client!;
    }

    public void Send(string text) => Send(Encoding.ASCII.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[Socket.Send(bytes)..];
    }

    /// <summary>Sends FIN and keeps reading: the half-close of `nc -N`.</summary>
    public void SendEnd() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with RST.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    /// <summary>Sends as much as fits until nothing moves any more: every buffer on the way is full.</summary>
    /// <returns>The number of bytes sent.</returns>
    public long SendUntilStuck(ReadOnlySpan<byte> chunk)
    {
        const int QuietMs = 300;
        long sent = 0;
        Socket.SendTimeout = QuietMs;
        try
        {
            while (true)
                sent += Socket.Send(chunk);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
        }
        Socket.SendTimeout = Wait.DefaultTimeoutMs;
        return sent;
    }

    public int ReadSome(Span<byte> buffer)
    {
        try
        {
            return Socket.Receive(buffer);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new TimeoutException($"nothing to read within {Socket.ReceiveTimeout} ms");
        }
    }

    /// <summary>Reads exactly this much text; a shorter answer is an error that quotes it.</summary>
    public string Read(int bytes)
    {
        byte[] buffer = new byte[bytes];
        int count = 0;
        while (count < bytes)
        {
            int read = ReadSome(buffer.AsSpan(count));
            if (read == 0)
                throw new EndOfStreamException($"EOF after '{Encoding.ASCII.GetString(buffer, 0, count)}', {count} of {bytes} bytes");
            count += read;
        }
        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>Reads until the end, whichever it is.</summary>
    public (byte[] Bytes, Ending Ending) ReadToEnd()
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        try
        {
            while (ReadSome(buffer) is > 0 and var read)
                all.Write(buffer, 0, read);
            return (all.ToArray(), Ending.Eof);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return (all.ToArray(), Ending.Reset);
        }
    }

    public string ReadTextToEnd() => Encoding.ASCII.GetString(ReadToEnd().Bytes);

    /// <summary>Reads and discards until the connection ends, and says how.</summary>
    public Ending ReadEnding() => ReadToEnd().Ending;

    /// <summary>Sends a text and expects it back.</summary>
    public void AssertEcho(string text)
    {
        Send(text);
        Assert.Equal(text, Read(text.Length));
    }

    public bool HasInput(int waitMs = 0) => Socket.Poll(waitMs * 1000, SelectMode.SelectRead);

    /// <summary>Bytes sent that the other side's kernel hasn't acknowledged.</summary>
    public int UnacknowledgedBytes()
    {
        int bytes = 0;
        return Native.ioctl((int)Socket.Handle, Native.SIOCOUTQ, ref bytes) == 0
            ? bytes
            : throw new InvalidOperationException("SIOCOUTQ failed");
    }

    public void Dispose() => Socket.Dispose();
}
