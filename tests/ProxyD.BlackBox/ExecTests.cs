using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>--exec=COMMAND: the backend is a child process, started when somebody comes.</summary>
public sealed class ExecTests : IDisposable
{
    /// <summary>SIGFPE: Perl ignores it by itself.</summary>
    private const int PerlIgnores = 1 << 7;

    private readonly Socket _listener = Addresses.Listen();

    public ExecTests() => Requires.Proxyd();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void The_backend_is_started_by_the_first_client_and_only_once()
    {
        // Goal: not before there is a client, one process for twenty of them, and all are served.
        using ChildBackend child = new();
        using Subject subject = Start(child);
        Wait.While(() => child.Backends.Length == 0, "no backend without a client", 300);

        Peer[] clients = Peer.ConnectMany(_listener.LocalEndPoint!, 20);

        string[] answers = [.. clients.Select(Ask)];
        int pid = Assert.Single(child.Backends);
        Assert.All(answers, answer => Assert.Equal($"{pid}:hello\n", answer));
    }

    [Fact]
    public void A_backend_that_has_exited_is_started_again_by_the_next_client()
    {
        // Goal: the daemon that exits when idle, three times over.
        using ChildBackend child = new("once");
        using Subject subject = Start(child);
        for (int i = 0; i < 3; i++)
        {
            string answer = Ask(Peer.Connect(_listener.LocalEndPoint!));

            Assert.Equal(i + 1, child.Backends.Length);
            Assert.Equal($"{child.Backends[i]}:hello\n", answer);
            Wait.Until(() => !child.IsAlive(child.Backends[i]), "the backend has exited");
        }
    }

    [Fact]
    public void The_backend_and_what_it_started_end_with_the_proxy()
    {
        // Goal: SIGTERM to the proxy reaches the backend's whole process group, and the proxy waits for it.
        using ChildBackend child = new("family");
        using Subject subject = Start(child);
        Ask(Peer.Connect(_listener.LocalEndPoint!));
        int backend = Assert.Single(child.Backends), grandchild = Assert.Single(child.Children);
        Assert.True(child.IsAlive(backend) && child.IsAlive(grandchild));

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
        Assert.False(child.IsAlive(backend), "the backend");
        Wait.Until(() => !child.IsAlive(grandchild), "the end of what the backend started");
    }

    [Fact]
    public void A_backend_that_ignores_SIGTERM_is_killed()
    {
        // Goal: the end of the proxy doesn't hang on a stubborn child.
        using ChildBackend child = new("stubborn");
        using Subject subject = Start(child);
        Ask(Peer.Connect(_listener.LocalEndPoint!));

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit(15_000));
        Assert.False(child.IsAlive(Assert.Single(child.Backends)));
    }

    [Fact]
    public void A_second_signal_kills_the_backend_at_once()
    {
        // Goal: neither the drain nor a child's patience holds up somebody who presses Ctrl-C twice, and no child is left behind.
        using ChildBackend child = new("stubborn");
        using Subject subject = Start(child.Address, $"--exec={child.Command}", "--drain-time=60s");
        Ask(Peer.Connect(_listener.LocalEndPoint!));
        int backend = Assert.Single(child.Backends);
        using Peer lasting = Peer.Connect(_listener.LocalEndPoint!);
        Wait.ForTheSubjectToTry();
        subject.Terminate();
        Wait.While(() => !subject.HasExited && child.IsAlive(backend), "the drain", 200);

        subject.Signal(Native.SIGINT);

        subject.WaitForExit();
        Wait.Until(() => !child.IsAlive(backend), "the end of the backend");
    }

    [Fact]
    public void The_backend_inherits_a_clean_process()
    {
        // Goal: own process group, no LISTEN_* variables, no descriptors but 0 to 2, no blocked or ignored signals.
        using ChildBackend child = new();
        IPEndPoint port = Addresses.FreeEndPoint();
        using Subject subject = Subject.Start(new SubjectSetup
        {
            Arguments = [$"--exec={child.Command}", $"--listen={port}", Addresses.Text(child.Address)],
            Environment = new Dictionary<string, string> { ["LISTEN_PID"] = "1", ["LISTEN_FDS"] = "1", ["KEPT"] = "yes" },
        });
        Ask(Peer.ConnectWhenUp(port));
        int pid = Assert.Single(child.Backends);

        string[] environment = File.ReadAllText($"/proc/{pid}/environ").Split('\0');
        Assert.Contains("KEPT=yes", environment);
        Assert.DoesNotContain(environment, variable => variable.StartsWith("LISTEN_", StringComparison.Ordinal));
        Assert.Equal(4, Proc.FdCount(pid)); // Its standard streams and its own listener.
        Assert.Equal(pid.ToString(CultureInfo.InvariantCulture), Proc.StatField(pid, Proc.ProcessGroupField));
        Assert.Equal(0, Proc.Signals(pid, "SigBlk"));
        Assert.Equal(0, Proc.Signals(pid, "SigIgn") & ~PerlIgnores);
    }

    [Fact]
    public void What_the_backend_prints_is_passed_through()
    {
        // Goal: a backend's own messages land where the proxy's do.
        using ChildBackend child = new();
        using Subject subject = Start(child);
        Ask(Peer.Connect(_listener.LocalEndPoint!));

        subject.WaitForLog("backend says hello on stderr");
        subject.Terminate();
        subject.WaitForExit();
        Assert.Contains("backend says hello on stdout", subject.Output);
    }

    [Fact]
    public void A_command_that_fails_is_reported_and_its_client_reset()
    {
        // Goal: the log says how the command ended, beside what the shell itself said on stderr, and the proxy lives on.
        using ChildBackend child = new();
        using Subject subject = Start(child.Address, "--exec=/nonexistent/backend --flag", "--wait-bind=1s");
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);

        Assert.Equal(Ending.Reset, client.ReadEnding());
        subject.WaitForLog("/nonexistent/backend");
        subject.WaitForLog(Addresses.Text(child.Address), "exit status 127");
        Assert.False(subject.HasExited);
    }

    [Fact]
    public void A_backend_that_crashes_at_once_is_not_started_in_a_busy_loop()
    {
        // Goal: back-off between starts, however many clients wait.
        using TemporaryFolder folder = new();
        string notes = folder.File("starts");
        string crash = folder.Write("crash.sh", $"echo start >> {notes}; exit 3\n");
        using Subject subject = Start(Addresses.FreeEndPoint(), $"--exec=sh {crash}", "--wait-bind=3s");

        Peer[] clients = Peer.ConnectMany(_listener.LocalEndPoint!, 10);

        foreach (Peer client in clients)
        {
            using (client)
                Assert.Equal(Ending.Reset, client.ReadEnding());
        }
        Assert.InRange(File.ReadAllLines(notes).Length, 1, 20);
    }

    private static string Ask(Peer client)
    {
        using (client)
        {
            client.Send("hello\n");
            return client.ReadTextToEnd();
        }
    }

    private Subject Start(ChildBackend child) => Start(child.Address, $"--exec={child.Command}");

    private Subject Start(IPEndPoint destination, params string[] options) => Subject.Start(_listener, destination, options);
}
