namespace ProxyD.Relay;

/// <summary>One thing to do later on a loop's thread. Armed and cancelled through <see cref="TimerQueue"/> only.</summary>
/// <param name="onDue">Called on the loop's thread with the loop's time; may arm the timer again.</param>
internal sealed class LoopTimer(Action<long> onDue)
{
    private const int NotQueued = -1;

    internal long DueMs;
    internal int HeapIndex = NotQueued;

    internal bool IsArmed => HeapIndex != NotQueued;

    internal void Fire(long nowMs) => onDue(nowMs);
}

/// <summary>A loop's timers by due time: a binary heap whose members know their place, so cancelling leaves nothing behind.</summary>
internal sealed class TimerQueue
{
    private const long NotFiring = long.MinValue;

    private LoopTimer[] _heap = new LoopTimer[16];
    private int _count;
    private long _firingMs = NotFiring;

    internal int Count => _count;

    /// <summary>When the next timer is due in the loop's milliseconds, or <see cref="long.MaxValue"/> without any.</summary>
    internal long NextDueMs => _count == 0 ? long.MaxValue : _heap[0].DueMs;

    /// <summary>Arms the timer, or moves it when it is armed already.</summary>
    internal void Arm(LoopTimer timer, long dueMs)
    {
        if (!timer.IsArmed)
        {
            if (_count == _heap.Length)
                Array.Resize(ref _heap, _count * 2);
            timer.HeapIndex = _count;
            _heap[_count++] = timer;
        }
        timer.DueMs = _firingMs == NotFiring ? dueMs : Math.Max(dueMs, _firingMs + 1);
        SiftDown(SiftUp(timer.HeapIndex));
    }

    /// <summary>Takes the timer out; a timer that is not armed is left alone.</summary>
    internal void Cancel(LoopTimer timer)
    {
        if (!timer.IsArmed)
            return;
        int hole = timer.HeapIndex;
        timer.HeapIndex = -1;
        LoopTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (last == timer)
            return;
        Place(last, hole);
        SiftDown(SiftUp(hole));
    }

    /// <summary>Fires every timer that is due at <paramref name="nowMs"/>. What is armed meanwhile is due a millisecond later at the earliest.</summary>
    internal void FireDue(long nowMs)
    {
        _firingMs = nowMs;
        while (NextDueMs <= nowMs)
        {
            LoopTimer due = _heap[0];
            Cancel(due);
            due.Fire(nowMs);
        }
        _firingMs = NotFiring;
    }

    private void Place(LoopTimer timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }

    private int SiftUp(int index)
    {
        LoopTimer timer = _heap[index];
        while (index > 0 && _heap[(index - 1) / 2].DueMs > timer.DueMs)
        {
            Place(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }
        Place(timer, index);
        return index;
    }

    private void SiftDown(int index)
    {
        LoopTimer timer = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child + 1 < _count && _heap[child + 1].DueMs < _heap[child].DueMs)
                child++;
            if (child >= _count || _heap[child].DueMs >= timer.DueMs)
                break;
            Place(_heap[child], index);
            index = child;
        }
        Place(timer, index);
    }
}
