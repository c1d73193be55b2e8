namespace ProxyD.Machine;

/// <summary>The daemon that these tools belong to: it lies beside them.</summary>
internal static class DaemonFile
{
    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "proxyd");

    /// <summary>The command that installs both as this file and beside it.</summary>
    internal static string InstallAs(string path) => $"install -m755 {Path} {Path}-tools {System.IO.Path.GetDirectoryName(path)}/";
}
