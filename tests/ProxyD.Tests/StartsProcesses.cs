namespace ProxyD.Tests;

/// <summary>Tests that start processes: beside no other.</summary>
/// <remarks>
/// Between fork and exec a child holds copies of every descriptor of this process. A socket that another test resets or a listener that it closes
/// lives on in there for a moment, and the RST that the test waits for does not come.
/// </remarks>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class StartsProcesses
{
    public const string Name = "starts processes";
}
