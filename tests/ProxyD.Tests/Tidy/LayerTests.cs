using ProxyD.Interop;

namespace ProxyD.Tests.Tidy;

/// <summary>A folder uses only what its row says: read from the source, and once more from the compiled code.</summary>
public sealed class LayerTests
{
    private static readonly Type[] s_types = [.. typeof(Libc).Assembly.GetTypes().Where(t => LayerOf(t) is not null)];

    private static string[] RootTypes => [.. s_types.Where(t => LayerOf(t) == LayerTable.Root && !t.IsNested).Select(t => t.Name)];

    [Fact]
    public void No_file_uses_a_layer_that_its_row_does_not_name()
    {
        // Goal: usings and qualified names keep to the table.
        Rule.IsKept(SourceFile.OfProduct().SelectMany(file => LayerTable.Violations(file, RootTypes)));
    }

    [Fact]
    public void No_compiled_type_uses_a_layer_that_its_row_does_not_name()
    {
        // Goal: whatever the spelling, aliases and generated code included, no method body or signature crosses the table.
        Rule.IsKept(Crossings(s_types, LayerOf));
    }

    [Fact]
    public void Every_layer_was_looked_at()
    {
        // Goal: the two rules above saw the code.
        string[] layers = [.. SourceFile.OfProduct().Select(f => f.Layer).Distinct().Order()];
        string[] expected = [LayerTable.Root, "Activation", "Backend", "Cli", "Interop", "Machine", "Observability", "Relay", "Tools", "Units"];
        Assert.Superset(expected.ToHashSet(), layers.ToHashSet());
        Assert.Equal(layers, s_types.Select(t => LayerOf(t)!).Distinct().Order());
        Assert.Contains("Daemon", RootTypes);
    }

    [Theory]
    [InlineData("Relay", "using ProxyD.Backend;", "Relay may not use Backend")]
    [InlineData("Relay", "using static ProxyD.Activation.ListenFds;", "Relay may not use Activation")]
    [InlineData("Relay", "using X = ProxyD.Backend.BackendState;", "Relay may not use Backend")]
    [InlineData("Backend", "_ = Relay.CloseReason.Finished;", "Backend may not use Relay")]
    [InlineData("Backend", "_ = $\"{ProxyD.Relay.CloseReason.Finished}\";", "Backend may not use Relay")]
    [InlineData("Activation", "global::ProxyD.Cli.CommandLine.Parse();", "Activation may not use Cli")]
    [InlineData("Interop", "using ProxyD.Observability;", "Interop may not use Observability")]
    [InlineData("Observability", "using ProxyD.Relay;", "Observability may not use Relay")]
    [InlineData("Cli", "Daemon daemon;", "Cli may not use the root (Daemon)")]
    [InlineData("Relay", "RunOptions options;", "Relay may not use the root (RunOptions)")]
    [InlineData("Units", "using ProxyD.Tools;", "Units may not use Tools")]
    [InlineData("Tools", "using ProxyD.Backend;", "Tools may not use Backend")]
    [InlineData("Machine", "using ProxyD.Tools;", "Machine may not use Tools")]
    [InlineData("Plugins", "", "is not in the layer table")]
    [InlineData("Relay", "namespace ProxyD.Backend;", "its namespace is ProxyD.Backend")]
    public void An_edge_that_is_not_in_the_table_is_reported(string layer, string code, string expected)
    {
        // Goal: each way to write a reference is recognised.
        SourceFile sample = new($"src/ProxyD/{layer}/Sample.cs", code);
        Assert.Contains(LayerTable.Violations(sample, RootTypes), v => v.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Relay", "using ProxyD.Interop; using static ProxyD.Interop.LibcConstants; using ProxyD.Observability;")]
    [InlineData("Backend", "namespace ProxyD.Backend; // using ProxyD.Relay;")]
    [InlineData("Backend", "string s = \"ProxyD.Relay.Flow\";")]
    [InlineData("Cli", "RunOptions options = new Destination();")]
    [InlineData("Relay", "Options.RunOptions = x.Daemon; Connections.Backend.Fd++;")]
    public void What_the_table_allows_is_not_reported(string layer, string code)
    {
        // Goal: no false alarms that would teach people to ignore the rule.
        Assert.Empty(LayerTable.Violations(new($"src/ProxyD/{layer}/Sample.cs", code), RootTypes));
    }

    [Fact]
    public void A_crossing_in_compiled_code_is_reported_wherever_it_hides()
    {
        // Goal: bodies, lambdas, async methods, generic arguments, signatures, base types and fields are all read.
        string[] crossings = [.. Crossings(typeof(CrossingSamples).Assembly.GetTypes(), CrossingSamples.LayerOf)];
        string[] samples = [.. CrossingSamples.Breaking.Select(t => t.Name)];
        Assert.Equal(9, samples.Length);
        Assert.All(samples, name => Assert.Contains(crossings, c => c.Contains($"+{name}", StringComparison.Ordinal)));
        Assert.DoesNotContain(crossings, c => c.Contains(nameof(CrossingSamples.BackendUsesItself), StringComparison.Ordinal));
    }

    private static IEnumerable<string> Crossings(IEnumerable<Type> types, Func<Type, string?> layerOf) =>
        from type in types
        where layerOf(type) is not null
        from used in TypeReferences.Of(type).Distinct()
        where layerOf(used) is { } to && !LayerTable.Allows(layerOf(type)!, to, used.Name)
        select $"{type.FullName} ({LayerTable.Name(layerOf(type)!)}) uses {used.Name} ({LayerTable.Name(layerOf(used)!)})";

    /// <summary>Null for what is none of ours: generated helpers and the libraries.</summary>
    private static string? LayerOf(Type type) => type switch
    {
        { Assembly: var assembly } when assembly != typeof(Libc).Assembly => null,
        { Namespace: "ProxyD" } => LayerTable.Root,
        { Namespace: null, IsNested: false, Name: "Program" } => LayerTable.Root,
        { Namespace: { } name } when name.StartsWith("ProxyD.", StringComparison.Ordinal) => name["ProxyD.".Length..],
        _ => null,
    };
}
