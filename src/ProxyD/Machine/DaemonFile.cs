namespace ProxyD.Machine;

/// <summary>The daemon that these tools belong to: it lies beside them.</summary>
internal static class DaemonFile
{
    /// <summary>What README.md and the units of deploy/ name.</summary>
    internal const string UsualPath = "/usr/local/bin/proxyd";

    /// <summary>Where programs are installed.</summary>
    private static readonly string[] s_places = ["/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/local/bin/", "/opt/proxyd/"];

    /// <summary>This one where it is installed, otherwise where it usually will be.</summary>
    internal static string Installed => Array.Exists(s_places, place => Path.StartsWith(place, StringComparison.Ordinal)) ? Path : UsualPath;

    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "proxyd");

    /// <summary>The command that installs both as this file and beside it.</summary>
    internal static string InstallAs(string path) => $"install -m755 {Path} {Path}-tools {System.IO.Path.GetDirectoryName(path)}/";
}
