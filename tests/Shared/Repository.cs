namespace ProxyD.Testing;

/// <summary>Where the tests find the checkout and the published binary.</summary>
internal static class Repository
{
    /// <summary>The folder that holds ProxyD.sln, found from the test assembly upwards.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The published Native AOT binary: $PROXYD, or what tests/run.sh publishes.</summary>
    public static string ProxydBinary { get; } =
        Environment.GetEnvironmentVariable("PROXYD") ?? Path.Combine(Root, "artifacts", "proxyd", "proxyd");

    /// <summary>The tools' program, which lies beside it.</summary>
    public static string ToolsBinary { get; } = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(ProxydBinary))!, "proxyd-tools");

    private static string FindRoot()
    {
        for (DirectoryInfo? dir = new(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
        {
            if (File.Exists(Path.Combine(dir.FullName, "ProxyD.sln")))
                return dir.FullName;
        }
        throw new InvalidOperationException($"no ProxyD.sln above {AppContext.BaseDirectory}");
    }
}
