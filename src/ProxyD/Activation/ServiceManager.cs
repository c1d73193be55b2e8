using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;

namespace ProxyD.Activation;

/// <summary>What we tell the service manager: sd_notify(3), over Microsoft.Extensions.Hosting.Systemd's notifier.</summary>
/// <remarks>
/// Many units forbid AF_UNIX (<c>RestrictAddressFamilies=AF_INET AF_INET6</c>): a message that can't be sent is dropped, the
/// first time with a word to <see cref="Failed"/>, and the bytes still flow. The notifier's send blocks while the manager's queue
/// is full, so a thread of its own calls it, and what doesn't fit into our queue is dropped.
/// </remarks>
internal sealed class ServiceManager : IDisposable
{
    private const int QueuedMessagesMax = 100;

    /// <summary>Ends the sender. Whatever is queued behind it goes nowhere, so any thread may still send.</summary>
    private const string End = "";

    /// <summary>What is still queued at the end may take so long.</summary>
    private static readonly TimeSpan s_lastMessages = TimeSpan.FromSeconds(1);

    private readonly SystemdNotifier _notifier = new();
    private readonly BlockingCollection<string> _messages = new(QueuedMessagesMax);
    private readonly Thread? _sender;
    private volatile bool _broken;

    internal ServiceManager()
    {
        // NOTIFY_SOCKET is set: somebody listens.
        if (!_notifier.IsEnabled)
            return;
        _sender = new Thread(SendAll) { Name = "notify", IsBackground = true };
        _sender.Start();
    }

    /// <summary>Called once with the reason, when a message could not be sent.</summary>
    internal Action<string>? Failed { get; set; }

    /// <summary>The listeners are ours and clients are served, whatever the backend does.</summary>
    internal void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>The line that systemctl status shows.</summary>
    internal void Status(string status) => Send($"STATUS={status}");

    /// <summary>We are ending.</summary>
    internal void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}");

    /// <summary>The end takes longer; counted from now.</summary>
    internal void StillStopping(long withinMs) => Send(string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={withinMs * 1000}"));

    internal void Alive() => Send("WATCHDOG=1");

    /// <summary>How often <see cref="Alive"/> must be sent at least: half of WATCHDOG_USEC; null when no watchdog is meant for us.</summary>
    internal static TimeSpan? WatchdogInterval(Func<string, string?> variable, int pid)
    {
        if (variable("WATCHDOG_PID") is { } meant && meant != pid.ToString(CultureInfo.InvariantCulture))
            return null;
        return long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long us) && us > 0
            // Within what a timer takes.
            ? TimeSpan.FromMilliseconds(Math.Clamp(us / 2000.0, 1, int.MaxValue))
            : null;
    }

    public void Dispose()
    {
        _messages.TryAdd(End);
        _sender?.Join(s_lastMessages);
    }

    private void Send(string message)
    {
        if (_sender is not null && !_broken)
            _messages.TryAdd(message);
    }

    private void SendAll()
    {
        while (_messages.Take() is not End and var message)
        {
            if (!_broken)
                SendNow(message);
        }
    }

    private void SendNow(string message)
    {
        try
        {
            _notifier.Notify(new ServiceState(message));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.WouldBlock)
        {
            // A shortage passes; the next message will say how things are by then.
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // No AF_UNIX here, or a NOTIFY_SOCKET that is no address.
            _broken = true;
            Failed?.Invoke(e.Message);
        }
    }
}
