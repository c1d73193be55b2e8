using System.Text;
using System.Text.Json;
using ProxyD.Activation;
using ProxyD.Interop;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD;

/// <summary>The control socket: a Unix socket in the runtime directory that answers one request with one line of JSON.</summary>
/// <remarks>
/// A request is one line, <c>{"ask":"status"}</c>; the answer ends the connection. A thread of its own serves one client after the other and
/// waits for none longer than <see cref="s_patience"/>, so neither data plane nor control queue ever waits for one. Only root and the
/// user that proxyd runs as are answered: the file's mode says so, and the kernel's word for who asks (SO_PEERCRED, unix(7)).
/// </remarks>
internal sealed unsafe class StatusServer : IDisposable
{
    /// <summary>Of the socket in its directory.</summary>
    internal const string FileName = "control";

    /// <summary>Mode 0600.</summary>
    private const uint OwnersOnly = 0x180;

    private const int RequestBytesMax = 4096;

    /// <summary>Who asks while another is answered waits here; more are told to come again (EAGAIN).</summary>
    private const int Backlog = 128;

    /// <summary>For the request, for the report, and for the answer to be taken, each.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly Func<TimeSpan, byte[]?> _ask;
    private readonly int _listenerFd;
    private readonly byte[] _request = new byte[RequestBytesMax];
    private readonly ManualResetEventSlim _isOver = new();
    private string? _path;

    private StatusServer(int listenerFd, string path, Func<TimeSpan, byte[]?> ask)
    {
        (_listenerFd, _path, _ask) = (listenerFd, path, ask);
        new Thread(Run) { Name = "status", IsBackground = true }.Start();
    }

    /// <summary>The directory that systemd has made for us (RuntimeDirectory=, systemd.exec(5)), the first of several; null when there is none.</summary>
    internal static string? Directory(Func<string, string?> variable) =>
        variable("RUNTIME_DIRECTORY") is { Length: > 0 } directories ? directories.Split(':')[0] : null;

    /// <summary>Binds the socket and begins to answer.</summary>
    /// <param name="directory">Where; it must exist.</param>
    /// <param name="ask">Gives the line to answer with; null when that takes longer than it is given.</param>
    /// <param name="problem">Why there is none: a unit may forbid AF_UNIX, and clients are served all the same.</param>
    internal static StatusServer? TryStart(string directory, Func<TimeSpan, byte[]?> ask, out string? problem)
    {
        string path = Path.Combine(directory, FileName);
        problem = Encoding.UTF8.GetByteCount(path) > SocketAddress.MaxUnixPathBytes
            ? $"{path} is longer than {SocketAddress.MaxUnixPathBytes} bytes"
            : null;
        if (problem is not null)
            return null;
        SysResult socket = SysResult.From(Libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        problem = socket.Ok ? Bind(socket.Value, path) : socket.Errno.Text();
        if (problem is null)
            return new(socket.Value, path, ask);
        if (socket.Ok)
            Libc.close(socket.Value);
        problem = $"{path}: {problem}";
        return null;
    }

    /// <summary>Takes the socket away. Any thread may, at any time.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _path, null) is not { } path)
            return;
        SocketFile.Unlink(path);
        // Ends the accept(2) that waits. First, because the thread closes the descriptor as soon as it sees the other.
        Libc.shutdown(_listenerFd, SHUT_RDWR);
        _isOver.Set();
    }

    private static string? Bind(int fd, string path)
    {
        if (SocketFile.Probe(path) == SocketFileState.Stale)
            SocketFile.Unlink(path);
        fixed (byte* address = SocketAddress.UnixPath(path).Bytes, name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            SysResult done = SysResult.From(Libc.bind(fd, address, (uint)SocketAddress.UnixPath(path).Bytes.Length));
            if (!done.Ok)
                return done.Errno.Text();
            // Before listen(2), so that there is no moment in which somebody else gets in.
            done = SysResult.From(Libc.chmod(name, OwnersOnly));
            if (done.Ok)
                done = SysResult.From(Libc.listen(fd, Backlog));
            return done.Ok ? null : done.Errno.Text();
        }
    }

