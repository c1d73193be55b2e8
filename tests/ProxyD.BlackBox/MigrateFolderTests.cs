using ProxyD.BlackBox.Harness;
using ProxyD.Testing;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd migrate FOLDER</c>: files alone, without a service manager.</summary>
public sealed class MigrateFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MigrateFolderTests() => Requires.Proxyd();

    public static TheoryData<string> Folders { get; } = [.. TrioFolder.AllFolders().Select(folder => folder.Name)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void What_is_applied_to_a_folder_is_rolled_back_byte_for_byte(string name)
    {
        // Goal: shown, nothing is written; refused, nothing either; applied in both shapes, all of it comes back, and nothing is left over.
        TrioFolder trio = TrioFolder.Named(name);
        foreach (string file in trio.UnitFiles)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
            File.Copy(Path.Combine(trio.Path, file), _folder.File(file));
        }
        Dictionary<string, string> before = Contents();

        foreach (string[] shape in (string[][])[[], ["--resident"]])
        {
            string[] user = trio.IsUser ? ["--user"] : [];
            (int shown, string proposal, _) = Migrate([.. shape, .. user]);
            Assert.Equal(before, Contents());

            (int applied, _, string errors) = Migrate(["--apply", .. shape, .. user]);
            Assert.Equal((shown, ""), (applied, errors));
            bool changes = proposal.Contains("--apply does it", StringComparison.Ordinal);
            Assert.Equal(changes, !before.SequenceEqual(Contents()));
            if (!changes)
                continue;
            Assert.Equal(0, Migrate(["--rollback", .. user]).Status);
            Assert.Equal(before, Contents());
        }
    }

    private (int Status, string Output, string Errors) Migrate(params string[] options)
    {
        using Subject subject = Subject.Start(new SubjectSetup { Arguments = ["migrate", _folder.File("."), .. options] });
        int status = subject.WaitForExit();
        return (status, string.Join('\n', subject.Output), string.Join('\n', subject.Log));
    }

    private Dictionary<string, string> Contents() => new(
        Directory.GetFiles(_folder.File("."), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => KeyValuePair.Create(file, Convert.ToHexString(File.ReadAllBytes(file)))));
}
