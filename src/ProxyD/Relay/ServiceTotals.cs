namespace ProxyD.Relay;

/// <summary>What the connections of one service have done so far, live ones included.</summary>
/// <param name="Live">Relayed now.</param>
/// <param name="Ended">Relayed before.</param>
/// <param name="UpBytes">From clients to the backend, as far as its kernel has taken them.</param>
/// <param name="DownBytes">From the backend to clients, likewise.</param>
/// <param name="Unanswered">Ended with <see cref="CloseReason.Unanswered"/>.</param>
internal readonly record struct ServiceTotals(int Live, long Ended, long UpBytes, long DownBytes, long Unanswered)
{
    public static ServiceTotals operator +(ServiceTotals one, ServiceTotals other) => new(
        one.Live + other.Live, one.Ended + other.Ended, one.UpBytes + other.UpBytes, one.DownBytes + other.DownBytes,
        one.Unanswered + other.Unanswered);

    /// <summary>With one more connection, which has ended or lives.</summary>
    internal ServiceTotals With(Connection connection) => this + new ServiceTotals(
        Live: connection.Reason is null ? 1 : 0,
        Ended: connection.Reason is null ? 0 : 1,
        connection.UpBytes,
        connection.DownBytes,
        Unanswered: connection.Reason == CloseReason.Unanswered ? 1 : 0);
}
