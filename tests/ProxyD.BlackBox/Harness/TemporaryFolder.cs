using System.Net.Sockets;

namespace ProxyD.BlackBox.Harness;

/// <summary>A folder for Unix sockets and scripts, gone with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("proxyd-test-");

    public string File(string name) => Path.Combine(_folder.FullName, name);

    public UnixDomainSocketEndPoint Socket(string name) => new(File(name));

    public string Write(string name, string text)
    {
        string path = File(name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
