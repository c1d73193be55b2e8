using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>How a flow moves its bytes.</summary>
internal enum FlowMode
{
    /// <summary>Through the thread's scratch buffer: cheapest for little.</summary>
    Copy,

    /// <summary>Through a kernel pipe, never touching our memory: cheapest for much.</summary>
    Splice,
}

/// <summary>Why <see cref="Flow.Pump"/> came back.</summary>
internal enum PumpResult
{
    /// <summary>The source has nothing or the target takes nothing now; the kernel will tell.</summary>
    Waiting,

    /// <summary>The budget is used up, with work left.</summary>
    OutOfBudget,

    /// <summary>The state is <see cref="FlowState.Ended"/>.</summary>
    Ended,

    /// <summary>Everything the source sent before it was reset has been passed on or dropped.</summary>
    SourceReset,
}

/// <summary>One direction of a connection: bytes from source to target, then FIN.</summary>
/// <remarks>
/// The invariants, each with a test that breaks it on purpose:
/// splice into the pipe only while it is empty, so EAGAIN from there always means that the source is drained (with bytes in
/// the pipe it could also mean "no free slot": 64 one-byte segments fill a pipe of 256 KiB);
/// a pipe goes back to the pool only when empty;
/// nothing is read that could not be kept: before a copy there is a pipe at hand for what the target may refuse, or the
/// bytes stay in the source's own buffer until the target has them;
/// no byte outlives a turn in our memory.
/// </remarks>
internal sealed unsafe class Flow(Endpoint source, Endpoint target)
{
    private Pipe? _pipe;
    private int _pipedBytes;
    private FlowMode _mode;

    internal FlowState State { get; private set; }

    /// <summary>Bytes that the target's kernel has taken.</summary>
    internal long Bytes { get; private set; }

    internal bool HoldsPipe => _pipe is not null;

    /// <summary>Begins anew, for another connection. The pipe was given back when the last one ended.</summary>
    internal void Open()
    {
        (State, Bytes, _mode) = (FlowState.Open, 0, FlowMode.Copy);
    }

    /// <summary>Moves what can be moved now, up to the budget.</summary>
    internal PumpResult Pump(Worker worker)
    {
        long stopAt = Bytes + worker.Limits.TurnBudgetBytes;
        while (true)
        {
            if (State == FlowState.Ended)
                return PumpResult.Ended;
            if (State is FlowState.Open or FlowState.Ending && target.Peer != PeerState.Alive)
                Apply(FlowInput.TargetLost, worker);
            else if (State == FlowState.Discarding)
            {
                if (Discard(worker) is { } stopped)
                    return stopped;
            }
            else if (_pipedBytes > 0)
            {
                if (!target.Writable)
                    return PumpResult.Waiting;
                SpliceOut();
            }
            else if (State == FlowState.Ending)
                Apply(FlowInput.Flushed, worker);
            else if (!source.Readable || !target.Writable)
            {
                ReleasePipe(worker);
                return PumpResult.Waiting;
            }
            else if (Bytes >= stopAt)
                return PumpResult.OutOfBudget;
            else if (ReadSome(worker) is { } stopped)
                return stopped;
        }
    }

    /// <summary>Gives the pipe back; for the end of the connection.</summary>
    internal void Release(Worker worker) => ReleasePipe(worker);

    private PumpResult? ReadSome(Worker worker)
    {
        if (_mode == FlowMode.Splice && !source.HasUrgent && (_pipe ??= worker.Pipes.Borrow(worker.NowMs)) is not null)
            return SpliceIn(worker);
        if (_pipe is not null || worker.Pipes.Ensure(worker.NowMs))
            return Copy(worker);
        return CopyWithoutPipe(worker);
    }

