using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

public sealed class SlotTableTests
{
    /// <summary>The table's first size.</summary>
    private const int FirstCapacity = 64;

    private readonly SlotTable _slots = new();

    [Theory]
    [InlineData(0, 0u, 0)]
    [InlineData(0, 0u, 1)]
    [InlineData(12345, 678u, 1)]
    [InlineData(int.MaxValue, uint.MaxValue, 0)]
    public void Slot_generation_and_tag_survive_the_way_through_the_kernel(int index, uint generation, int tag)
    {
        // Goal: 64 bits of epoll data carry all three, up to their limits.
        LoopSlot slot = new(index, generation);
        Assert.Equal((slot, tag), LoopSlot.FromEventData(slot.ToEventData(tag)));
    }

    [Fact]
    public void An_event_finds_its_owner()
    {
        // Goal: each sink has a place of its own.
        Sink first = new(), second = new();
        LoopSlot one = _slots.Take(first), two = _slots.Take(second);
        Assert.NotEqual(one, two);
        Assert.Same(first, _slots.Find(one));
        Assert.Same(second, _slots.Find(two));
    }

    [Fact]
    public void A_late_event_for_a_slot_that_was_reused_finds_nobody()
    {
        // Goal: the next owner must not hear of the former one's sockets.
        LoopSlot old = _slots.Take(new Sink());
        _slots.Release(old);
        Assert.Null(_slots.Find(old));

        Sink next = new();
        LoopSlot reused = _slots.Take(next);

        Assert.Equal(old.Index, reused.Index);
        Assert.Null(_slots.Find(old));
        Assert.Same(next, _slots.Find(reused));
    }

    [Fact]
    public void Every_former_owner_of_a_slot_stays_gone()
    {
        // Goal: generations count up; they don't alternate between two values.
        List<LoopSlot> former = [];
        for (int i = 0; i < 100; i++)
        {
            LoopSlot slot = _slots.Take(new Sink());
            Assert.All(former, f => Assert.Null(_slots.Find(f)));
            _slots.Release(slot);
            former.Add(slot);
        }
        Assert.Equal(100, former.Distinct().Count());
    }

    [Theory]
    [InlineData(FirstCapacity - 1)]
    [InlineData(FirstCapacity)]
    [InlineData(FirstCapacity + 1)]
    [InlineData(1000)]
    public void The_table_grows_and_nobody_moves(int count)
    {
        // Goal: slots that the kernel holds stay valid when the table grows.
        Sink[] sinks = [.. Enumerable.Range(0, count).Select(_ => new Sink())];
        LoopSlot[] slots = [.. sinks.Select(_slots.Take)];
        for (int i = 0; i < count; i++)
            Assert.Same(sinks[i], _slots.Find(slots[i]));
        Assert.Equal(sinks, _slots.Snapshot());
    }

    [Fact]
    public void The_snapshot_holds_who_is_there_and_lets_them_leave_meanwhile()
    {
        // Goal: draining walks it while connections release their slots.
        Sink stays = new(), leaves = new();
        LoopSlot gone = _slots.Take(leaves);
        _slots.Take(stays);
        EventSink[] before = _slots.Snapshot();
        _slots.Release(gone);
        Assert.Equal([leaves, stays], before);
        Assert.Equal([stays], _slots.Snapshot());
    }

    private sealed class Sink : EventSink
    {
        internal override void OnEvents(uint events, int tag) { }
    }
}