    private void Run()
    {
        while (!_isOver.IsSet)
        {
            SysResult client = SysResult.From(Libc.accept4(_listenerFd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (client.Ok)
            {
                Serve(client.Value);
                Libc.close(client.Value);
            }
            else if (client.Errno is not (Errno.EINTR or Errno.ECONNABORTED))
            {
                // No descriptor to be had: it would fail again at once.
                _isOver.Wait(s_patience);
            }
        }
        Libc.close(_listenerFd);
    }

    private void Serve(int fd)
    {
        byte[] answer = !IsWelcome(fd)
            ? StatusReport.Refusal("only root and the user that proxyd runs as may ask")
            : Problem(ReadLine(fd)) is { } problem
                ? StatusReport.Refusal(problem)
                : _ask(s_patience) ?? StatusReport.Refusal("a thread of proxyd does not answer");
        Send(fd, [.. answer, (byte)'\n']);
    }

    private static bool IsWelcome(int fd)
    {
        ucred peer = default;
        uint length = (uint)sizeof(ucred);
        return Libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && (peer.uid == 0 || peer.uid == Libc.geteuid());
    }

    /// <summary>What is wrong with the request; null when it asks for the status.</summary>
    /// <param name="length">Of the line in <see cref="_request"/>; null when none came.</param>
    private string? Problem(int? length)
    {
        const string Expected = """expected one line {"ask":"status"}""";
        if (length is null)
            return $"no line of at most {RequestBytesMax} bytes came within {s_patience.TotalSeconds} s; {Expected}";
        try
        {
            using JsonDocument json = JsonDocument.Parse(_request.AsMemory(0, length.Value));
            return json.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("ask", out JsonElement ask)
                && ask.ValueKind == JsonValueKind.String && ask.ValueEquals("status")
                ? null
                : $"nothing known is asked for; {Expected}";
        }
        catch (JsonException)
        {
            return $"the request is no JSON; {Expected}";
        }
    }

    /// <summary>Reads what comes before the first line end, or before the client's end of stream.</summary>
    /// <returns>How long it is; null when that is too long or too late.</returns>
    private int? ReadLine(int fd)
    {
        int count = 0;
        long dueMs = EventLoop.ClockMs() + (long)s_patience.TotalMilliseconds;
        while (count < RequestBytesMax && WaitFor(fd, POLLIN, dueMs))
        {
            int got = Receive(fd, _request.AsSpan(count));
            if (got < 0)
                return null;
            int end = _request.AsSpan(count, got).IndexOf((byte)'\n');
            if (got == 0 || end >= 0)
                return count + Math.Max(end, 0);
            count += got;
        }
        return null;
    }

    private static void Send(int fd, ReadOnlySpan<byte> bytes)
    {
        long dueMs = EventLoop.ClockMs() + (long)s_patience.TotalMilliseconds;
        while (bytes.Length > 0 && WaitFor(fd, POLLOUT, dueMs))
        {
            fixed (byte* start = bytes)
            {
                SysResult sent = SysResult.From(Libc.send(fd, start, (nuint)bytes.Length, MSG_NOSIGNAL));
                if (sent.Ok)
                    bytes = bytes[sent.Value..];
                else if (!sent.WouldBlock)
                    return;
            }
        }
    }

    /// <summary>Bytes read; 0 at the end of the stream, -1 after an error.</summary>
    private static int Receive(int fd, Span<byte> room)
    {
        fixed (byte* start = room)
        {
            SysResult got = SysResult.From(Libc.recv(fd, start, (nuint)room.Length, 0));
            return got.Ok ? got.Value : -1;
        }
    }

    /// <summary>False when the time is over.</summary>
    private static bool WaitFor(int fd, short events, long dueMs)
    {
        pollfd item = new() { fd = fd, events = events };
        SysResult ready;
        do
        {
            int leftMs = (int)Math.Max(dueMs - EventLoop.ClockMs(), 0);
            ready = SysResult.From(Libc.poll(&item, 1, leftMs));
        }
        while (ready.Errno == Errno.EINTR);
        return ready.Ok && ready.Value > 0;
    }
}
