using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

public sealed class WaitQueueTests
{
    /// <summary>The ring's first size; growth is tested at one less, at it, and at one more.</summary>
    private const int FirstCapacity = 16;

    private readonly WaitQueue _queue = new();

    [Fact]
    public void Whoever_is_new_arrived_when_the_queue_was_looked_at()
    {
        // Goal: each client keeps the time of its own arrival.
        _queue.SyncTo(2, nowMs: 10);
        _queue.SyncTo(3, nowMs: 20);
        Assert.Equal(3, _queue.Count);
        Assert.Equal([10, 10, 20], Drain());
    }

    [Fact]
    public void Who_left_left_from_the_front()
    {
        // Goal: accept(2) gives the oldest first, so what remains are the youngest.
        foreach (long now in (long[])[1, 2, 3, 4])
            _queue.Add(now);
        _queue.SyncTo(2, nowMs: 50);
        Assert.Equal([3, 4], Drain());
    }

    [Fact]
    public void The_same_count_changes_nothing()
    {
        // Goal: an event without an arrival gives nobody a new time.
        _queue.SyncTo(2, nowMs: 10);
        _queue.SyncTo(2, nowMs: 99);
        Assert.Equal([10, 10], Drain());
    }

    [Fact]
    public void An_emptied_queue_begins_anew()
    {
        // Goal: nobody inherits the wait of one who left.
        _queue.SyncTo(5, nowMs: 10);
        _queue.SyncTo(0, nowMs: 20);
        Assert.Equal(0, _queue.Count);
        _queue.SyncTo(1, nowMs: 30);
        Assert.Equal([30], Drain());
    }

    [Theory]
    [InlineData(FirstCapacity - 1)]
    [InlineData(FirstCapacity)]
    [InlineData(FirstCapacity + 1)]
    [InlineData(1000)]
    public void Growth_keeps_order_wherever_the_ring_begins(int count)
    {
        // Goal: growing while the oldest is in the middle of the ring loses and mixes nobody.
        for (int head = 0; head < FirstCapacity; head++)
        {
            WaitQueue queue = new();
            for (int i = 0; i < head; i++)
            {
                queue.Add(-1);
                queue.RemoveOldest();
            }
            for (int i = 0; i < count; i++)
                queue.Add(i);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(i, queue.OldestMs);
                queue.RemoveOldest();
            }
            Assert.Equal(0, queue.Count);
        }
    }

    [Fact]
    public void Any_sequence_agrees_with_an_ordinary_queue()
    {
        // Goal: adding, removing and syncing in any order, across wrap and growth.
        Seeded.Run(random =>
        {
            WaitQueue queue = new();
            Queue<long> model = new();
            for (int now = 0; now < 20_000; now++)
            {
                int count = Math.Max(0, model.Count + random.Next(-6, 8));
                queue.SyncTo(count, now);
                while (model.Count > count)
                    model.Dequeue();
                while (model.Count < count)
                    model.Enqueue(now);
                Assert.Equal(model.Count, queue.Count);
                if (model.Count > 0)
                    Assert.Equal(model.Peek(), queue.OldestMs);
            }
        });
    }

    private List<long> Drain()
    {
        List<long> arrivals = [];
        while (_queue.Count > 0)
        {
            arrivals.Add(_queue.OldestMs);
            _queue.RemoveOldest();
        }
        return arrivals;
    }
}
