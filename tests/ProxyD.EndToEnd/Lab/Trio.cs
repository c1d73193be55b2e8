namespace ProxyD.EndToEnd;

/// <summary>The unit files of one service, installed in the lab; disposing stops them and takes them away.</summary>
internal sealed class Trio : IDisposable
{
    private const string UnitFolder = "/etc/systemd/system";

    private readonly Lab _lab;
    private readonly UnitFiles _files;
    private readonly string[] _units;

    /// <param name="lab">Where.</param>
    /// <param name="files">What to install. Templates (<c>app@.service</c>) are run as <paramref name="instance"/>.</param>
    /// <param name="instance">The instance name, for templates.</param>
    public Trio(Lab lab, UnitFiles files, string instance = "")
    {
        _lab = lab;
        _files = files;
        _units = [.. files.Texts.Keys.Select(name => Instantiate(name, instance))];
        Socket = _units.Single(name => name.EndsWith(".socket", StringComparison.Ordinal));
        Journal = new Journal(lab);
    }

    /// <summary>The public socket's unit.</summary>
    public string Socket { get; }

    /// <summary>The journal since this trio was made.</summary>
    public Journal Journal { get; }

    /// <summary>Everything the journal has about these units.</summary>
    public string History => Journal.Text(_units);

    /// <summary>Installs the files and starts the socket.</summary>
    public void Start()
    {
        foreach ((string name, string text) in _files.Texts)
            _lab.Write($"{UnitFolder}/{name}", text);
        _lab.Systemctl("daemon-reload");
        _lab.Systemctl("start", Socket);
    }

    public void Dispose()
    {
        // Exit codes tell nothing here: after a failed test some of the units may not even be loaded.
        // The socket goes before the others: with clients in its queue it would start them again.
        _lab.Run("systemctl", "stop", Socket);
        _lab.Run(["systemctl", "stop", .. _units]);
        // Also forgets the starts that count towards StartLimitBurst=.
        _lab.Run(["systemctl", "reset-failed", .. _units]);
        foreach (string name in _files.Texts.Keys)
            File.Delete(_lab.PathOf($"{UnitFolder}/{name}"));
        _lab.Systemctl("daemon-reload");
    }

    // A template without an instance of ours is what Accept=yes makes instances of: a pattern names those.
    private static string Instantiate(string name, string instance) =>
        name.Replace("@.", instance.Length > 0 ? $"@{instance}." : "@*.", StringComparison.Ordinal);
}
