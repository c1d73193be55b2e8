namespace ProxyD.Tests.Tidy;

internal static class Rule
{
    /// <summary>Fails with every violation, one a line, so that one run is enough to mend them all.</summary>
    internal static void IsKept(IEnumerable<string> violations)
    {
        string[] all = [.. violations];
        Assert.True(all.Length == 0, $"{all.Length} violations:\n{string.Join('\n', all)}");
    }
}
