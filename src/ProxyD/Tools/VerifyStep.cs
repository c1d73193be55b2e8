namespace ProxyD.Tools;

/// <summary>A row of verify's table.</summary>
/// <param name="Name">What is tried.</param>
/// <param name="Before">The backend's state right before, as systemd calls it; empty where it doesn't matter.</param>
/// <param name="Expected">What is to be seen.</param>
/// <param name="Seen">What was.</param>
/// <param name="ElapsedMs">Of the slowest client; null for a step without clients.</param>
/// <param name="IsPassed">Whether it was what is expected.</param>
internal sealed record VerifyStep(string Name, string Before, string Expected, string Seen, double? ElapsedMs, bool IsPassed);

/// <summary>What verify found.</summary>
/// <param name="Steps">In the order in which they were tried.</param>
/// <param name="Failures">Units that had failed at the end, and what could not be done, a line each.</param>
/// <param name="IsComplete">Every step was come to, and the units are as they were found.</param>
internal sealed record VerifyResult(IReadOnlyList<VerifyStep> Steps, IReadOnlyList<string> Failures, bool IsComplete)
{
    internal bool IsPassed => IsComplete && Steps.All(step => step.IsPassed);
}
