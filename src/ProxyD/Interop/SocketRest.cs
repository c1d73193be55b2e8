using System.Net.Sockets;

namespace ProxyD.Interop;

/// <summary>The end of a conversation of which only the beginning was wanted.</summary>
internal static class SocketRest
{
    /// <summary>Reads what else comes, and drops it.</summary>
    /// <remarks>To close a socket with something unread sends RST, which some servers log or take badly; but nobody waits for a long answer.</remarks>
    /// <param name="within">How long at most.</param>
    internal static async Task DropAsync(Socket socket, TimeSpan within, CancellationToken stop)
    {
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(within);
        byte[] rest = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(rest, time.Token).ConfigureAwait(false) > 0)
            {
                // Until its end.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // What was wanted has been read.
        }
    }
}
