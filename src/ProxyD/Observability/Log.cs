using Microsoft.Extensions.Logging;

namespace ProxyD.Observability;

/// <summary>Every log event: one method each, with an id that stays.</summary>
/// <remarks>At the default level (info): one line for each cold start and each failure, none for an ordinary connection.</remarks>
internal static partial class Log
{
    // 1–19: clients and backends

    /// <summary>The timeline of a wake; all times in ms since its first client came, "-" for what did not happen.</summary>
    [LoggerMessage(
        1,
        LogLevel.Information,
        "{Destination} answered after {WaitedMs} ms; {Clients} waited; start ordered {OrderedMs}, carried out {StartedMs}, answers {AnswersMs}, "
        + "ready {ReadyMs}, accepted {AcceptedMs}, first byte {FirstByteMs}")]
    internal static partial void ColdStart(
        this ILogger log, string destination, long waitedMs, string clients, object orderedMs, object startedMs, object answersMs, object readyMs,
        object acceptedMs, object firstByteMs);

    [LoggerMessage(2, LogLevel.Warning, "{Destination} did not answer for {WaitedMs} ms, client reset: {Cause}")]
    internal static partial void HoldExpired(this ILogger log, string destination, long waitedMs, string cause);

    [LoggerMessage(3, LogLevel.Warning, "{Destination} failed: {Cause}; next start in {BackOffMs} ms at the earliest")]
    internal static partial void BackendFailed(this ILogger log, string destination, string cause, int backOffMs);

    [LoggerMessage(4, LogLevel.Warning, "Connection limit of {ConnectionsMax} reached, {Clients} reset; raise --connections-max if they are wanted")]
    internal static partial void LimitReached(this ILogger log, int connectionsMax, string clients);

    [LoggerMessage(5, LogLevel.Error, "{Cause}: clients wait in the listen queue until a connection ends; raise LimitNOFILE=")]
    internal static partial void Shortage(this ILogger log, string cause);

    [LoggerMessage(6, LogLevel.Warning, "{Destination} ended: {Cause}; the next client starts it again")]
    internal static partial void BackendCrashed(this ILogger log, string destination, string cause);

    [LoggerMessage(7, LogLevel.Warning, "{Destination} failed: {Cause}; {Clients} reset, next start in {BackOffMs} ms at the earliest")]
    internal static partial void BackendCannotCome(this ILogger log, string destination, string cause, string clients, int backOffMs);

    [LoggerMessage(8, LogLevel.Warning, "{Destination}: {Connections} ended unanswered: accepted by the backend, and ended without a byte from it")]
    internal static partial void Unanswered(this ILogger log, string destination, string connections);

    [LoggerMessage(9, LogLevel.Information, "{Destination} was {Sleep} after {IdleMs} ms without use")]
    internal static partial void Asleep(this ILogger log, string destination, string sleep, long idleMs);

    [LoggerMessage(10, LogLevel.Warning, "{Destination} can't be put to sleep: {Cause}; it stays awake from now on")]
    internal static partial void CannotSleep(this ILogger log, string destination, string cause);

    [LoggerMessage(11, LogLevel.Warning, "{Destination}: {Cause}; until that is mended the backend can't be started, and is served only if it runs")]
    internal static partial void ActivatorLost(this ILogger log, string destination, string cause);

    // 20–39: life cycle

    [LoggerMessage(20, LogLevel.Information, "Listening on {Listeners} for {Destination}")]
    internal static partial void Listening(this ILogger log, string listeners, string destination);

    [LoggerMessage(21, LogLevel.Warning, "Drain time of {DrainMs} ms is over, {Connections} reset")]
    internal static partial void DrainCut(this ILogger log, long drainMs, string connections);

    [LoggerMessage(22, LogLevel.Warning, "The service manager can't be told ({Cause}); clients are served all the same")]
    internal static partial void NotifyFailed(this ILogger log, string cause);

    [LoggerMessage(23, LogLevel.Warning, "{ConnectionsMax} connections need {Needed} descriptors, {Limit} are allowed; set LimitNOFILE={Needed}")]
    internal static partial void DescriptorsShort(this ILogger log, int connectionsMax, long needed, long limit);

    [LoggerMessage(24, LogLevel.Error, "A thread of proxyd has not answered for {Ms} ms; the watchdog is not told that we are well")]
    internal static partial void ThreadHangs(this ILogger log, long ms);

    [LoggerMessage(25, LogLevel.Warning, "proxyd status can't ask this process ({Cause}); clients are served all the same")]
    internal static partial void NoControlSocket(this ILogger log, string cause);

    // 40–59: for --log-level=debug

    [LoggerMessage(40, LogLevel.Debug, "{Destination}: connection ended, {Reason}; {UpBytes} bytes up, {DownBytes} down")]
    internal static partial void ConnectionEnded(this ILogger log, string destination, Enum reason, long upBytes, long downBytes);

    [LoggerMessage(41, LogLevel.Debug, "{Destination}: backend {From} -> {To} {Cause}")]
    internal static partial void BackendMoved(this ILogger log, string destination, Enum from, Enum to, string cause);

    [LoggerMessage(42, LogLevel.Debug, "{Destination}: a client waits ({Cause})")]
    internal static partial void WaitBegan(this ILogger log, string destination, string cause);

    [LoggerMessage(43, LogLevel.Debug, "Stopping: {Status}")]
    internal static partial void Stopping(this ILogger log, string status);

    [LoggerMessage(44, LogLevel.Debug, "No client for {IdleMs} ms: exiting")]
    internal static partial void IdleExit(this ILogger log, long idleMs);

    [LoggerMessage(45, LogLevel.Debug, "{Destination}: connection reset before its first byte, retried; {UpBytes} bytes are sent again")]
    internal static partial void ConnectionRetried(this ILogger log, string destination, long upBytes);
}
