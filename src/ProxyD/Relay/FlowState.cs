namespace ProxyD.Relay;

/// <summary>Where one direction of a connection stands. See <see cref="FlowStates.Next"/> for how it moves.</summary>
internal enum FlowState : byte
{
    /// <summary>The source may still send; what it sends is passed on.</summary>
    Open,

    /// <summary>The source has sent FIN; bytes of it may remain in our pipe.</summary>
    Ending,

    /// <summary>The target is gone; what the source still sends is read and dropped, so that our close does not answer it with RST.</summary>
    Discarding,

    /// <summary>Nothing moves in this direction any more: the target was sent FIN, or is gone and the source has sent FIN.</summary>
    Ended,
}

/// <summary>What can happen to a flow.</summary>
internal enum FlowInput
{
    /// <summary>The source's FIN was read.</summary>
    SourceFin,

    /// <summary>Everything read from the source has been handed to the target's kernel.</summary>
    Flushed,

    /// <summary>The target cannot be written to any more.</summary>
    TargetLost,
}

internal static class FlowStates
{
    /// <summary>The state after an input: total, so that an input that comes twice changes nothing.</summary>
    internal static FlowState Next(FlowState state, FlowInput input) => (state, input) switch
    {
        (FlowState.Open, FlowInput.SourceFin) => FlowState.Ending,
        (FlowState.Open, FlowInput.TargetLost) => FlowState.Discarding,
        (FlowState.Ending, FlowInput.Flushed) => FlowState.Ended,
        (FlowState.Ending, FlowInput.TargetLost) => FlowState.Ended,
        (FlowState.Discarding, FlowInput.SourceFin) => FlowState.Ended,
        _ => state,
    };
}
