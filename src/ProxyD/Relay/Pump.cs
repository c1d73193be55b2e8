using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>Why <see cref="Pump.Run"/> came back.</summary>
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

/// <summary>Moves a flow on: one turn of one direction.</summary>
/// <remarks>
/// The invariants, each with a test that breaks it on purpose:
/// splice into the pipe only while it is empty, so EAGAIN from there always means that the source is drained (with bytes in
/// the pipe it could also mean "no free slot": 64 one-byte segments fill a pipe of 256 KiB);
/// a pipe goes back to the pool only when empty;
/// nothing is read that could not be kept: before a copy there is a pipe at hand for what the target may refuse, or the
/// bytes stay in the source's own buffer until the target has them;
/// no byte outlives a turn in our memory, but for the copy that is kept for another target (<see cref="Flow.Keeps"/>).
/// </remarks>
internal readonly unsafe ref struct Pump
{
    private readonly ref Flow _flow;
    private readonly ref Endpoint _source;
    private readonly ref Endpoint _target;
    private readonly Worker _worker;

    internal Pump(ref Flow flow, ref Endpoint source, ref Endpoint target, Worker worker)
    {
        _flow = ref flow;
        _source = ref source;
        _target = ref target;
        _worker = worker;
    }

    /// <summary>Moves what can be moved now, up to the budget.</summary>
    internal PumpResult Run()
    {
        long stopAt = _flow.Bytes + _worker.Limits.TurnBudgetBytes;
        while (true)
        {
            if (_flow.State == FlowState.Ended)
                return PumpResult.Ended;
            if (_flow.State is FlowState.Open or FlowState.Ending && _target.Peer != PeerState.Alive)
            {
                // Nothing may be dropped before the connection has decided about another target.
                if (_flow.Keeps && _target.Peer == PeerState.Reset)
                    return PumpResult.Waiting;
                Apply(FlowInput.TargetLost);
            }
            else if (_flow.State == FlowState.Discarding)
            {
                if (Discard() is { } stopped)
                    return stopped;
            }
            else if (_flow.Kept is { UnsentCount: > 0 })
            {
                if (!_target.Writable)
                    return PumpResult.Waiting;
                SendKept(_flow.Kept);
            }
            else if (_flow.PipedBytes > 0)
            {
                if (!_target.Writable)
                    return PumpResult.Waiting;
                SpliceOut();
            }
            else if (_flow.State == FlowState.Ending)
                Apply(FlowInput.Flushed);
            else if (!_source.Readable || !_target.Writable)
            {
                _flow.ReleasePipe(_worker);
                return PumpResult.Waiting;
            }
            else if (_flow.Bytes >= stopAt)
                return PumpResult.OutOfBudget;
            else if (ReadSome() is { } stopped)
                return stopped;
        }
    }

    private PumpResult? ReadSome()
    {
        if (_flow.Mode == FlowMode.Splice && !_flow.Keeps && !_source.HasUrgent && (_flow.Pipe ??= _worker.Pipes.Borrow(_worker.NowMs)) is not null)
            return SpliceIn();
        if (_flow.Pipe is not null || _worker.Pipes.Ensure(_worker.NowMs))
            return Copy();
        return CopyWithoutPipe();
    }

    private PumpResult? SpliceIn()
    {
        SysResult moved = SysResult.From(Libc.splice(
            _source.Fd, null, _flow.Pipe!.WriteFd, null, (nuint)_flow.Pipe.CapacityBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
        if (moved.Ok && moved.Value > 0)
        {
            _flow.PipedBytes = moved.Value;
            if (moved.Value < RelayLimits.SpliceWorthwhileBytes)
                _flow.Mode = FlowMode.Copy;
            return null;
        }
        return ReadNothing(moved);
    }

    private PumpResult? Copy()
    {
        byte* scratch = _worker.Scratch;
        SysResult got = SysResult.From(Libc.recv(_source.Fd, scratch, RelayLimits.ScratchBytes, 0));
        if (!got.Ok || got.Value == 0)
            return ReadNothing(got);
        if (_flow.Keeps)
            Keep(scratch, got.Value);
        if (got.Value == RelayLimits.ScratchBytes)
            _flow.Mode = FlowMode.Splice;
        else
            _source.ReadShort();
        SysResult sent = SendCopy(scratch, got.Value);
        int left = got.Value - (sent.Ok ? sent.Value : 0);
        if (left > 0 && _target.Peer == PeerState.Alive)
            KeepInPipe(scratch + got.Value - left, left);
        return null;
    }

    /// <summary>With no pipe to be had: look without taking, send, then take what was sent. One call more; nothing to keep.</summary>
    private PumpResult? CopyWithoutPipe()
    {
        byte* scratch = _worker.Scratch;
        SysResult seen = SysResult.From(Libc.recv(_source.Fd, scratch, RelayLimits.ScratchBytes, MSG_PEEK));
        if (!seen.Ok || seen.Value == 0)
            return ReadNothing(seen);
        SysResult sent = SendCopy(scratch, seen.Value);
        if (sent.Ok && sent.Value > 0)
        {
            Libc.recv(_source.Fd, scratch, (nuint)sent.Value, 0);
            if (_flow.Keeps)
                Keep(scratch, sent.Value);
        }
        return null;
    }

    private void Keep(byte* bytes, int count)
    {
        _flow.Kept ??= _worker.ReplayBuffers.Borrow();
        if (!_flow.Kept.TryAdd(bytes, count))
            _flow.StopKeeping(_worker);
    }

    /// <remarks>What the target refuses stays in the buffer: it is there already, and unlike a pipe it can't be refused.</remarks>
    private void SendKept(ReplayBuffer kept)
    {
        SysResult sent = SendCopy(kept.Unsent, kept.UnsentCount);
        if (sent.Ok)
            kept.NoteSent(sent.Value);
        if (kept.UnsentCount == 0)
            _flow.StopKeeping(_worker);
    }

    private SysResult SendCopy(byte* bytes, int count)
    {
        SysResult sent = SysResult.From(Libc.send(_target.Fd, bytes, (nuint)count, MSG_NOSIGNAL));
        if (sent.Ok)
            _flow.Bytes += sent.Value;
        else if (!sent.WouldBlock)
            LoseTarget(sent.Errno);
        if (!sent.Ok || sent.Value < count)
            _target.Writable = false;
        return sent;
    }

    private void KeepInPipe(byte* bytes, int count)
    {
        // Copy() made sure of a pipe, and an empty one takes a whole scratch buffer (PipeCapacityMinBytes).
        _flow.Pipe ??= _worker.Pipes.Borrow(_worker.NowMs);
        SysResult kept = SysResult.From(Libc.write(_flow.Pipe!.WriteFd, bytes, (nuint)count));
        _flow.PipedBytes = kept.Ok ? kept.Value : 0;
        _flow.Mode = FlowMode.Splice;
        if (_flow.PipedBytes == count)
            return;
        // The kernel had no page for them (ENOMEM): these bytes are lost, and both sides must know that the stream is cut.
        _source.Cut();
        _target.Cut();
    }

    private void SpliceOut()
    {
        SysResult moved = SysResult.From(Libc.splice(
            _flow.Pipe!.ReadFd, null, _target.Fd, null, (nuint)_flow.PipedBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
        if (moved.Ok)
        {
            _flow.PipedBytes -= moved.Value;
            _flow.Bytes += moved.Value;
        }
        else if (moved.WouldBlock)
            _target.Writable = false;
        else
            LoseTarget(moved.Errno);
    }

    private void LoseTarget(Errno errno)
    {
        // To a writer a Unix socket says EPIPE even when it was reset; its pending error is the truth (unix_release_sock in af_unix.c).
        if (_flow.Keeps && errno == Errno.EPIPE && !_target.IsTcp && Sockets.TakeError(_target.Fd) is var pending and not Errno.None)
            errno = pending;
        _target.Lose(errno);
    }

    private PumpResult? Discard()
    {
        if (!_source.Readable)
            return PumpResult.Waiting;
        SysResult got = SysResult.From(Libc.recv(_source.Fd, _worker.Scratch, RelayLimits.ScratchBytes, 0));
        // One read a turn: nobody waits for these bytes.
        return got.Ok && got.Value > 0 ? PumpResult.OutOfBudget : ReadNothing(got);
    }

    /// <summary>A read brought no bytes: FIN, "not now", or an error.</summary>
    private PumpResult? ReadNothing(SysResult read)
    {
        if (read.WouldBlock)
        {
            _source.Readable = false;
            return null;
        }
        if (!read.Ok)
            _source.Lose(read.Errno);
        if (_source.Peer == PeerState.Reset)
        {
            _flow.ReleasePipe(_worker);
            return PumpResult.SourceReset;
        }
        _source.ReadEnd();
        Apply(FlowInput.SourceFin);
        return null;
    }

    private void Apply(FlowInput input)
    {
        _flow.State = FlowStates.Next(_flow.State, input);
        if (_flow.State is FlowState.Discarding or FlowState.Ended)
            _flow.ReleasePipe(_worker);
        // After FIN alone the target may still reset.
        if (input == FlowInput.TargetLost)
            _flow.StopKeeping(_worker);
    }
}
