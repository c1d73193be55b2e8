namespace ProxyD.EndToEnd;

/// <summary>A user's own systemd in the lab, with a bus of its own, as a login would start it.</summary>
internal sealed class UserManager : IDisposable
{
    // Units for all users; there is one user manager in the lab, and this needs no files in its home.
    private const string UnitFolder = "/etc/systemd/user";

    private readonly Lab _lab;
    private readonly string _user;
    private readonly string _service;
    private readonly string _runtimeFolder;
    private readonly List<string> _units = [];

    public UserManager(Lab lab, string user)
    {
        lab.RequireInside("/usr/lib/systemd/user/dbus.socket");
        lab.AddUser(user);
        _lab = lab;
        _user = user;
        string id = lab.Run("id", "-u", user).Expect().Trim();
        _service = $"user@{id}.service";
        _runtimeFolder = $"/run/user/{id}";
        lab.Systemctl("start", _service);
    }

    /// <summary>Where programs of the user have their sockets.</summary>
    public string RuntimeFolder => _runtimeFolder;

    /// <summary>The home folder that AddUser gave it.</summary>
    public string Home => $"/srv/{_user}";

    /// <summary>Installs unit files, and starts the socket among them.</summary>
    public void Start(UnitFiles files)
    {
        foreach ((string name, string text) in files.Texts)
        {
            _lab.Write($"{UnitFolder}/{name}", text);
            _units.Add(name);
        }
        Systemctl("daemon-reload");
        Systemctl("start", _units.Single(name => name.EndsWith(".socket", StringComparison.Ordinal)));
    }

    /// <summary>Runs <c>systemctl --user</c> as the user; it must succeed.</summary>
    public string Systemctl(params IEnumerable<string> arguments) => Run(["systemctl", "--user", .. arguments]).Expect();

    /// <summary>Runs a program as the user would from a terminal.</summary>
    public CommandResult Run(params IEnumerable<string> command) => _lab.RunAs(_user, [
        "env", $"XDG_RUNTIME_DIR={_runtimeFolder}", $"DBUS_SESSION_BUS_ADDRESS=unix:path={_runtimeFolder}/bus", .. command,
    ]);

    /// <summary>One property of one of its units.</summary>
    public string Property(string unit, string name) => Systemctl("show", "--value", "-p", name, unit).Trim();

    /// <summary>Everything the journal has about the manager and its units.</summary>
    public string History => _lab.Run("journalctl", "--no-pager", "-n", "100", "-o", "short-precise", $"--unit={_service}").Output;

    public void Dispose()
    {
        _lab.Run("systemctl", "stop", _service);
        foreach (string name in _units)
            File.Delete(_lab.PathOf($"{UnitFolder}/{name}"));
    }
}
