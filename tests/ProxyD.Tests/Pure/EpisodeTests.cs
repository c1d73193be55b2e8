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
            _episode.Failed(Errno.ECONNREFUSED, EventLoop.ClockMs(), again: false);
        _episode.Answered(waitedMs: 7, clients: 2);
        _episode.Answered(waitedMs: 0, clients: 1);
        Assert.Equal([RelayEventKind.WaitBegan, RelayEventKind.WaitAnswered], Kinds);
        Assert.Equal((Errno.ECONNREFUSED, 7, 2), (_heard[1].Error, _heard[1].WaitedMs, _heard[1].Clients));
    }

    [Fact]
    public void An_answer_after_everybody_gave_up_is_still_told()
    {
        // Goal: a backend that came up too late for its first clients is known to be up, so its later end is no failed start.
        _episode.Failed(Errno.ECONNREFUSED, EventLoop.ClockMs(), again: false);
        _episode.Over();
        _episode.Answered(waitedMs: 0, clients: 1);
        _episode.Answered(waitedMs: 0, clients: 1);
        Assert.Equal([RelayEventKind.WaitBegan, RelayEventKind.WaitOver, RelayEventKind.WaitAnswered], Kinds);
    }

    [Fact]
    public void A_wait_for_the_address_alone_shows_as_no_error()
    {
        // Goal: looking up a name is told from a cold start.
        _episode.Failed(Errno.None, EventLoop.ClockMs(), again: false);
        _episode.Answered(waitedMs: 1, clients: 1);
        Assert.Equal(Errno.None, _heard[1].Error);
    }

    [Theory]
    [InlineData(Errno.ECONNREFUSED, Errno.EAGAIN, Errno.ECONNREFUSED)]
    [InlineData(Errno.EAGAIN, Errno.ECONNREFUSED, Errno.ECONNREFUSED)]
    [InlineData(Errno.EAGAIN, Errno.EADDRNOTAVAIL, Errno.EAGAIN)]
    public void A_backend_that_refused_was_cold_whatever_another_attempt_met(object first, object then, object told)
    {
        // Goal: an attempt that stays undecided, from a port in TIME_WAIT, hides no cold start.
        _episode.Failed((Errno)first, EventLoop.ClockMs(), again: false);
        _episode.Failed((Errno)then, EventLoop.ClockMs(), again: false);
        _episode.Answered(waitedMs: 500, clients: 1);
        Assert.Equal((Errno)told, _heard[^1].Error);
        // The next wait begins anew.
        _episode.Failed(Errno.EAGAIN, EventLoop.ClockMs(), again: false);
        Assert.Equal(Errno.EAGAIN, _heard[^1].Error);
    }

    [Fact]
    public void A_gated_service_asks_again_after_each_attempt_that_fails()
    {
        // Goal: whoever opens the gate hears that it fell shut, and still there is one answer for one spell.
        for (int i = 0; i < 3; i++)
            _episode.Failed(Errno.ECONNREFUSED, EventLoop.ClockMs(), again: true);
        _episode.Answered(waitedMs: 1, clients: 1);
        Assert.Equal([.. Enumerable.Repeat(RelayEventKind.WaitBegan, 3), RelayEventKind.WaitAnswered], Kinds);
    }

    [Fact]
    public void Who_waits_at_a_shut_door_is_told_once_with_its_arrival()
    {
        // Goal: the timeline of a wake begins when the client came, not when somebody noticed.
        long cameMs = EventLoop.ClockMs() - 40;
        _episode.Began(cameMs);
        _episode.Began(cameMs);
        RelayEvent began = Assert.Single(_heard);
        Assert.Equal((Errno.None, cameMs), (began.Error, began.AtMs - began.WaitedMs));
    }

    [Fact]
    public void The_first_byte_of_the_client_that_ended_the_wait_is_told()
    {
        // Goal: a wake's timeline ends with the backend's first byte, and only a wake has one.
        Assert.Null(_episode.Answered(waitedMs: 0, clients: 1));
        _episode.Began(EventLoop.ClockMs());
        Action<long>? firstByte = _episode.Answered(waitedMs: 1, clients: 1);
        firstByte!(4711);
        Assert.Equal((RelayEventKind.FirstByte, 4711), (_heard[^1].Kind, _heard[^1].AtMs));
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
