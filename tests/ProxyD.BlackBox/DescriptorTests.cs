using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>What connections cost: two file descriptors each, all given back, patience when there are none left, and little memory.</summary>
[Collection(Alone.Name)]
public sealed class DescriptorTests
{
    private const int TransferTimeoutMs = 30_000;

    /// <summary>Each thread has descriptors of its own, and the default depends on the machine.</summary>
    private const string TwoThreads = "--threads=2";

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    public void An_idle_connection_costs_two_descriptors()
    {
        // Goal: an idle connection owns its two sockets and no pipe.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);

        // A look at the figure may fall into a moment in which the runtime has a file open; not three times. A new process each
        // time: one that has pipes in its pool from the round before would need no more.
        Wait.ForOneGoodRound(() =>
        {
            using Subject subject = Subject.Start(listener, _destination, TwoThreads);
            Peer[] clients = Serve(listener, 10);
            int before = Proc.Settled(() => Proc.FdCount(subject.Id));
            Peer[] more = Serve(listener, 100);
            int after = Proc.FdCount(subject.Id);
            CloseAll([.. clients, .. more]);

            Assert.Equal(200, after - before);
            Wait.Until(() => Proc.FdCount(subject.Id) <= before - 20, "all descriptors given back");
        });
    }

    [Fact]
    public void A_hundred_idle_connections_fit_into_little_memory()
    {
        // Goal: one proxy for each small service of a small machine; the bench measures the same, this keeps it from growing unseen.
        const int ResidentKbMax = 14 * 1024;
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(listener, _destination, "--threads=4");

        Peer[] clients = Serve(listener, 100);

        Assert.InRange(Proc.ResidentKb(subject.Id), 1, ResidentKbMax);
        CloseAll(clients);
    }

    [Fact]
    public void Descriptors_come_back_after_a_burst_of_bulk_transfers()
    {
        // Goal: pipes borrowed while 50 connections were stuck are given back or kept in a bounded pool.
        // Two threads with 16 pipes each.
        const int PoolBound = 64;
        using Socket listener = Addresses.Listen();
        using ManualResetEventSlim reading = new();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            reading.Wait();
            Backend.EchoAll(peer);
        });
        using Subject subject = Subject.Start(listener, _destination, TwoThreads);
        using Peer warm = Peer.Connect(listener.LocalEndPoint!);
        backend.WaitForConnection();
        int before = Proc.Settled(() => Proc.FdCount(subject.Id));

        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 50);
        byte[] chunk = new byte[8 << 20];
        Background[] senders = [.. clients.Select(client => Background.Start(() => SendAll(client, chunk)))];
        Background[] readers = [.. clients.Select(client => Background.Start(() => client.ReadEnding()))];
        Wait.Until(() => backend.Accepted.Length == 51, "50 stuck transfers");
        reading.Set();
        Background.JoinAll(senders.Concat(readers), TransferTimeoutMs);
        CloseAll(clients);

        Wait.Until(() => Proc.FdCount(subject.Id) <= before + PoolBound, "descriptors given back");
    }

    [Fact]
    public void Clients_beyond_the_file_limit_wait_and_are_served()
    {
        // Goal: EMFILE leaves the others in the listen queue until a connection ends, without a busy loop, and the log says so once.
        const int ReportPauseSeconds = 10;
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Sockets = [listener],
            Arguments = ["--wait-bind=30s", TwoThreads, Addresses.Text(_destination)],
            Prelude = ["ulimit -n 64"],
        });
        Stopwatch sinceShortage = Stopwatch.StartNew();
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 60);
        foreach (Peer client in clients)
            client.Send("hello");
        Wait.Until(() => clients.Count(client => client.HasInput()) >= 10, "some of them served");

        Assert.InRange(Proc.CpuPercent(subject.Id), 0, 20);
        if (!Subject.IsIncumbent)
        {
            subject.WaitForLog("raise LimitNOFILE=");
            int told = subject.Log.Count(line => line.Contains("raise LimitNOFILE=", StringComparison.Ordinal));
            Assert.InRange(told, 1, 1 + (int)(sinceShortage.Elapsed.TotalSeconds / ReportPauseSeconds));
        }

        HashSet<Peer> left = [.. clients];
        while (left.Count > 0)
        {
            Wait.Until(() => left.Any(client => client.HasInput()), $"the next of {left.Count} clients served");
            foreach (Peer client in left.Where(client => client.HasInput()).ToArray())
            {
                Assert.Equal("hello", client.Read(5));
                client.Dispose();
                left.Remove(client);
            }
        }
    }

    private static void SendAll(Peer client, byte[] bytes)
    {
        client.Socket.SendTimeout = TransferTimeoutMs;
        client.Send(bytes);
        client.SendEnd();
    }

    private static Peer[] Serve(Socket listener, int count)
    {
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, count);
        foreach (Peer client in clients)
            client.AssertEcho("served");
        return clients;
    }

    private static void CloseAll(Peer[] clients)
    {
        foreach (Peer client in clients)
            client.Dispose();
    }
}
