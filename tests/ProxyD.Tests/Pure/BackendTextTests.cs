using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>The status line of a backend that we start.</summary>
public sealed class BackendTextTests
{
    private readonly BackendWorld _world = new() { StartTakesTime = true };

    [Fact]
    public void It_says_what_is_going_on_through_a_whole_life()
    {
        // Goal: asleep, waking with who waits and since when, ready with its connections, asleep again.
        Assert.Equal("asleep", Text());
        _world.ClientWaits();
        _world.Advance(400);
        Assert.Equal("waking web.service, 2 waiting, 0.4 s", Text(waiting: 2));
        Assert.True(BackendText.HasTimes(_world.Backend));
        _world.Started();
        Assert.Equal("waking web.service, 2 waiting, 0.4 s", Text(waiting: 2));
        _world.Answers();
        Assert.Equal("ready, 0 connections", Text());
        Assert.Equal("ready, 3 connections", Text(live: 3));
        Assert.False(BackendText.HasTimes(_world.Backend));
        _world.Exit();
        Assert.Equal("asleep", Text());
    }

    [Fact]
    public void A_failure_shows_its_cause_and_the_next_try()
    {
        // Goal: who asks systemctl status need not read the journal to know why.
        _world.ClientWaits();
        _world.Refuse("web.service is masked");
        Assert.Equal("failed: web.service is masked; next try in 1 s", Text());
        Assert.True(BackendText.HasTimes(_world.Backend));
        _world.Backend.OnWaitOver();
        _world.Advance(BackOff.MinMs);
        Assert.Equal("failed: web.service is masked; the next client tries again", Text());
        Assert.False(BackendText.HasTimes(_world.Backend));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_another_hand_starts_and_stops_shows_at_once(bool hasFailed)
    {
        // Goal: the line is sent anew when nobody waits and only the unit has changed.
        if (hasFailed)
        {
            _world.ClientWaits();
            _world.Refuse("web.service is masked");
            _world.Backend.OnWaitOver();
            _world.Advance(BackOff.MinMs);
        }
        List<string> sent = [];
        _world.Backend.Moved = () => sent.Add(Text());
        _world.Started();
        Assert.Equal("ready, 0 connections", sent[^1]);
        _world.Exit();
        Assert.Equal("asleep", sent[^1]);
    }

    [Fact]
    public void A_frozen_backend_is_asleep_and_its_connections_show()
    {
        // Goal: frozen is told from stopped.
        BackendWorld world = new(sleep: new(SleepKind.Freeze, TimeSpan.FromSeconds(1), ByBytes: true, TimeSpan.Zero));
        world.ClientWaits();
        world.Answers();
        world.Live = 1;
        world.Advance(1_000);
        Assert.Equal("going to sleep, 1 connection", BackendText.Of(world.Backend, 1, 0, world.NowMs));
        world.GateIsShut(new(0, 1, 0));
        world.SleepDone();
        Assert.Equal("asleep (frozen), 1 connection", BackendText.Of(world.Backend, 1, 0, world.NowMs));
    }

    [Fact]
    public void One_word_says_it_for_programs_and_since_when()
    {
        // Goal: a whole life of a backend that we start; each change dates it anew.
        List<(string, long)> seen = [];
        _world.Backend.Moved = () => seen.Add((BackendText.Word(_world.Backend, hasServed: false), _world.Backend.SinceMs));
        Assert.Equal("asleep", BackendText.Word(_world.Backend, hasServed: false));
        _world.Advance(10);
        _world.ClientWaits();
        _world.Started();
        _world.Advance(10);
        _world.Serves();
        _world.Advance(10);
        _world.Exit();
        _world.Advance(10);
        _world.Started();
        _world.Advance(10);
        _world.Exit();
        _world.ClientWaits();
        _world.Advance(10);
        _world.Refuse("web.service is masked");
        Assert.Equal([("waking", 10), ("waking", 10), ("ready", 20), ("asleep", 30), ("ready", 40), ("asleep", 50), ("waking", 50), ("failed", 60)], seen);
    }

    [Fact]
    public void Of_a_backend_that_others_start_only_its_clients_tell()
    {
        // Goal: nothing is claimed that nobody has seen.
        Assert.True(Interop.Address.TryParse("127.0.0.1:18080", null, out Interop.Address? address, out _));
        Backend.Backend backend = new(address, new NoActivator(), _world, _world, probe: null, sleep: null, _world);
        Assert.Equal("unknown", BackendText.Word(backend, hasServed: false));
        Assert.Equal("ready", BackendText.Word(backend, hasServed: true));
        backend.OnWaitBegan(0);
        Assert.Equal("waking", BackendText.Word(backend, hasServed: true));
        backend.OnWaitOver();
        Assert.Equal("unreachable", BackendText.Word(backend, hasServed: true));
        backend.OnWaitBegan(0);
        backend.OnAnswered(0, clients: 1, isColdStart: true);
        Assert.Equal("ready", BackendText.Word(backend, hasServed: true));
    }

    private string Text(int live = 0, int waiting = 0) => BackendText.Of(_world.Backend, live, waiting, _world.NowMs);
}
