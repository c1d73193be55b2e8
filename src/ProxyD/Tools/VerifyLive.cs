using System.Diagnostics;
using System.Globalization;
using System.Net;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>Connections of others than verify itself, which a stop of the backend cuts: at the public socket, and at the backend's own.</summary>
/// <remarks>
/// Past the proxy, only TCP is looked at: whose process holds the other end of a Unix connection, /proc/net/unix doesn't tell. Nor is a backend
/// seen whose processes are not in its unit's control group or not ours to look into, or that has a network of its own.
/// </remarks>
internal sealed class VerifyLive(Systemctl systemctl, VerifyTarget target)
{
    /// <summary>How long a connection that has ended may take to be gone at its other ends, too.</summary>
    private static readonly TimeSpan s_endTime = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private readonly HashSet<IPEndPoint> _own = [];

    /// <summary>A client of verify's: what is left of it is nobody's loss.</summary>
    /// <param name="client">Its own end; a Unix client has no name.</param>
    internal void Ignore(EndPoint? client)
    {
        lock (_own)
        {
            // As the kernel's tables have it: without the interface of a link's own address.
            if (client is IPEndPoint end)
                _own.Add(new(new IPAddress(end.Address.GetAddressBytes()), end.Port));
        }
    }

    /// <summary>How many would be cut now.</summary>
    /// <param name="hasAbandoned">Clients of verify's may be left in the listen queue: of a Unix socket's they can't be told from others.</param>
    /// <param name="stop">Ends the wait for connections that have ended.</param>
    /// <exception cref="ToolException">Systemd can't be asked.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    internal async Task<int> CountAsync(bool hasAbandoned, CancellationToken stop)
    {
        int count;
        for (long start = Stopwatch.GetTimestamp(); (count = Count(hasAbandoned)) > 0; await Task.Delay(s_pause, stop).ConfigureAwait(false))
        {
            if (Stopwatch.GetElapsedTime(start) > s_endTime)
                break;
        }
        return count;
    }

    /// <summary>So many, in words.</summary>
    internal static string Text(int count) => count == 1 ? "1 live connection" : string.Create(CultureInfo.InvariantCulture, $"{count} live connections");

    private int Count(bool hasAbandoned)
    {
        // Whose a socket is comes first: one that the proxy opens after that is seen with its owner the next time.
        string backend = target.Backend ?? target.Proxy;
        HashSet<string> own = SocketsOf([backend]);
        HashSet<string> others = own.Count == 0 ? [] : SocketsOf(target.Services);
        string table = KernelTables.Tcp();
        IPEndPoint[] open = [.. target.Addresses.Select(text => IPEndPoint.TryParse(text, out IPEndPoint? address) ? address : null).OfType<IPEndPoint>()];
        IPEndPoint[] mine;
        lock (_own)
            mine = [.. _own];
        int count = open.Sum(listener => KernelSockets.TcpClients(table, listener, mine));
        if (!hasAbandoned)
            count += target.Addresses.Where(text => text is ['/' or '@', ..]).Sum(name => KernelSockets.UnixClients(KernelTables.Unix(), name));
        return count + KernelSockets.DirectClients(table, own, others, open);
    }

    private HashSet<string> SocketsOf(IEnumerable<string> units) =>
        [.. systemctl.ShowEach(units, "ControlGroup").Select(unit => unit.GetValueOrDefault("ControlGroup", "")).Distinct().SelectMany(ListeningPorts.Sockets)];
}
