namespace ProxyD.BlackBox.Harness;

/// <summary>A <c>systemctl</c> of files, for what the tools do with a manager: which unit runs is a file in a folder, and so is which is enabled.</summary>
/// <remarks>It says of a unit what a user manager would, keeps no dependencies, and fails or hangs at the very call that a test names.</remarks>
internal sealed class FakeSystemd : IDisposable
{
    private const string Program = """
        #!/bin/sh
        cd "$(dirname "$0")/.." || exit 1
        while [ "$1" = --user ] || [ "$1" = --no-pager ]; do shift; done
        call="$*"
        echo "$call" >> log
        if [ -e hang ] && [ "$(cat hang)" = "$call" ]; then
            trap 'rm -f hanging' EXIT
            touch hanging
            while [ -e hang ]; do sleep 0.01; done
        fi
        if [ -e fail ] && grep -qxF -- "$call" fail; then echo "Failed: as the test wants it." >&2; exit 1; fi
        verb=$1
        shift
        case $verb in
        show)
            while [ "$1" != -- ]; do shift; done
            shift
            for unit; do
                case $unit in *'*'*) continue ;; esac
                echo "Id=$unit"
                if [ -e "config/systemd/user/$unit" ]; then
                    echo "LoadState=loaded"
                    echo "FragmentPath=$PWD/config/systemd/user/$unit"
                elif [ -e "shown/$unit" ]; then
                    echo "LoadState=loaded"
                else
                    echo "LoadState=not-found"
                fi
                if [ -e "active/$unit" ]; then echo "ActiveState=active"; else echo "ActiveState=inactive"; fi
                if [ -e "enabled/$unit" ]; then echo "UnitFileState=enabled"; fi
                if [ -e "shown/$unit" ]; then cat "shown/$unit"; fi
                echo
            done ;;
        list-units)
            for unit; do :; done
            cd active || exit 1
            for found in $unit; do if [ -e "$found" ]; then echo "$found loaded active running $found"; fi; done ;;
        start|restart) for unit; do touch "active/$unit"; done ;;
        stop) for unit; do rm -f active/$unit; done ;;
        enable)
            if [ "$1" = --now ]; then shift; for unit; do touch "active/$unit"; done; fi
            for unit; do touch "enabled/$unit"; done ;;
        disable) for unit; do rm -f "enabled/$unit"; done ;;
        esac
        """;

    private readonly TemporaryFolder _folder = new();

    public FakeSystemd()
    {
        foreach (string folder in (string[])["bin", "active", "enabled", "shown", "config/systemd/user"])
            Directory.CreateDirectory(_folder.File(folder));
        string program = _folder.Write("bin/systemctl", Program);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The folder of the units' files.</summary>
    public string Units => _folder.File("config/systemd/user");

    /// <summary>What was asked of it, in order.</summary>
    public string[] Calls => File.ReadAllLines(_folder.File("log"));

    /// <summary>Units that run now, and those that start at boot.</summary>
    public (string Active, string Enabled) State => (Names("active"), Names("enabled"));

    public void Dispose() => _folder.Dispose();

    /// <summary>A unit file.</summary>
    public void Write(string unit, string text) => _folder.Write($"config/systemd/user/{unit}", text);

    /// <summary>A loaded unit without a file: its properties, a line each.</summary>
    public void Show(string unit, params string[] properties) => _folder.Write($"shown/{unit}", string.Concat(properties.Select(line => line + "\n")));

    /// <summary>It runs, whoever has started it.</summary>
    public void Run(string unit) => _folder.Write($"active/{unit}", "");

    /// <summary>It starts at boot.</summary>
    public void Enable(string unit) => _folder.Write($"enabled/{unit}", "");

    /// <summary>These calls fail from now on.</summary>
    public void Fail(params string[] calls) => _folder.Write("fail", string.Concat(calls.Select(call => call + "\n")));

    /// <summary>This call doesn't return until <see cref="Release"/>.</summary>
    public void HangAt(string call) => _folder.Write("hang", call);

    public void WaitUntilItHangs() => Wait.Until(() => File.Exists(_folder.File("hanging")), "systemctl is called");

    /// <summary>Has the call that hangs be carried out.</summary>
    public void Release()
    {
        File.Delete(_folder.File("hang"));
        Wait.Until(() => !File.Exists(_folder.File("hanging")), "systemctl has ended");
    }

    /// <summary>Starts a tool that knows no other systemctl.</summary>
    public Subject Start(params string[] arguments) => Subject.Start(new SubjectSetup
    {
        Arguments = arguments,
        Environment = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _folder.File("config") },
        Prelude = [$"export PATH={_folder.File("bin")}:$PATH"],
    });

    private string Names(string folder) => string.Join(' ', Directory.GetFiles(_folder.File(folder)).Select(Path.GetFileName).Order(StringComparer.Ordinal));
}
