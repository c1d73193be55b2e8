using BenchmarkDotNet.Attributes;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Benchmarks;

/// <summary>A connection's whole life on its worker: taken over, watched, both ends seen, closed. Each end brings the next connection.</summary>
/// <remarks>The twin makes and closes the same sockets; the difference is ours.</remarks>
[MemoryDiagnoser]
public class ConnectionBenchmarks
{
    private const int Connections = 1_000;

    private readonly ServiceSettings _service = new()
    {
        Index = 0,
        Listeners = [new Listener(fd: -1, ListenerKind.Other)],
        Addresses = [SocketAddress.UnixAbstract("nobody")],
        NeedsResolver = false,
        HoldTimeoutMs = 0,
    };

    private readonly ManualResetEventSlim _done = new(initialState: false, spinCount: 0);
    private readonly Worker _worker;
    private readonly Action _takeNext;
    private int _left;

    public ConnectionBenchmarks()
    {
        _takeNext = TakeNext;
        _worker = new(new RelayLimits(), OnEnded);
        _worker.Start("benchmark");
    }

    [GlobalCleanup]
    public void Close()
    {
        _worker.Loop.Stop();
        _done.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Connections)]
    public void SocketsOnly()
    {
        for (int i = 0; i < Connections; i++)
        {
            (int client, int backend) = EndedPair();
            Libc.close(client);
            Libc.close(backend);
        }
    }

    [Benchmark(OperationsPerInvoke = Connections)]
    public void WholeLife()
    {
        _left = Connections;
        _done.Reset();
        _worker.Loop.Post(_takeNext);
        _done.Wait();
    }

    // Not within the end of the last one, which becomes reusable only after it.
    private void OnEnded(Connection connection)
    {
        if (--_left > 0)
            _worker.Loop.Post(_takeNext);
        else
            _done.Set();
    }

    private void TakeNext()
    {
        (int client, int backend) = EndedPair();
        _worker.Take(new(_service, client, ClientIsTcp: false, backend));
    }

    /// <summary>proxyd's ends of two connections whose other ends are closed already.</summary>
    private static (int Client, int Backend) EndedPair()
    {
        SocketPair.Open(out int client, out int clientsEnd);
        SocketPair.Open(out int backend, out int backendsEnd);
        Libc.close(clientsEnd);
        Libc.close(backendsEnd);
        return (client, backend);
    }
}
