namespace ProxyD.EndToEnd;

/// <summary>All that a migration may touch, as one text: paths, modes and bytes of the folders of units, rules and users.</summary>
internal sealed record Snapshot(string Text);

/// <summary>A shape's files in the lab; disposing stops what came of them and takes everything away.</summary>
internal sealed class MigrateWorld : IDisposable
{
    private static readonly string[] s_folders = ["/etc/systemd/system", "/etc/polkit-1/rules.d", "/etc/sysusers.d", "/usr/local/libexec", "/etc/default"];

    private readonly Lab _lab;
    private readonly Journal _journal;
    private readonly MigrateShape _shape;
    private readonly Snapshot _empty;
    private readonly Dictionary<string, byte[]> _others;

    public MigrateWorld(Lab lab, MigrateShape shape)
    {
        _lab = lab;
        _journal = new Journal(lab);
        _shape = shape;
        _others = Contents().ToDictionary();
        _empty = Snapshot();
        if (shape.User is not null)
            lab.AddUser(shape.User);
        foreach ((string path, string text) in shape.Files)
        {
            lab.Write(path, text);
            bool isProgram = text.StartsWith("#!", StringComparison.Ordinal);
            File.SetUnixFileMode(lab.PathOf(path), (UnixFileMode)(isProgram ? 0b111_101_101 : 0b110_100_000));
        }
        lab.Systemctl("daemon-reload");
    }

    /// <summary>What is there now.</summary>
    public Snapshot Snapshot() => new(string.Join('\n', Contents().Select(file =>
        $"{file.Key} {File.GetUnixFileMode(_lab.PathOf(file.Key))} {Convert.ToBase64String(file.Value)}")));

    /// <summary>Runs migrate on the shape's socket or service, which must succeed.</summary>
    public string Migrate(params IEnumerable<string> options) =>
        _lab.Run([Lab.Proxyd, "migrate", _shape.Socket.Length > 0 ? _shape.Socket : _shape.Service, .. options]).Expect();

    public void Dispose()
    {
        string[] names = [.. Contents().Select(file => Path.GetFileName(file.Key)).Concat(_shape.Files.Keys.Select(path => Path.GetFileName(path)))
            .Where(name => name.EndsWith(".service", StringComparison.Ordinal) || name.EndsWith(".socket", StringComparison.Ordinal))
            .Select(name => name.Replace("@.", "@*.", StringComparison.Ordinal))];
        string[] ours = [.. names.Except(_others.Keys.Select(path => Path.GetFileName(path))).Distinct()];
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.TestOutputHelper?.WriteLine($"--- journal ---\n{_journal.Text([.. ours, "polkit.service"])}");
        string[] sockets = [.. ours.Where(name => name.EndsWith(".socket", StringComparison.Ordinal))];
        _lab.Run(["systemctl", "stop", .. sockets]);
        _lab.Run(["systemctl", "stop", .. ours]);
        _lab.Run(["systemctl", "disable", .. ours.Where(name => !name.Contains('*', StringComparison.Ordinal))]);
        foreach (string path in Contents().Select(file => file.Key).Concat(_shape.Files.Keys).Where(path => !_others.ContainsKey(path)))
            File.Delete(_lab.PathOf(path));
        string[] folders = Directory.GetDirectories(_lab.PathOf("/etc/systemd/system"), "*.d");
        foreach (string folder in folders.Where(folder => !Directory.EnumerateFileSystemEntries(folder).Any()))
            Directory.Delete(folder);
        _lab.Systemctl("daemon-reload");
        _lab.Run(["systemctl", "reset-failed", .. ours]);
        if (Snapshot() != _empty)
            throw new InvalidOperationException("the test leaves files behind");
    }

    private IEnumerable<KeyValuePair<string, byte[]>> Contents() =>
        from folder in s_folders
        where Directory.Exists(_lab.PathOf(folder))
        from path in Directory.GetFiles(_lab.PathOf(folder), "*", SearchOption.AllDirectories)
        let inside = path[_lab.PathOf("").Length..]
        where new FileInfo(path).LinkTarget is null
        orderby inside
        select KeyValuePair.Create(inside, File.ReadAllBytes(path));
}
