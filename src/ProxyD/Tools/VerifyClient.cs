using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyD.Interop;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>Clients of the public socket, each with a connection of its own; nothing is pooled or tried twice.</summary>
/// <param name="peer">Where they connect.</param>
/// <param name="check">What they ask for.</param>
/// <param name="path">What of, with HTTP.</param>
/// <param name="patience">How long each waits for its answer.</param>
/// <param name="live">Counts everybody's connections but these.</param>
internal sealed class VerifyClient(EndPoint peer, VerifyCheck check, string path, TimeSpan patience, VerifyLive live)
{
    /// <summary>How long a connection without a byte must stay open: a proxy that can't reach its backend closes sooner.</summary>
    private static readonly TimeSpan s_openTime = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_lookPause = TimeSpan.FromMilliseconds(10);

    /// <summary>How long the rest of an answer is read; no long one to its end.</summary>
    private static readonly TimeSpan s_restTime = TimeSpan.FromMilliseconds(50);

    /// <summary>Connects, asks, and waits for what comes.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was asked for.</exception>
    internal async Task<VerifyAnswer> AskAsync(CancellationToken stop)
    {
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(patience);
        long start = Stopwatch.GetTimestamp();
        bool isConnected = false;
        try
        {
            using Socket socket = peer.AddressFamily == AddressFamily.Unix
                ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(peer, time.Token).ConfigureAwait(false);
            isConnected = true;
            live.Ignore(socket.LocalEndPoint);
            if (check == VerifyCheck.Tcp)
                return await WatchAsync(socket, start, time.Token).ConfigureAwait(false);
            await socket.SendAsync(Request(), time.Token).ConfigureAwait(false);
            byte[] begin = new byte[VerifyJudge.StatusLineStart];
            int have = await ReadAsync(socket, begin, time.Token).ConfigureAwait(false);
            VerifyAnswer answer = VerifyJudge.Read(begin.AsSpan(0, have), ElapsedMs(start));
            await SocketRest.DropAsync(socket, s_restTime, stop).ConfigureAwait(false);
            return answer;
        }
        catch (SocketException e) when (!isConnected)
        {
            string why = e.SocketErrorCode == SocketError.ConnectionRefused ? "refused" : $"can't connect: {e.SocketErrorCode}";
            return new(AnswerKind.Refused, 0, why, ElapsedMs(start));
        }
        catch (SocketException)
        {
            return new(AnswerKind.Reset, 0, "", ElapsedMs(start));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(AnswerKind.TimedOut, 0, "", ElapsedMs(start));
        }
    }

    private static double ElapsedMs(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    private byte[] Request()
    {
        string host = peer is IPEndPoint ? peer.ToString()! : "localhost";
        return Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: proxyd-verify\r\nConnection: close\r\n\r\n");
    }

    /// <summary>Says nothing: the first byte, the end, or that the connection is accepted and stays open.</summary>
    private async Task<VerifyAnswer> WatchAsync(Socket socket, long start, CancellationToken stop)
    {
        byte[] begin = new byte[VerifyJudge.StatusLineStart];
        Task<int> first = socket.ReceiveAsync(begin, stop).AsTask();
        double? acceptedMs = null;
        while (await Task.WhenAny(first, Task.Delay(s_lookPause, stop)).ConfigureAwait(false) != first)
        {
            stop.ThrowIfCancellationRequested();
            if (acceptedMs is null && IsAccepted(socket))
                acceptedMs = ElapsedMs(start);
            if (acceptedMs is { } ms && ElapsedMs(start) - ms >= s_openTime.TotalMilliseconds)
                return new(AnswerKind.AcceptedAndOpen, 0, "", ms);
        }
        return VerifyJudge.Read(begin.AsSpan(0, await first.ConfigureAwait(false)), ElapsedMs(start));
    }

    private bool IsAccepted(Socket socket) => peer is IPEndPoint internet
        ? KernelSockets.IsTcpAccepted(KernelTables.Tcp(), internet.Port, ((IPEndPoint)socket.LocalEndPoint!).Port)
        : !KernelSockets.HasUnixWaiting(KernelTables.Unix(), KernelTables.NameOf(peer));

    private static async Task<int> ReadAsync(Socket socket, byte[] into, CancellationToken stop)
    {
        int have = 0;
        int got;
        while (have < into.Length && (got = await socket.ReceiveAsync(into.AsMemory(have), stop).ConfigureAwait(false)) > 0)
            have += got;
        return have;
    }
}
