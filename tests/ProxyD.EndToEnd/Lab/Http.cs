using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyD.EndToEnd;

/// <summary>What an HTTP server answered, and how long connecting, asking and reading took together.</summary>
internal readonly record struct Answer(int Status, string Body, TimeSpan Elapsed);

/// <summary>One request on one connection, over a bare socket: HttpClient would pool, retry and time on its own.</summary>
internal static class Http
{
    /// <summary>How long an answer may take: no cold start comes near it.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    /// <summary>Asks and waits for the whole answer.</summary>
    /// <exception cref="SocketException">The connection was refused or reset.</exception>
    /// <exception cref="EndOfStreamException">The connection ended before there was a whole answer.</exception>
    /// <exception cref="OperationCanceledException">The answer took longer than <see cref="Bound"/>.</exception>
    public static Answer Get(this Lab lab, string address, string token = "") => lab.GetAsync(address, token).GetAwaiter().GetResult();

    /// <inheritdoc cref="Get"/>
    public static async Task<Answer> GetAsync(this Lab lab, string address, string token = "")
    {
        (Socket socket, EndPoint peer) = lab.NewClient(address);
        using Socket client = socket;
        using CancellationTokenSource bound = new(Bound);
        long start = Stopwatch.GetTimestamp();
        await client.ConnectAsync(peer, bound.Token);
        await client.AskAsync(token, bound.Token);
        return await client.AnswerAsync(start, bound.Token);
    }

    /// <summary>Asks, and expects to be reset without a byte of an answer; gives how long that took.</summary>
    public static TimeSpan HeldUntilReset(this Lab lab, string address)
    {
        long start = Stopwatch.GetTimestamp();
        using Socket client = lab.Connect(address);
        client.ReceiveTimeout = (int)Bound.TotalMilliseconds;
        client.Ask("hopeless");
        SocketException end = Assert.Throws<SocketException>(() => client.Receive(new byte[1]));
        TimeSpan held = Stopwatch.GetElapsedTime(start);
        Assert.Equal(SocketError.ConnectionReset, end.SocketErrorCode);
        return held;
    }

    /// <summary>Sends a request on a connected socket.</summary>
    public static void Ask(this Socket client, string token) => client.AskAsync(token, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Reads the answer of a request that was sent before.</summary>
    public static Answer Answer(this Socket client)
    {
        using CancellationTokenSource bound = new(Bound);
        return client.AnswerAsync(Stopwatch.GetTimestamp(), bound.Token).GetAwaiter().GetResult();
    }

    private static async Task AskAsync(this Socket client, string token, CancellationToken bound)
    {
        byte[] request = Encoding.ASCII.GetBytes($"GET /{token} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n");
        await client.SendAsync(request, bound);
    }

    private static async Task<Answer> AnswerAsync(this Socket client, long start, CancellationToken bound)
    {
        using MemoryStream received = new();
        byte[] chunk = new byte[4096];
        try
        {
            int count;
            while ((count = await client.ReceiveAsync(chunk, bound)) > 0)
                received.Write(chunk, 0, count);
        }
        catch (SocketException end) when (received.Length > 0)
        {
            throw new EndOfStreamException($"{end.Message} after {received.Length} bytes");
        }
        return Parse(Encoding.ASCII.GetString(received.ToArray()), Stopwatch.GetElapsedTime(start));
    }

    private static Answer Parse(string text, TimeSpan elapsed)
    {
        int body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (body < 0)
            throw new EndOfStreamException($"the connection ended after {text.Length} bytes: \"{text}\"");
        int status = int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
        return new Answer(status, text[(body + 4)..], elapsed);
    }
}
