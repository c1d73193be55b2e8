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
/// no byte outlives a turn in our memory, but for the copy that is kept for another target (<see cref="Keeps"/>).
/// </remarks>
internal sealed unsafe class Flow(Endpoint source, Endpoint target)
{
    private Pipe? _pipe;
    private int _pipedBytes;
    private FlowMode _mode;
    private ReplayBuffer? _kept;

    internal FlowState State { get; private set; }

    /// <summary>Bytes that the target's kernel has taken.</summary>
    internal long Bytes { get; private set; }

    internal bool HoldsPipe => _pipe is not null;

    /// <summary>Something was read: a byte, or FIN.</summary>
    internal bool HasBegun => Bytes > 0 || _pipedBytes > 0 || State != FlowState.Open;

    /// <summary>All that was read is kept, so that it can be sent to another target. Then nothing is spliced, for we never see that.</summary>
    internal bool Keeps { get; private set; }

    internal int KeptBytes => _kept?.Count ?? 0;

    /// <summary>Begins anew, for another connection. Pipe and buffer were given back when the last one ended.</summary>
    internal void Open(bool keeps = false)
    {
        (State, Bytes, _mode, Keeps) = (FlowState.Open, 0, FlowMode.Copy, keeps);
    }

    /// <summary>Begins anew, with another target: what was kept, and FIN if it has come, is to be passed on again.</summary>
    internal void Rewind(Worker worker)
    {
        ReleasePipe(worker);
        _kept?.Rewind();
        (State, Bytes, _mode, Keeps) = (State == FlowState.Open ? FlowState.Open : FlowState.Ending, 0, FlowMode.Copy, false);
    }

    /// <summary>There will be no other target.</summary>
    internal void StopKeeping(Worker worker)
    {
        Keeps = false;
        if (_kept is null)
            return;
        worker.ReplayBuffers.Return(_kept);
        _kept = null;
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
            {
                // Nothing may be dropped before the connection has decided about another target.
                if (Keeps && target.Peer == PeerState.Reset)
                    return PumpResult.Waiting;
                Apply(FlowInput.TargetLost, worker);
            }
            else if (State == FlowState.Discarding)
            {
                if (Discard(worker) is { } stopped)
                    return stopped;
            }
            else if (_kept is { UnsentCount: > 0 })
            {
                if (!target.Writable)
                    return PumpResult.Waiting;
                SendKept(_kept, worker);
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

    /// <summary>Gives back pipe and buffer; for the end of the connection.</summary>
    internal void Release(Worker worker)
    {
        ReleasePipe(worker);
        StopKeeping(worker);
    }

    private PumpResult? ReadSome(Worker worker)
    {
        if (_mode == FlowMode.Splice && !Keeps && !source.HasUrgent && (_pipe ??= worker.Pipes.Borrow(worker.NowMs)) is not null)
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
        if (Keeps)
            Keep(scratch, got.Value, worker);
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
        {
            Libc.recv(source.Fd, scratch, (nuint)sent.Value, 0);
            if (Keeps)
                Keep(scratch, sent.Value, worker);
        }
        return null;
    }

    private void Keep(byte* bytes, int count, Worker worker)
    {
        _kept ??= worker.ReplayBuffers.Borrow();
        if (!_kept.TryAdd(bytes, count))
            StopKeeping(worker);
    }

    /// <remarks>What the target refuses stays in the buffer: it is there already, and unlike a pipe it can't be refused.</remarks>
    private void SendKept(ReplayBuffer kept, Worker worker)
    {
        SysResult sent = SendCopy(kept.Unsent, kept.UnsentCount);
        if (sent.Ok)
            kept.NoteSent(sent.Value);
        if (kept.UnsentCount == 0)
            StopKeeping(worker);
    }

    private SysResult SendCopy(byte* bytes, int count)
    {
        SysResult sent = SysResult.From(Libc.send(target.Fd, bytes, (nuint)count, MSG_NOSIGNAL));
        if (sent.Ok)
            Bytes += sent.Value;
        else if (!sent.WouldBlock)
            LoseTarget(sent.Errno);
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
            LoseTarget(moved.Errno);
    }

    private void LoseTarget(Errno errno)
    {
        // To a writer a Unix socket says EPIPE even when it was reset; its pending error is the truth (unix_release_sock in af_unix.c).
        if (Keeps && errno == Errno.EPIPE && !target.IsTcp && Sockets.TakeError(target.Fd) is var pending and not Errno.None)
            errno = pending;
        target.Lose(errno);
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
        // After FIN alone the target may still reset.
        if (input == FlowInput.TargetLost)
            StopKeeping(worker);
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
