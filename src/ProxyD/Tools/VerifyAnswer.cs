namespace ProxyD.Tools;

/// <summary>What a client of verify can get.</summary>
internal enum AnswerKind
{
    /// <summary>A line that begins as HTTP's status line does.</summary>
    HttpStatus,

    /// <summary>Bytes that are no HTTP.</summary>
    Bytes,

    /// <summary>Nothing, but the connection was taken out of the listen queue and has stayed open since.</summary>
    AcceptedAndOpen,

    /// <summary>Nobody listens, or nobody lets us in: connect(2) failed.</summary>
    Refused,

    /// <summary>RST before an answer.</summary>
    Reset,

    /// <summary>An end of stream before an answer.</summary>
    Closed,

    /// <summary>No answer for as long as a client waits.</summary>
    TimedOut,
}

/// <summary>One client's luck.</summary>
/// <param name="Kind">What it got.</param>
/// <param name="Status">HTTP's status; 0 without one.</param>
/// <param name="Text">The start of what is no HTTP, or why the connection failed.</param>
/// <param name="ElapsedMs">From the connect until it was known.</param>
internal sealed record VerifyAnswer(AnswerKind Kind, int Status, string Text, double ElapsedMs);

/// <summary>What counts as an answer.</summary>
internal enum VerifyCheck
{
    /// <summary>GET / and a status below 500: whatever the service thinks of the request, it is there.</summary>
    AnyHttp,

    /// <summary>GET of a path that the user has named, and 2xx or 3xx.</summary>
    Path,

    /// <summary>A protocol that we don't speak: a first byte from there, or an accepted connection that stays open.</summary>
    Tcp,
}
