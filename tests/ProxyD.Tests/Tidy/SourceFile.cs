using ProxyD.Testing;

namespace ProxyD.Tests.Tidy;

/// <summary>A file of the repository, as the rules read it.</summary>
/// <param name="Path">From the repository's root, with slashes.</param>
/// <param name="Text">All of it.</param>
internal sealed record SourceFile(string Path, string Text)
{
    private const string Product = "src/ProxyD/";

    private static readonly string[] s_generatedFolders = ["bin", "obj", ".git", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts"];

    private readonly Lazy<string> _code = new(() => CodeText.Of(Text));

    internal string[] Lines { get; } = Text.Split('\n');

    /// <summary>The text with comments and literals blanked; see <see cref="CodeText"/>.</summary>
    internal string Code => _code.Value;

    internal string[] CodeLines => Code.Split('\n');

    /// <summary>The folder of src/ProxyD that it lies in; empty for the root's own files.</summary>
    internal string Layer => Path.StartsWith(Product, StringComparison.Ordinal) && Path.IndexOf('/', Product.Length) is > 0 and int end
        ? Path[Product.Length..end]
        : "";

    internal int LineOf(int position) => Text.AsSpan(0, position).Count('\n') + 1;

    /// <summary>src/ProxyD's C# files.</summary>
    internal static SourceFile[] OfProduct() => [.. CSharp().Where(f => f.Path.StartsWith(Product, StringComparison.Ordinal))];

    /// <summary>Every C# file: product, tests, benchmarks.</summary>
    internal static SourceFile[] CSharp() => [.. All().Where(f => f.Path.EndsWith(".cs", StringComparison.Ordinal))];

    /// <summary>Every text file that somebody wrote.</summary>
    internal static IEnumerable<SourceFile> All() =>
        Walk(new(Repository.Root)).Select(file => (File: file, Bytes: File.ReadAllBytes(file.FullName)))
            .Where(read => !read.Bytes.Contains((byte)0))
            .Select(read => new SourceFile(
                System.IO.Path.GetRelativePath(Repository.Root, read.File.FullName), System.Text.Encoding.UTF8.GetString(read.Bytes)));

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder) =>
        folder.GetFiles().Where(f => f.LinkTarget is null)
            .Concat(folder.GetDirectories().Where(d => !s_generatedFolders.Contains(d.Name)).SelectMany(Walk));
}
