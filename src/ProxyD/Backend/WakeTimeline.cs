namespace ProxyD.Backend;

/// <summary>What happened when, from the first client that had to wait to its first byte: all in ms since that client came.</summary>
internal sealed record WakeTimeline
{
    /// <summary>By <see cref="ISchedule.NowMs"/>.</summary>
    internal required long ArrivedMs { get; init; }

    /// <summary>The start (or thaw) was ordered; missing when others start the backend.</summary>
    internal Moment Ordered { get; init; }

    /// <summary>It was carried out, which for most daemons means no more than: a process was made.</summary>
    internal Moment Started { get; init; }

    /// <summary>The backend answered something for the first time.</summary>
    internal Moment Answers { get; init; }

    /// <summary>It answered as <c>--ready</c> wants it; without that, the same.</summary>
    internal Moment Ready { get; init; }

    /// <summary>The client's connection stood and it was accepted.</summary>
    internal Moment Accepted { get; init; }

    /// <summary>The client was sent the backend's first byte.</summary>
    internal Moment FirstByte { get; init; }

    /// <summary>How many waited when it answered.</summary>
    internal int Clients { get; init; }

    /// <summary>Why it did not come, or null.</summary>
    internal string? Problem { get; init; }

    /// <summary>With a <see cref="Problem"/>: when nobody waited any more.</summary>
    internal Moment Ended { get; init; }

    internal Moment At(long nowMs) => new(nowMs - ArrivedMs);
}

/// <summary>A point of a timeline, in ms; by default one that has not come.</summary>
internal readonly record struct Moment
{
    private readonly long _plusOne;

    internal Moment(long ms) => _plusOne = ms + 1;

    internal bool HasCome => _plusOne != 0;

    internal long Ms => _plusOne - 1;

    public override string ToString() => HasCome ? Ms.ToString(System.Globalization.CultureInfo.InvariantCulture) : "-";
}
