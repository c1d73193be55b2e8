using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

public sealed class FlowStateTests
{
    /// <summary>Every state × every input. Written out, so that a change of the machine is a change of this table.</summary>
    private static readonly Dictionary<(FlowState, FlowInput), FlowState> s_table = new()
    {
        [(FlowState.Open, FlowInput.SourceFin)] = FlowState.Ending,
        [(FlowState.Open, FlowInput.Flushed)] = FlowState.Open,
        [(FlowState.Open, FlowInput.TargetLost)] = FlowState.Discarding,
        [(FlowState.Ending, FlowInput.SourceFin)] = FlowState.Ending,
        [(FlowState.Ending, FlowInput.Flushed)] = FlowState.Ended,
        [(FlowState.Ending, FlowInput.TargetLost)] = FlowState.Ended,
        [(FlowState.Discarding, FlowInput.SourceFin)] = FlowState.Ended,
        [(FlowState.Discarding, FlowInput.Flushed)] = FlowState.Discarding,
        [(FlowState.Discarding, FlowInput.TargetLost)] = FlowState.Discarding,
        [(FlowState.Ended, FlowInput.SourceFin)] = FlowState.Ended,
        [(FlowState.Ended, FlowInput.Flushed)] = FlowState.Ended,
        [(FlowState.Ended, FlowInput.TargetLost)] = FlowState.Ended,
    };

    [Fact]
    public void The_table_names_every_state_and_input_once()
    {
        // Goal: a new state or input can't be added without a row here.
        IEnumerable<(FlowState, FlowInput)> all =
            from state in Enum.GetValues<FlowState>()
            from input in Enum.GetValues<FlowInput>()
            select (state, input);
        Assert.Equal(all.Order(), s_table.Keys.Order());
        Assert.Equal(4 * 3, s_table.Count);
    }

    [Fact]
    public void Each_input_moves_each_state_as_the_table_says()
    {
        // Goal: the machine is total and does what is written above.
        Assert.All(s_table, row => Assert.Equal(row.Value, FlowStates.Next(row.Key.Item1, row.Key.Item2)));
    }

    [Fact]
    public void An_input_that_comes_twice_changes_nothing()
    {
        // Goal: the kernel may report FIN, RST or an error again, and nobody has to remember that it did.
        foreach ((FlowState state, FlowInput input) in s_table.Keys)
        {
            FlowState once = FlowStates.Next(state, input);
            Assert.Equal(once, FlowStates.Next(once, input));
        }
    }

    [Fact]
    public void Nothing_leads_out_of_Ended_and_nothing_back_to_Open()
    {
        // Goal: a flow only ever moves towards its end.
        foreach (((FlowState state, FlowInput _), FlowState next) in s_table)
        {
            if (state == FlowState.Ended)
                Assert.Equal(FlowState.Ended, next);
            if (state != FlowState.Open)
                Assert.NotEqual(FlowState.Open, next);
        }
    }

    [Fact]
    public void FIN_and_then_the_last_byte_or_a_lost_target_in_any_order_end_every_flow()
    {
        // Goal: no flow stays open for ever once both of its sides are done.
        foreach (FlowInput targetSide in (FlowInput[])[FlowInput.Flushed, FlowInput.TargetLost])
        {
            FlowState afterFin = FlowStates.Next(FlowState.Open, FlowInput.SourceFin);
            Assert.Equal(FlowState.Ended, FlowStates.Next(afterFin, targetSide));
        }
        FlowState afterLoss = FlowStates.Next(FlowState.Open, FlowInput.TargetLost);
        Assert.Equal(FlowState.Ended, FlowStates.Next(afterLoss, FlowInput.SourceFin));
    }
}
