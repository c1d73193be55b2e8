using System.Net.Sockets;
using System.Text.Json;

namespace ProxyD.Tools;

/// <summary>What became of asking a proxyd: its answer, or why there is none.</summary>
/// <param name="Json">The answer; null with a <paramref name="Problem"/>.</param>
/// <param name="Problem">In words, after "can't be asked: ".</param>
internal sealed record StatusReply(JsonElement? Json, string? Problem);

/// <summary>Asks a running proxyd at its control socket.</summary>
internal static class StatusClient
{
    /// <summary>Of the control socket in the runtime directory of a unit.</summary>
    internal const string FileName = "control";

    /// <summary>Of the answers that this program understands.</summary>
    internal const int Format = 1;

    /// <summary>Far above any answer: 32 wakes of a destination are about six kilobytes.</summary>
    private const int AnswerBytesMax = 16 << 20;

    /// <summary>For each step. proxyd answers one after the other, and grants each a second.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <param name="path">The control socket.</param>
    internal static StatusReply Ask(string path)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.SendTimeout = socket.ReceiveTimeout = (int)s_patience.TotalMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return Understand(Exchange(socket));
        }
        catch (SocketException e)
        {
            return new(null, e.SocketErrorCode switch
            {
                SocketError.AccessDenied => $"{path} is for root and the user that it runs as",
                SocketError.AddressNotAvailable => $"there is no {path}",
                SocketError.ConnectionRefused => $"nobody listens at {path}",
                SocketError.TimedOut or SocketError.WouldBlock => $"no answer within {s_patience.TotalSeconds} s",
                _ => $"{path}: {e.Message}",
            });
        }
        catch (ArgumentException)
        {
            return new(null, $"{path} is longer than a Unix socket's path may be");
        }
    }

    /// <summary>Reads an answer: strings of another process, which may hold anything.</summary>
    internal static StatusReply Understand(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement.Clone();
            if (root.ValueKind != JsonValueKind.Object)
                return new(null, "its answer is no object");
            if (root.TryGetProperty("error", out JsonElement error))
                return new(null, Clean(error.ToString()));
            return root.TryGetProperty("format", out JsonElement format) && format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out int number)
                && number == Format
                ? new(root, null)
                : new(null, $"it answers in another format than {Format}; expected proxyd status of the version that runs");
        }
        catch (JsonException)
        {
            return new(null, line.Length == 0 ? "it gave no answer" : "its answer is no JSON");
        }
    }

    /// <summary>Text for a terminal: one line, and nothing that commands it.</summary>
    internal static string Clean(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    /// <remarks>Who is refused may find the connection ended before the request is out; why, is there to be read all the same.</remarks>
    private static byte[] Exchange(Socket socket)
    {
        using MemoryStream answer = new();
        byte[] some = new byte[65536];
        try
        {
            socket.Send("{\"ask\":\"status\"}\n"u8);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
        }
        try
        {
            while (answer.Length < AnswerBytesMax && socket.Receive(some) is > 0 and int got)
                answer.Write(some, 0, got);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset && answer.Length > 0)
        {
        }
        return answer.ToArray();
    }
}
