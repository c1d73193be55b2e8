using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

/// <summary>What the control plane hears of a spell of waiting: its beginning and its end, once each.</summary>
public sealed class EpisodeTests
{
    private readonly List<RelayEvent> _heard = [];
    private readonly Episode _episode;

    public EpisodeTests() => _episode = new(service: 0, _heard.Add);

    private IEnumerable<RelayEventKind> Kinds => _heard.Select(e => e.Kind);

    [Fact]
    public void However_many_attempts_fail_it_begins_and_ends_once()
    {
        // Goal: one wake, however long it takes.
        for (int i = 0; i < 5; i++)
            _episode.Failed(Errno.ECONNREFUSED);
        _episode.Answered(waitedMs: 7, clients: 2);
        _episode.Answered(waitedMs: 0, clients: 1);
        Assert.Equal([RelayEventKind.WaitBegan, RelayEventKind.WaitAnswered], Kinds);
        Assert.Equal((Errno.ECONNREFUSED, 7, 2), (_heard[1].Error, _heard[1].WaitedMs, _heard[1].Clients));
    }

    [Fact]
    public void An_answer_after_everybody_gave_up_is_still_told()
    {
        // Goal: a backend that came up too late for its first clients is known to be up, so its later end is no failed start.
        _episode.Failed(Errno.ECONNREFUSED);
        _episode.Over();
        _episode.Answered(waitedMs: 0, clients: 1);
        _episode.Answered(waitedMs: 0, clients: 1);
        Assert.Equal([RelayEventKind.WaitBegan, RelayEventKind.WaitOver, RelayEventKind.WaitAnswered], Kinds);
    }

    [Fact]
    public void A_wait_for_the_address_alone_shows_as_no_error()
    {
        // Goal: looking up a name is told from a cold start.
        _episode.Failed(Errno.None);
        _episode.Answered(waitedMs: 1, clients: 1);
        Assert.Equal(Errno.None, _heard[1].Error);
    }

    [Fact]
    public void Without_a_wait_nothing_is_told()
    {
        // Goal: a warm service says nothing.
        _episode.Over();
        _episode.Answered(waitedMs: 0, clients: 1);
        Assert.Empty(_heard);
    }
}
