namespace ProxyD.Testing;

/// <summary>A trio of tests/Shared/Trios: its unit files, what else its machine has, and what <c>proxyd check</c> has to find in it.</summary>
internal sealed class TrioFolder
{
    private const string Expectations = "expected";
    private const string OtherFiles = "files";

    private readonly string[] _lines;

    private TrioFolder(string path)
    {
        Path = path;
        _lines = File.ReadAllLines(System.IO.Path.Combine(path, Expectations));
    }

    internal string Path { get; }

    internal string Name => System.IO.Path.GetFileName(Path);

    /// <summary>A line <c>--user</c>: the units are a user manager's.</summary>
    internal bool IsUser => _lines.Contains("--user");

    /// <summary><c>PXD003 web.service:7</c>: rule, file below the folder, line; in order.</summary>
    internal string[] Expected => [.. _lines.Where(line => line.StartsWith("PXD", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>Unit files and drop-ins, from the folder: <c>web.service.d/x.conf</c>.</summary>
    internal string[] UnitFiles =>
        [.. All().Where(file => file != Expectations && !file.StartsWith(OtherFiles + "/", StringComparison.Ordinal))];

    /// <summary>Scripts and polkit rules, by the paths that they have on their machine, and where they are here.</summary>
    internal Dictionary<string, string> MachineFiles =>
        All().Where(file => file.StartsWith(OtherFiles + "/", StringComparison.Ordinal))
            .ToDictionary(file => file[OtherFiles.Length..], file => System.IO.Path.Combine(Path, file));

    internal static string Root { get; } = System.IO.Path.Combine(Repository.Root, "tests", "Shared", "Trios");

    internal static TrioFolder[] AllFolders() => [.. Directory.GetDirectories(Root).Order(StringComparer.Ordinal).Select(path => new TrioFolder(path))];

    internal static TrioFolder Named(string name) => new(System.IO.Path.Combine(Root, name));

    private IEnumerable<string> All() =>
        Directory.GetFiles(Path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(Path, file)).Order(StringComparer.Ordinal);
}
