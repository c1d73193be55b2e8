using Microsoft.Extensions.Logging;
using ProxyD.Observability;

namespace ProxyD.Backend;

/// <summary>Records the wakes of one backend, logs each, and keeps the last ones.</summary>
internal sealed class WakeRecorder(string destination, ISchedule schedule, ILogger log)
{
    /// <summary>How many wakes are kept.</summary>
    internal const int KeptMax = 32;

    /// <summary>A server may wait for its client to speak, and a client for anything: a wake is told after this without a first byte.</summary>
    private static readonly TimeSpan s_firstByteWait = TimeSpan.FromSeconds(1);

    private readonly Queue<WakeTimeline> _kept = new();
    private WakeTimeline? _current;
    private WakeTimeline? _accepted;
    private string? _expiredCause;

    /// <summary>The last wakes, oldest first.</summary>
    internal IReadOnlyCollection<WakeTimeline> Kept => _kept;

    /// <summary>Wakes so far that brought a backend.</summary>
    internal long Answered { get; private set; }

    /// <summary>Wakes so far that brought none while somebody waited.</summary>
    internal long Failed { get; private set; }

    /// <summary>When the first client came of those that wait now; null when nobody does.</summary>
    internal long? ArrivedMs => _current?.ArrivedMs;

    /// <summary>A client waits.</summary>
    internal void Begin(long arrivedMs) => _current ??= new() { ArrivedMs = arrivedMs };

    /// <summary>Notes something of the wake that is going on, if one is: only the first time counts.</summary>
    internal void OnOrdered() => _current = _current is { Ordered.HasCome: false } wake ? wake with { Ordered = wake.At(schedule.NowMs) } : _current;

    /// <inheritdoc cref="OnOrdered"/>
    internal void OnStarted() => _current = _current is { Started.HasCome: false } wake ? wake with { Started = wake.At(schedule.NowMs) } : _current;

    /// <inheritdoc cref="OnOrdered"/>
    internal void OnAnswers() => _current = _current is { Answers.HasCome: false } wake ? wake with { Answers = wake.At(schedule.NowMs) } : _current;

    /// <inheritdoc cref="OnOrdered"/>
    internal void OnReady() => _current = _current is { Ready.HasCome: false } wake ? wake with { Ready = wake.At(schedule.NowMs) } : _current;

    /// <summary>The client that waited has its backend connection.</summary>
    /// <param name="atMs">Since then.</param>
    /// <param name="clients">How many waited.</param>
    /// <param name="isColdStart">Otherwise nothing is logged: looking up a name is no cold start, nor is a backend that was busy for a moment.</param>
    internal void OnAccepted(long atMs, int clients, bool isColdStart)
    {
        if (_current is not { } wake)
            return;
        (_current, _expiredCause) = (null, null);
        if (!isColdStart && !wake.Ordered.HasCome)
            return;
        if (_accepted is { } earlier)
            Finish(earlier);
        Moment now = wake.At(atMs);
        _accepted = wake with
        {
            Answers = wake.Answers.HasCome ? wake.Answers : now,
            Ready = wake.Ready.HasCome ? wake.Ready : now,
            Accepted = now,
            Clients = clients,
        };
        WakeTimeline waited = _accepted;
        schedule.PostAfter(s_firstByteWait, () => Finish(waited));
    }

    /// <summary>The client was sent its first byte.</summary>
    /// <param name="atMs">When.</param>
    /// <param name="answeredMs">The time that <see cref="OnAccepted"/> was given for it: a late byte belongs to no later wake.</param>
    internal void OnFirstByte(long atMs, long answeredMs)
    {
        if (_accepted is { } wake && wake.At(answeredMs) == wake.Accepted)
            Finish(wake, wake with { FirstByte = wake.At(atMs) });
    }

    /// <summary>A client's hold ended before it came: if it doesn't come at all, that was why.</summary>
    internal void OnExpired(string cause) => _expiredCause = cause;

    /// <summary>It did not come while anybody waited.</summary>
    /// <param name="problem">Why, as far as that is known without the clients.</param>
    internal void Fail(string? problem)
    {
        if (_current is { } wake)
        {
            Failed++;
            Keep(wake with { Problem = problem ?? _expiredCause ?? "its clients left before it answered", Ended = wake.At(schedule.NowMs) });
        }
        (_current, _expiredCause) = (null, null);
    }

    private void Finish(WakeTimeline expected, WakeTimeline? whole = null)
    {
        if (_accepted != expected)
            return;
        _accepted = null;
        WakeTimeline wake = whole ?? expected;
        Answered++;
        Keep(wake);
        log.ColdStart(
            destination, wake.Accepted.Ms, Words.Count(wake.Clients, "client"),
            wake.Ordered, wake.Started, wake.Answers, wake.Ready, wake.Accepted, wake.FirstByte);
    }

    private void Keep(WakeTimeline wake)
    {
        if (_kept.Count == KeptMax)
            _kept.Dequeue();
        _kept.Enqueue(wake);
    }
}
