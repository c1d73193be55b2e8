using ProxyD.Interop;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Tests.Kernel;

/// <summary>The loop with a real epoll: whose events reach whom.</summary>
public sealed class EventLoopTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_event_of_the_same_batch_does_not_reach_the_slot_s_next_owner(bool closesTheDescriptor)
    {
        // Goal: the first of two sinks with an event ends the other and gives its slot away; the other's event is in our hands already.
        EventLoop loop = new();
        Ender one = new(loop, closesTheDescriptor), other = new(loop, closesTheDescriptor);
        (one.Victim, other.Victim) = (other, one);
        // Both are readable before the loop first asks, so both events come in one batch.
        one.Watch();
        other.Watch();
        Thread thread = new(loop.Run);
        thread.Start();
        await TwoTurnsOf(loop);
        loop.Stop();
        Assert.True(thread.Join(RelayHarness.Patience), "the loop ends");

        Ender ended = one.EventsSeen == 0 ? one : other;
        Assert.Equal((1, 0), (ended.Victim!.EventsSeen, ended.EventsSeen));
        Assert.Equal(ended.Slot.Index, ended.Victim.NextOwnersSlot.Index);
        Assert.Equal(0, ended.Victim.NextOwner.EventsSeen);
    }

    private static async Task TwoTurnsOf(EventLoop loop)
    {
        for (int i = 0; i < 2; i++)
        {
            TaskCompletionSource turned = new(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(turned.SetResult);
            await turned.Task.WaitAsync(RelayHarness.Patience, TestContext.Current.CancellationToken);
        }
    }

    private class Counter : EventSink
    {
        internal int EventsSeen { get; private set; }

        internal override void OnEvents(uint events, int tag) => EventsSeen++;
    }

    /// <summary>At its first event it does to another sink what the end of a connection does, and a new one takes the place.</summary>
    private sealed class Ender(EventLoop loop, bool closesTheDescriptor) : Counter
    {
        /// <summary>Readable from the start.</summary>
        private readonly int _fd = SysResult.From(Libc.eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)).OrThrow("eventfd");

        internal Ender? Victim { get; set; }

        internal LoopSlot Slot { get; private set; }

        internal Counter NextOwner { get; } = new();

        internal LoopSlot NextOwnersSlot { get; private set; }

        internal void Watch()
        {
            Slot = loop.TakeSlot(this);
            loop.Watch(_fd, EPOLLIN, Slot, tag: 0).OrThrow("epoll_ctl");
        }

        internal override void OnEvents(uint events, int tag)
        {
            base.OnEvents(events, tag);
            if (closesTheDescriptor)
                _ = Libc.close(Victim!._fd);
            else
                loop.Unwatch(Victim!._fd);
            loop.ReleaseSlot(Victim.Slot);
            NextOwnersSlot = loop.TakeSlot(NextOwner);
        }
    }
}
