using System.Threading.Channels;
using ProxyD.Backend;

namespace ProxyD.Tests.Pure;

/// <summary>With --ready the gate opens when the probe is content, and falls shut when the backend ends.</summary>
public sealed class ReadinessTests
{
    private readonly Probe _probe = new();
    private readonly BackendWorld _world;

    public ReadinessTests() => _world = new(_probe);

    [Fact]
    public async Task Clients_are_let_through_when_the_probe_says_so_and_not_before()
    {
        // Goal: a backend that listens but can't serve yet gets no client.
        _world.ClientWaits();
        await _probe.AnswerAsync(new(false, true, "GET /health: 503, expected 2xx"));
        Assert.False(_world.IsOpen);
        Assert.Equal("GET /health: 503, expected 2xx", _world.Backend.Cause);
        await _probe.AnswerAsync(ProbeResult.Ready);
        Assert.True(_world.IsOpen);
        Assert.Null(_world.Backend.Cause);
    }

    [Fact]
    public async Task There_is_one_probe_at_a_time_and_none_while_it_is_ready()
    {
        // Goal: however many wait, the backend is asked once, and never again while it serves.
        for (int i = 0; i < 5; i++)
            _world.ClientWaits();
        await _probe.AnswerAsync(ProbeResult.Ready);
        _world.Answers();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(1, _probe.Tries);
    }

    [Fact]
    public async Task The_gate_falls_shut_when_the_backend_ends()
    {
        // Goal: the next backend must prove that it is ready before it gets the next client.
        _world.ClientWaits();
        await _probe.AnswerAsync(ProbeResult.Ready);
        _world.Answers();
        _world.Exit();
        Assert.False(_world.IsOpen);
        _world.ClientWaits();
        Assert.Equal(2, _world.Starts);
        await _probe.AnswerAsync(ProbeResult.Ready);
        Assert.True(_world.IsOpen);
    }

    [Fact]
    public async Task Nobody_is_asked_for_a_backend_that_does_not_run_or_that_nobody_wants()
    {
        // Goal: a failed start ends the questions, and so does the last client that leaves.
        _world.ClientWaits();
        _world.Exit("it was killed by signal 11", orderly: false);
        await _probe.AnswerAsync(ProbeResult.Ready);
        Assert.False(_world.IsOpen);
        _world.Advance(BackOff.MinMs);
        _world.Backend.OnWaitOver();
        await _probe.AnswerAsync(ProbeResult.Ready);
        Assert.False(_world.IsOpen);
        Assert.Equal(2, _probe.Tries);
    }

    [Fact]
    public async Task The_timeline_tells_an_answer_from_readiness()
    {
        // Goal: what a daemon needs between its first answer and its readiness is to be seen.
        _world.ClientWaits();
        _world.Advance(40);
        await _probe.AnswerAsync(new(false, true, "503"));
        _world.Advance(30);
        await _probe.AnswerAsync(ProbeResult.Ready);
        _world.Advance(1);
        _world.Answers();
        _world.Advance(2);
        _world.Backend.OnFirstByte(_world.NowMs, _world.NowMs - 2);
        Assert.Equal(
            "127.0.0.1:18080 answered after 71 ms; 1 client waited; start ordered 0, carried out 0, answers 40, ready 70, accepted 71, first byte 73",
            Assert.Single(_world.Lines));
    }

    /// <summary>A probe whose answers the test gives, one for each time it is asked.</summary>
    private sealed class Probe : IReadinessProbe
    {
        private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

        private readonly Channel<TaskCompletionSource<ProbeResult>> _asked = Channel.CreateUnbounded<TaskCompletionSource<ProbeResult>>();

        public TimeSpan PauseMax { get; } = TimeSpan.FromMilliseconds(1);

        internal int Tries { get; private set; }

        public Task<ProbeResult> TryAsync(CancellationToken stop)
        {
            Tries++;
            TaskCompletionSource<ProbeResult> answer = new();
            _asked.Writer.TryWrite(answer);
            return answer.Task;
        }

        /// <summary>Waits until it is asked, and answers; what that brings has happened when this completes.</summary>
        internal async Task AnswerAsync(ProbeResult result)
        {
            TaskCompletionSource<ProbeResult> answer = await _asked.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(s_patience);
            // On a thread without the tests' synchronization context, so that whoever awaits it goes on within this call.
            await Task.Run(() => answer.SetResult(result), TestContext.Current.CancellationToken);
        }
    }
}
