using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>A proxy that can't move a byte doesn't use the processor.</summary>
[Collection(Alone.Name)]
public sealed class BusyLoopTests
{
    private const double MaxCpuPercent = 20;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    [Fact]
    [Trait("row", "W3")]
    public void A_client_reset_before_a_stalled_backend_costs_no_processor_time()
    {
        // Goal: a reset client, full buffers and a backend that doesn't read are waited out, not polled.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Assert.True(client.SendUntilStuck(new byte[65536]) > 0);

        client.Reset();

        Assert.InRange(Proc.CpuPercent(subject.Id), 0, MaxCpuPercent);
    }

    [Fact]
    [Trait("row", "W3")]
    public void Full_buffers_in_both_directions_cost_no_processor_time()
    {
        // Goal: two sides that both only send, and never read, stall the proxy at rest.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        Peer served = backend.WaitForConnection();
        client.SendUntilStuck(new byte[65536]);
        served.SendUntilStuck(new byte[65536]);

        Assert.InRange(Proc.CpuPercent(subject.Id), 0, MaxCpuPercent);
    }

    [Fact]
    [Trait("row", "W3")]
    public void A_half_closed_idle_connection_costs_no_processor_time()
    {
        // Goal: a FIN that stays readable for ever (level-triggered, it would wake the loop again and again) wakes it once.
        using Socket listener = Addresses.Listen();
        using Backend backend = Backend.Stalled(_destination);
        using Subject subject = Subject.Start(listener, _destination);
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("request");
        client.SendEnd();
        Assert.Equal("request", backend.WaitForConnection().ReadTextToEnd());

        Assert.InRange(Proc.CpuPercent(subject.Id), 0, MaxCpuPercent);
    }

    [Fact]
    public void Waiting_for_a_backend_costs_little_processor_time()
    {
        // Goal: the retries for 50 clients that wait are one client's retries.
        using Socket listener = Addresses.Listen();
        using Subject subject = Subject.Start(listener, _destination, "--wait-bind=30s");
        Peer[] clients = Peer.ConnectMany(listener.LocalEndPoint!, 50);
        Wait.ForTheSubjectToTry();

        Assert.InRange(Proc.CpuPercent(subject.Id), 0, MaxCpuPercent);
        foreach (Peer client in clients)
            client.Dispose();
    }
}
