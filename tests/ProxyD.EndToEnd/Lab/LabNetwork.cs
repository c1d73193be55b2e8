using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>Sockets inside the lab's private network, made by the test process itself: no process start blurs a measurement.</summary>
/// <remarks>
/// setns(2) moves a single thread, and a socket stays in the network in which it was made. So one thread lives in the lab and
/// makes the sockets; everybody else uses them from wherever they run.
/// </remarks>
internal sealed class LabNetwork : IDisposable
{
    private readonly BlockingCollection<(AddressFamily Family, TaskCompletionSource<Socket> Result)> _orders = [];
    private readonly string _root;

    public LabNetwork(int leader, string root)
    {
        _root = root;
        TaskCompletionSource entered = new();
        new Thread(() => MakeSockets(leader, entered)) { IsBackground = true, Name = "lab network" }.Start();
        entered.Task.GetAwaiter().GetResult();
    }

    /// <summary>An unconnected stream socket of the lab.</summary>
    public Socket NewSocket(AddressFamily family)
    {
        TaskCompletionSource<Socket> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Add((family, result));
        return result.Task.GetAwaiter().GetResult();
    }

    /// <summary>An address as a unit file writes it: <c>HOST:PORT</c>, or the path of a Unix socket.</summary>
    public EndPoint Address(string text) =>
        text.StartsWith('/') ? new UnixDomainSocketEndPoint(_root + text) : IPEndPoint.Parse(text);

    /// <summary>A connected stream socket; a client of whatever listens there.</summary>
    public Socket Connect(string address)
    {
        EndPoint peer = Address(address);
        Socket socket = NewSocket(peer.AddressFamily);
        try
        {
            if (peer is IPEndPoint)
                socket.NoDelay = true;
            socket.Connect(peer);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _orders.CompleteAdding();

    private void MakeSockets(int leader, TaskCompletionSource entered)
    {
        try
        {
            Native.EnterNetworkOf(leader);
            entered.SetResult();
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            entered.SetException(failure);
            return;
        }
        foreach ((AddressFamily family, TaskCompletionSource<Socket> result) in _orders.GetConsumingEnumerable())
        {
            try
            {
                ProtocolType protocol = family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp;
                result.SetResult(new Socket(family, SocketType.Stream, protocol));
            }
            catch (SocketException failure)
            {
                result.SetException(failure);
            }
        }
    }
}
