namespace ProxyD.Relay;

/// <summary>How a flow moves its bytes.</summary>
internal enum FlowMode : byte
{
    /// <summary>Through the thread's scratch buffer: cheapest for little.</summary>
    Copy,

    /// <summary>Through a kernel pipe, never touching our memory: cheapest for much.</summary>
    Splice,
}

/// <summary>One direction of a connection: bytes from source to target, then FIN. What is known of it between two turns.</summary>
/// <remarks>
/// A value inside its <see cref="Connection"/>, as the two <see cref="Endpoint"/>s are: an idle connection is one object. It is moved on by a
/// <see cref="Pump"/>, and only there.
/// </remarks>
internal struct Flow
{
    /// <summary>The pipe that is lent to it, while bytes flow.</summary>
    internal Pipe? Pipe;

    /// <summary>A copy of what was read, for another target; null when there is none.</summary>
    internal ReplayBuffer? Kept;

    /// <summary>Bytes that the target's kernel has taken.</summary>
    internal long Bytes;

    /// <summary>Bytes in the pipe.</summary>
    internal int PipedBytes;

    internal FlowState State;
    internal FlowMode Mode;

    /// <summary>All that was read is kept, so that it can be sent to another target. Then nothing is spliced, for we never see that.</summary>
    internal bool Keeps;

    internal readonly bool HoldsPipe => Pipe is not null;

    /// <summary>Something was read: a byte, or FIN.</summary>
    internal readonly bool HasBegun => Bytes > 0 || PipedBytes > 0 || State != FlowState.Open;

    internal readonly int KeptBytes => Kept?.Count ?? 0;

    /// <summary>Begins anew, for another connection. Pipe and buffer were given back when the last one ended.</summary>
    internal void Open(bool keeps = false)
    {
        (State, Bytes, Mode, Keeps) = (FlowState.Open, 0, FlowMode.Copy, keeps);
    }

    /// <summary>Begins anew, with another target: what was kept, and FIN if it has come, is to be passed on again.</summary>
    internal void Rewind(Worker worker)
    {
        ReleasePipe(worker);
        Kept?.Rewind();
        (State, Bytes, Mode, Keeps) = (State == FlowState.Open ? FlowState.Open : FlowState.Ending, 0, FlowMode.Copy, false);
    }

    /// <summary>There will be no other target.</summary>
    internal void StopKeeping(Worker worker)
    {
        Keeps = false;
        if (Kept is null)
            return;
        worker.ReplayBuffers.Return(Kept);
        Kept = null;
    }

    /// <summary>Gives back pipe and buffer; for the end of the connection.</summary>
    internal void Release(Worker worker)
    {
        ReleasePipe(worker);
        StopKeeping(worker);
    }

    internal void ReleasePipe(Worker worker)
    {
        if (Pipe is null)
            return;
        worker.Pipes.Return(Pipe, PipedBytes);
        Pipe = null;
        PipedBytes = 0;
    }
}
