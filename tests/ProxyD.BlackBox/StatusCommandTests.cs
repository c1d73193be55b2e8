using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd status PATH</c>: the same program asks the one that runs.</summary>
public sealed class StatusCommandTests : IDisposable
{
    private const UnixFileMode ForAll =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = Addresses.Listen();

    public StatusCommandTests() => Requires.Proxyd();

    private string ControlPath => _folder.File("control");

    private string Folder => Path.GetDirectoryName(ControlPath)!;

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_wake_is_shown_as_a_bar()
    {
        // Goal: state, figures and the timeline of a real wake, whether the socket is named or its directory; exit status 0.
        using Subject subject = Start();
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);
        Wait.ForTheSubjectToTry();
        using Backend backend = Backend.Echo(_destination);
        client.AssertEcho("hello");
        foreach (string path in (string[])[ControlPath, Folder])
        {
            (int exitCode, string[] output, _) = Status(path);
            Assert.Equal(0, exitCode);
            Assert.StartsWith($"{path}: proxyd 0.1.0, pid {subject.Id}, running for ", output[0], StringComparison.Ordinal);
            Assert.Single(output, l => l.EndsWith("connections  1 live, 0 waiting, 1 served", StringComparison.Ordinal));
            Assert.Single(output, l => l.Contains("5 B up, 5 B down", StringComparison.Ordinal));
            // Nobody has ordered a start: it is all waiting for the answer.
            Assert.Matches(@"^ +\d+ (m?s) ago +1 +\d+  a+r?b?$", output[^2]);
        }
    }

    [Fact]
    public void A_backend_that_nobody_could_reach_is_told_by_the_exit_status()
    {
        // Goal: 1 for scripts, and the cause for people.
        using Subject subject = Start("--wait-bind=0");
        using (Peer client = Peer.Connect(_listener.LocalEndPoint!))
            Assert.Equal(Ending.Reset, client.ReadEnding());
        Wait.Until(() => ControlSocket.Ask(ControlPath).Destination().Text("state") == "unreachable", "the wait is over");
        (int exitCode, string[] output, _) = Status(ControlPath);
        Assert.Equal(1, exitCode);
        Assert.Single(output, l => l.EndsWith("failed: Connection refused", StringComparison.Ordinal));
    }

    [Fact]
    public void Only_root_and_its_own_user_may_ask()
    {
        // Goal: the file's mode keeps others out, and whoever passes it is asked who he is.
        Requires.Root();
        File.SetUnixFileMode(Folder, ForAll);
        using (Subject subject = Start())
        {
            ControlSocket.Ask(ControlPath);
            AssertRefused("is for root and the user that it runs as");
            File.SetUnixFileMode(ControlPath, ForAll);
            AssertRefused("only root and the user that proxyd runs as may ask");
            Assert.Equal(0, Status(ControlPath).ExitCode);
        }
        File.Delete(ControlPath);
        using Subject nobodys = Start(unprivileged: true);
        ControlSocket.Ask(ControlPath);
        Assert.Equal(0, Status(ControlPath, unprivileged: true).ExitCode);
        Assert.Equal(0, Status(ControlPath).ExitCode);
    }

    [Theory]
    [InlineData("missing", "there is no ")]
    [InlineData("stale", "nobody listens at ")]
    [InlineData("plain", "nobody listens at ")]
    public void What_cannot_be_asked_is_one_line(string what, string expected)
    {
        // Goal: exit status 2, nothing on stdout.
        if (what == "stale")
        {
            using Socket gone = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            gone.Bind(_folder.Socket("bound"));
            // .NET removes the file of a socket that it closes, under the name that it knows.
            File.Move(_folder.File("bound"), _folder.File(what));
        }
        else if (what == "plain")
            _folder.Write(what, "");
        (int exitCode, string[] output, string[] errors) = Status(_folder.File(what));
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.StartsWith($"proxyd: {_folder.File(what)} can't be asked: {expected}", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_holds_the_answer_as_it_came()
    {
        // Goal: for programs, one line, with what only the tool knows beside it.
        using Subject subject = Start();
        ControlSocket.Ask(ControlPath);
        (int exitCode, string[] output, _) = Status(ControlPath, "--json");
        Assert.Equal(0, exitCode);
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(Assert.Single(output));
        Assert.Equal(ControlPath, json.RootElement.Text("unit"));
        Assert.Equal(subject.Id, json.RootElement.GetProperty("status").Number("pid"));
    }

    [Fact]
    public void Watching_goes_on_until_it_is_interrupted()
    {
        // Goal: it is shown again and again, the end of what is watched included; Ctrl-C is an orderly end.
        using Subject watched = Start();
        ControlSocket.Ask(ControlPath);
        using Subject watch = Watch([]);
        Wait.Until(() => watch.Output.Count(line => line.Contains("proxyd 0.1.0", StringComparison.Ordinal)) >= 2, "it is shown twice");
        watched.Kill();
        Wait.Until(() => watch.Output.Any(line => line.Contains("nobody listens", StringComparison.Ordinal)), "its end is shown");
        watch.Signal(Native.SIGINT);
        Assert.Equal(2, watch.WaitForExit());
    }

    [Fact]
    public void Watching_ends_when_nobody_reads_any_more()
    {
        // Goal: `proxyd status --watch | head` leaves no process behind.
        string fifo = _folder.File("fifo");
        using Subject watched = Start();
        ControlSocket.Ask(ControlPath);
        using Subject watch = Watch([$"mkfifo {fifo}", $"exec >{fifo}"]);
        Wait.Until(() => File.Exists(fifo), "the pipe");
        using (StreamReader reader = new(fifo))
            Assert.Contains("proxyd 0.1.0", reader.ReadLine(), StringComparison.Ordinal);
        Assert.Equal(0, watch.WaitForExit());
    }

    private void AssertRefused(string expected)
    {
        (int exitCode, _, string[] errors) = Status(ControlPath, unprivileged: true);
        Assert.Equal(2, exitCode);
        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
    }

    private Subject Watch(string[] prelude) =>
        Subject.Start(new SubjectSetup { Arguments = ["status", "--watch", ControlPath], Prelude = prelude });

    private static (int ExitCode, string[] Output, string[] Errors) Status(string path, string option = "--watch=false", bool unprivileged = false)
    {
        using Subject status = Subject.Start(new SubjectSetup { Arguments = ["status", path, option], Unprivileged = unprivileged });
        int exitCode = status.WaitForExit();
        return (exitCode, status.Output, status.Log);
    }

    private Subject Start(string option = "--log-level=info", bool unprivileged = false) => Subject.Start(new SubjectSetup
    {
        Sockets = [_listener],
        Arguments = [option, Addresses.Text(_destination)],
        Unprivileged = unprivileged,
        Environment = new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = Folder },
    });
}
