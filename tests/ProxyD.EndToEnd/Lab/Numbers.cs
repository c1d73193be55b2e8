namespace ProxyD.EndToEnd;

internal static class Numbers
{
    /// <summary>The middle one: a machine that stalls now and then does not move it.</summary>
    public static double Median(this IReadOnlyCollection<double> values) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt(values.Count / 2);
}
