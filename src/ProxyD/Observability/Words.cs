namespace ProxyD.Observability;

/// <summary>Numbers in sentences.</summary>
internal static class Words
{
    /// <summary>"1 client", "2 clients".</summary>
    internal static string Count(long number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";
}
