using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyD.Testing;

namespace ProxyD.BlackBox.Harness;

/// <summary>The proxy under test, a process seen only from outside. $PROXY_UNDER_TEST names it; proxyd is the default.</summary>
internal sealed class Subject : IDisposable
{
    private const string IncumbentName = "systemd-socket-proxyd";

    private static readonly string[] s_incumbentOptions = ["--connections-max", "--exit-idle-time", "-h", "--help", "--version"];

    private static readonly Lazy<string> s_readableByAll = new(CopyForAll);

    private readonly ChildProcess _process;

    private Subject(ChildProcess process) => _process = process;

    public static string Binary { get; } =
        Environment.GetEnvironmentVariable("PROXY_UNDER_TEST") is { Length: > 0 } path ? path : Repository.ProxydBinary;

    /// <summary>Whether the subject is the program that proxyd replaces, which knows only three of its options.</summary>
    public static bool IsIncumbent { get; } = Path.GetFileName(Binary) == IncumbentName;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Lines on stderr so far.</summary>
    public string[] Log => _process.ErrorLines;

    public string[] Output => _process.OutputLines;

    /// <summary>Starts the subject with one passed listener and one destination, the shape of every plain trio.</summary>
    public static Subject Start(Socket listener, EndPoint destination, params string[] options) =>
        Start(new SubjectSetup { Sockets = [listener], Arguments = [.. options, Addresses.Text(destination)] });

    public static Subject Start(SubjectSetup setup)
    {
        if (!File.Exists(Binary))
            throw new FileNotFoundException($"no proxy at {Binary}: publish src/ProxyD or set PROXY_UNDER_TEST");
        Dictionary<string, string> environment = new(setup.Environment)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["LANG"] = "C.UTF-8",
        };
        if (setup.Sockets.Count > 0)
            environment["LISTEN_FDS"] = setup.Sockets.Count.ToString(CultureInfo.InvariantCulture);
        if (setup.SocketNames is not null)
            environment["LISTEN_FDNAMES"] = setup.SocketNames;
        if (setup.NotifySocket is not null)
            environment["NOTIFY_SOCKET"] = setup.NotifySocket;

        string binary = setup.Unprivileged ? s_readableByAll.Value : Binary;
        string[] arguments = [.. IsIncumbent ? OnlyKnown(setup.Arguments) : setup.Arguments];
        return new Subject(ChildProcess.Start(new ChildSetup(
            Command: ["sh", "-c", setup.Script(), "sh", binary, .. arguments],
            Environment: environment,
            InheritedFds: [.. setup.Sockets.Select(socket => (int)socket.Handle)],
            IgnoresSigpipe: setup.Sockets.Count > 0)));
    }

    public void Signal(int signal) => _process.Signal(signal);

    public void Terminate() => Signal(Native.SIGTERM);

    public void Kill()
    {
        Signal(Native.SIGKILL);
        WaitForExit();
    }

    public int WaitForExit(int timeoutMs = Wait.DefaultTimeoutMs) => _process.WaitForExit(timeoutMs);

    /// <summary>Waits for a log line that holds all the given parts, in whatever case.</summary>
    public string WaitForLog(params string[] parts)
    {
        string? line = null;
        Wait.Until(
            () => (line = Log.FirstOrDefault(l => parts.All(part => l.Contains(part, StringComparison.OrdinalIgnoreCase)))) is not null,
            $"a log line with {string.Join(", ", parts)}; the log is:\n{string.Join('\n', Log)}");
        return line!;
    }

    public void Dispose()
    {
        _process.Dispose();
        foreach (string line in Log)
            TestContext.Current.TestOutputHelper?.WriteLine($"[{Id}] {line}");
    }

    /// <summary>Leaves out each option that the incumbent doesn't know: without them it gets to show what it does.</summary>
    private static IEnumerable<string> OnlyKnown(IReadOnlyList<string> arguments) =>
        arguments.Where(a => !a.StartsWith('-') || a.StartsWith("-c", StringComparison.Ordinal)
            || s_incumbentOptions.Any(known => a == known || a.StartsWith(known + "=", StringComparison.Ordinal)));

    /// <summary>A copy that the user nobody can execute, wherever the checkout is.</summary>
    private static string CopyForAll()
    {
        string folder = Directory.CreateTempSubdirectory("proxyd-unprivileged-").FullName;
        string copy = Path.Combine(folder, Path.GetFileName(Binary));
        File.Copy(Binary, copy);
        string tools = Path.Combine(folder, Path.GetFileName(Repository.ToolsBinary));
        File.Copy(Repository.ToolsBinary, tools);
        const UnixFileMode ReadAndExecute = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead
            | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(folder, ReadAndExecute | UnixFileMode.UserWrite);
        File.SetUnixFileMode(copy, ReadAndExecute);
        File.SetUnixFileMode(tools, ReadAndExecute);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return copy;
    }
}