    private PumpResult? SpliceIn(Worker worker)
    {
        SysResult moved = SysResult.From(Libc.splice(
            source.Fd, null, _pipe!.WriteFd, null, (nuint)_pipe.CapacityBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
        if (moved.Ok && moved.Value > 0)
        {
            _pipedBytes = moved.Value;
            if (moved.Value < RelayLimits.SpliceWorthwhileBytes)
                _mode = FlowMode.Copy;
            return null;
        }
        return ReadNothing(moved, worker);
    }

    private PumpResult? Copy(Worker worker)
    {
        byte* scratch = worker.Scratch;
        SysResult got = SysResult.From(Libc.recv(source.Fd, scratch, RelayLimits.ScratchBytes, 0));
        if (!got.Ok || got.Value == 0)
            return ReadNothing(got, worker);
        if (got.Value == RelayLimits.ScratchBytes)
            _mode = FlowMode.Splice;
        else
            source.ReadShort();
        SysResult sent = SendCopy(scratch, got.Value);
        int left = got.Value - (sent.Ok ? sent.Value : 0);
        if (left > 0 && target.Peer == PeerState.Alive)
            KeepInPipe(scratch + got.Value - left, left, worker);
        return null;
    }

    /// <summary>With no pipe to be had: look without taking, send, then take what was sent. One call more; nothing to keep.</summary>
    private PumpResult? CopyWithoutPipe(Worker worker)
    {
        byte* scratch = worker.Scratch;
        SysResult seen = SysResult.From(Libc.recv(source.Fd, scratch, RelayLimits.ScratchBytes, MSG_PEEK));
        if (!seen.Ok || seen.Value == 0)
            return ReadNothing(seen, worker);
        SysResult sent = SendCopy(scratch, seen.Value);
        if (sent.Ok && sent.Value > 0)
            Libc.recv(source.Fd, scratch, (nuint)sent.Value, 0);
        return null;
    }

    private SysResult SendCopy(byte* bytes, int count)
    {
        SysResult sent = SysResult.From(Libc.send(target.Fd, bytes, (nuint)count, MSG_NOSIGNAL));
        if (sent.Ok)
            Bytes += sent.Value;
        else if (!sent.WouldBlock)
            target.Lose(sent.Errno);
        if (!sent.Ok || sent.Value < count)
            target.Writable = false;
        return sent;
    }

    private void KeepInPipe(byte* bytes, int count, Worker worker)
    {
        // Copy() made sure of a pipe, and an empty one takes a whole scratch buffer (PipeCapacityMinBytes).
        _pipe ??= worker.Pipes.Borrow(worker.NowMs);
        SysResult kept = SysResult.From(Libc.write(_pipe!.WriteFd, bytes, (nuint)count));
        _pipedBytes = kept.Ok ? kept.Value : 0;
        _mode = FlowMode.Splice;
        if (_pipedBytes == count)
            return;
        // The kernel had no page for them (ENOMEM): these bytes are lost, and both sides must know that the stream is cut.
        source.Cut();
        target.Cut();
    }

    private void SpliceOut()
    {
        SysResult moved = SysResult.From(Libc.splice(
            _pipe!.ReadFd, null, target.Fd, null, (nuint)_pipedBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
        if (moved.Ok)
        {
            _pipedBytes -= moved.Value;
            Bytes += moved.Value;
        }
        else if (moved.WouldBlock)
            target.Writable = false;
        else
            target.Lose(moved.Errno);
    }

    private PumpResult? Discard(Worker worker)
    {
        if (!source.Readable)
            return PumpResult.Waiting;
        SysResult got = SysResult.From(Libc.recv(source.Fd, worker.Scratch, RelayLimits.ScratchBytes, 0));
        // One read a turn: nobody waits for these bytes.
        return got.Ok && got.Value > 0 ? PumpResult.OutOfBudget : ReadNothing(got, worker);
    }

    /// <summary>A read brought no bytes: FIN, "not now", or an error.</summary>
    private PumpResult? ReadNothing(SysResult read, Worker worker)
    {
        if (read.WouldBlock)
        {
            source.Readable = false;
            return null;
        }
        if (!read.Ok)
            source.Lose(read.Errno);
        if (source.Peer == PeerState.Reset)
        {
            ReleasePipe(worker);
            return PumpResult.SourceReset;
        }
        source.ReadEnd();
        Apply(FlowInput.SourceFin, worker);
        return null;
    }

    private void Apply(FlowInput input, Worker worker)
    {
        State = FlowStates.Next(State, input);
        if (State is FlowState.Discarding or FlowState.Ended)
            ReleasePipe(worker);
    }

    private void ReleasePipe(Worker worker)
    {
        if (_pipe is null)
            return;
        worker.Pipes.Return(_pipe, _pipedBytes);
        _pipe = null;
        _pipedBytes = 0;
    }
}
