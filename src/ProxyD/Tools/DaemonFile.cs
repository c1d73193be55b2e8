namespace ProxyD.Tools;

/// <summary>The daemon that these tools belong to: it lies beside them.</summary>
internal static class DaemonFile
{
    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "proxyd");
}
