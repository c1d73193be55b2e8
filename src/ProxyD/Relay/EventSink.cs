namespace ProxyD.Relay;

/// <summary>Something that owns descriptors in an <see cref="EventLoop"/>. All calls come on that loop's thread.</summary>
internal abstract class EventSink
{
    /// <summary>Called for each event the kernel reports.</summary>
    /// <param name="events">EPOLL… bits, as epoll_wait(2) gave them.</param>
    /// <param name="tag">Which of the sink's descriptors: 0 or 1, as given to <see cref="EventLoop.Watch"/>.</param>
    internal abstract void OnEvents(uint events, int tag);

    /// <summary>Called after <see cref="EventLoop.RunAgain"/>, once, in the next turn.</summary>
    internal virtual void OnTurn() { }
}

/// <summary>A sink's place in a loop.</summary>
/// <param name="Generation">Tells a late event for the slot's former owner from one for the present owner.</param>
internal readonly record struct LoopSlot(int Index, uint Generation)
{
    /// <summary>Packs slot and tag for epoll_event.data.</summary>
    internal ulong ToEventData(int tag) => ((ulong)Generation << 32) | ((uint)Index << 1) | (uint)tag;

    internal static (LoopSlot Slot, int Tag) FromEventData(ulong data) =>
        (new((int)((uint)data >> 1), (uint)(data >> 32)), (int)(data & 1));
}

/// <summary>Who owns which slot of a loop. Slots are reused, each time with the next generation.</summary>
internal sealed class SlotTable
{
    private EventSink?[] _sinks = new EventSink?[64];
    private uint[] _generations = new uint[64];
    private readonly Stack<int> _free = new();
    private int _used;

    internal LoopSlot Take(EventSink sink)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _sinks.Length)
            {
                Array.Resize(ref _sinks, _used * 2);
                Array.Resize(ref _generations, _used * 2);
            }
            index = _used++;
        }
        _sinks[index] = sink;
        return new(index, _generations[index]);
    }

    internal void Release(LoopSlot slot)
    {
        _sinks[slot.Index] = null;
        _generations[slot.Index]++;
        _free.Push(slot.Index);
    }

    /// <summary>The sink the event was meant for, or null when that one has left.</summary>
    internal EventSink? Find(LoopSlot slot) =>
        _generations[slot.Index] == slot.Generation ? _sinks[slot.Index] : null;

    /// <summary>All present sinks; a copy, so that they may leave while it is walked.</summary>
    internal EventSink[] Snapshot() => [.. _sinks.OfType<EventSink>()];
}
