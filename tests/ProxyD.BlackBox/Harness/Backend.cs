using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyD.BlackBox.Harness;

/// <summary>A service behind the proxy: accepts, remembers every connection in order, and serves each on a thread of its own.</summary>
/// <remarks>A connection stays open until whoever serves it closes it, or the test ends.</remarks>
internal sealed class Backend : IDisposable
{
    private readonly Socket _listener;
    private readonly Action<Peer> _serve;
    private readonly List<Peer> _accepted = [];
    private readonly List<Exception> _failures = [];

    private Backend(Socket listener, Action<Peer> serve)
    {
        _listener = listener;
        _serve = serve;
        Background.Start(Accept);
    }

    /// <summary>Each connection so far, in the order of their acceptance.</summary>
    public Peer[] Accepted
    {
        get
        {
            lock (_accepted)
                return [.. _accepted];
        }
    }

    /// <summary>Failed assertions of the serving side; socket errors are the connection's business and not kept.</summary>
    public Exception[] Failures
    {
        get
        {
            lock (_failures)
                return [.. _failures];
        }
    }

    public static Backend Start(EndPoint at, Action<Peer> serve, int backlog = 1024)
    {
        Socket listener = Addresses.NewSocket(at);
        try
        {
            listener.Bind(at);
            listener.Listen(backlog);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
        return new Backend(listener, serve);
    }

    /// <summary>Takes over a listener that the test made, and perhaps left alone for a while.</summary>
    public static Backend On(Socket listener, Action<Peer> serve)
    {
        listener.Blocking = true;
        return new Backend(listener, serve);
    }

    public static Backend Echo(EndPoint at) => Start(at, EchoAll);

    /// <summary>A backend that answers a request line with NAME and the line, and closes.</summary>
    public static Backend Named(EndPoint at, string name) => Start(at, peer => Answer(peer, name));

    /// <summary>A backend that accepts and then does nothing: the stalled reader.</summary>
    public static Backend Stalled(EndPoint at) => Start(at, _ => { });

    public Peer WaitForConnection(int index = 0)
    {
        Wait.Until(() => Accepted.Length > index, $"connection {index} at the backend");
        return Accepted[index];
    }

    public static void EchoAll(Peer peer)
    {
        byte[] buffer = new byte[65536];
        while (peer.ReadSome(buffer) is > 0 and var read)
            peer.Send(buffer.AsSpan(0, read));
        peer.SendEnd();
    }

    public static void Answer(Peer peer, string name)
    {
        using (peer)
            peer.Send($"{name}:{ReadLine(peer)}");
    }

    public static string ReadLine(Peer peer)
    {
        StringBuilder line = new();
        for (string c = peer.Read(1); c != "\n"; c = peer.Read(1))
            line.Append(c);
        return line.ToString();
    }

    /// <summary>Whoever comes from now on is refused; who is there stays.</summary>
    public void StopListening() => _listener.Dispose();

    public void Dispose()
    {
        StopListening();
        foreach (Peer peer in Accepted)
            peer.Dispose();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                Peer peer = new(_listener.Accept());
                lock (_accepted)
                    _accepted.Add(peer);
                Background.Start(() => Serve(peer));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test disposed of us.
        }
    }

    private void Serve(Peer peer)
    {
        try
        {
            _serve(peer);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client went away, or the test ended.
        }
        catch (Exception e)
        {
            lock (_failures)
                _failures.Add(e);
        }
    }
}
