using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyD.Interop;

namespace ProxyD.Backend;

/// <summary><c>--ready=http:/path</c>: the backend answers that path with 2xx, or with a status that was asked for.</summary>
/// <remarks>A few lines of our own: HttpClient made a binary of 5.4 MB one of 8.6, for one status line.</remarks>
/// <param name="backend">Where it listens.</param>
/// <param name="path">From the first slash on.</param>
/// <param name="statuses">Those that are wanted, each range from its first to its last; empty for 200 to 299.</param>
internal sealed class HttpProbe(Address backend, string path, IReadOnlyList<(int From, int To)> statuses) : IReadinessProbe
{
    /// <summary>How long one answer may take; then it counts as none.</summary>
    private static readonly TimeSpan s_answerTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_restTime = TimeSpan.FromMilliseconds(20);

    /// <summary>Up to the status: "HTTP/1.1 200".</summary>
    private const int StatusLineStart = 12;

    private string Wanted => statuses.Count == 0
        ? "2xx"
        : string.Join(", ", statuses.Select(range => range.From == range.To ? $"{range.From}" : $"{range.From}-{range.To}"));

    public TimeSpan PauseMax { get; } = TimeSpan.FromMilliseconds(50);

    public async Task<ProbeResult> TryAsync(CancellationToken stop)
    {
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(s_answerTime);
        try
        {
            using Socket socket = await ConnectAsync(time.Token).ConfigureAwait(false);
            string host = backend.Path is null ? backend.Text : "localhost";
            byte[] request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: proxyd\r\nConnection: close\r\n\r\n");
            await socket.SendAsync(request, time.Token).ConfigureAwait(false);
            ProbeResult result = Judge(await ReadStartAsync(socket, time.Token).ConfigureAwait(false));
            await SocketRest.DropAsync(socket, s_restTime, stop).ConfigureAwait(false);
            return result;
        }
        catch (SocketException e)
        {
            return new(false, false, $"GET {path}: {e.SocketErrorCode}");
        }
        catch (OperationCanceledException)
        {
            return new(false, false, $"GET {path}: no answer within {s_answerTime.TotalSeconds:0} s");
        }
    }

    /// <summary>What the first bytes of an answer say.</summary>
    internal ProbeResult Judge(string start)
    {
        if (!start.StartsWith("HTTP/", StringComparison.Ordinal)
            || start.Length < StatusLineStart
            || !int.TryParse(start.AsSpan(StatusLineStart - 3, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int answered))
        {
            return new(false, start.Length > 0, $"GET {path}: the answer is not HTTP");
        }
        bool isReady = statuses.Count == 0 ? answered is >= 200 and <= 299 : statuses.Any(range => answered >= range.From && answered <= range.To);
        return isReady ? ProbeResult.Ready : new(false, true, $"GET {path}: {answered}, expected {Wanted}");
    }

    private async Task<Socket> ConnectAsync(CancellationToken stop)
    {
        EndPoint peer = backend.ToEndPoint();
        Socket socket = peer.AddressFamily switch
        {
            AddressFamily.Unix => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
            // A name: whatever its addresses are.
            AddressFamily.Unspecified => new(SocketType.Stream, ProtocolType.Tcp),
            AddressFamily family => new(family, SocketType.Stream, ProtocolType.Tcp),
        };
        try
        {
            await socket.ConnectAsync(peer, stop).ConfigureAwait(false);
            // It may have met itself (see Dialer): then it must go without a trace, or the backend could not bind its port.
            if (peer.AddressFamily != AddressFamily.Unix && socket.LocalEndPoint!.Equals(socket.RemoteEndPoint))
            {
                socket.LingerState = new LingerOption(true, 0);
                throw new SocketException((int)SocketError.ConnectionRefused);
            }
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<string> ReadStartAsync(Socket socket, CancellationToken stop)
    {
        byte[] start = new byte[StatusLineStart];
        int have = 0;
        int got;
        while (have < start.Length && (got = await socket.ReceiveAsync(start.AsMemory(have), stop).ConfigureAwait(false)) > 0)
            have += got;
        return Encoding.ASCII.GetString(start, 0, have);
    }
}
