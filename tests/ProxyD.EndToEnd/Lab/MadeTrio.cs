namespace ProxyD.EndToEnd;

/// <summary>A trio that <c>proxyd init</c> makes in the lab; disposing takes it away.</summary>
internal sealed class MadeTrio : IDisposable
{
    private static readonly string[] s_folders = ["/etc/systemd/system", "/etc/sysusers.d", "/etc/polkit-1/rules.d"];

    private readonly Lab _lab;
    private readonly string _name;
    private readonly UserManager? _manager;
    private readonly Journal _journal;

    /// <param name="lab">Where.</param>
    /// <param name="name">NAME; no other file in the lab begins with it.</param>
    /// <param name="manager">The user manager it is for, or null for the system.</param>
    public MadeTrio(Lab lab, string name, UserManager? manager = null)
    {
        lab.RequireInside("/usr/lib/polkit-1/polkitd");
        _lab = lab;
        _name = name;
        _manager = manager;
        _journal = new Journal(lab);
    }

    public string Socket => _name + ".socket";

    public string Proxy => _name + ".service";

    public string Backend => _name + "-backend.service";

    /// <summary>Runs <c>proxyd init NAME</c>.</summary>
    public CommandResult Init(params IEnumerable<string> arguments)
    {
        string[] command = [Lab.Proxyd, "init", _name, .. arguments];
        return _manager is null ? _lab.Run(command) : _manager.Run(["env", $"HOME={_manager.Home}", .. command, "--user"]);
    }

    /// <summary>ActiveState and SubState of one of the units.</summary>
    public string StateOf(string unit)
    {
        string[] states = Systemctl("show", "--value", "-p", "ActiveState", "-p", "SubState", unit).Output.Split('\n');
        return $"{states[0]} ({states[1]})";
    }

    public void WaitForState(string unit, string state) =>
        Wait.Until(() => StateOf(unit) == state, () => $"{unit} is to be {state}, and is {StateOf(unit)}");

    public CommandResult Systemctl(params IEnumerable<string> arguments) =>
        _manager is null ? _lab.Run(["systemctl", .. arguments]) : _manager.Run(["systemctl", "--user", .. arguments]);

    /// <summary>Paths of all files that bear its name, or are in a folder that does, in order.</summary>
    public IEnumerable<string> Files() => Folders()
        .Where(folder => Directory.Exists(_lab.PathOf(folder)))
        .SelectMany(folder => Directory.GetFiles(_lab.PathOf(folder), "*", SearchOption.AllDirectories))
        .Select(path => path[_lab.PathOf("").Length..])
        // What a user may not be called is replaced in the name of its file.
        .Where(path => path.Contains(_name.Split(':')[0], StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.TestOutputHelper?.WriteLine($"--- journal ---\n{_manager?.History ?? _journal.Text([Socket, Proxy, Backend])}");
        Systemctl("disable", "--now", Socket);
        Systemctl("stop", Proxy, Backend);
        Systemctl("reset-failed", Socket, Proxy, Backend);
        foreach (string path in Files().ToArray())
            File.Delete(_lab.PathOf(path));
        Systemctl("daemon-reload");
    }

    private string[] Folders() => _manager is null ? s_folders : [$"{_manager.Home}/.config/systemd/user"];
}
