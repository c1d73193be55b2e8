using System.Net;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>One line an event on stderr: for people on a terminal, for programs in a file, for journald in the journal.</summary>
public sealed class LogFormatTests
{
    private const char Escape = '\e';

    /// <summary>What systemd does to a service whose stderr is the journal's (systemd.exec(5), $JOURNAL_STREAM).</summary>
    private const string OwnJournal = "export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2)";

    private readonly IPEndPoint _port = Addresses.FreeEndPoint();

    public LogFormatTests() => Requires.Proxyd();

    [Fact]
    public void On_a_terminal_a_line_is_coloured()
    {
        // Goal: who starts it by hand sees at a glance what is a warning.
        using ChildProcess terminal = ChildProcess.Start(new ChildSetup(
            Command: ["script", "--quiet", "--command", $"exec {Subject.Binary} --listen={_port} 127.0.0.1:1", "/dev/null"],
            Environment: new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["TERM"] = "xterm", ["SHELL"] = "/bin/sh" },
            InheritedFds: [],
            IgnoresSigpipe: false));

        Wait.Until(() => Array.Exists(terminal.OutputLines, IsListening), $"the first line, in {string.Join('\n', terminal.OutputLines)}");
        Assert.Contains(Escape, terminal.OutputLines.First(IsListening));
    }

    [Fact]
    public void In_a_file_or_a_pipe_a_line_has_no_colours()
    {
        // Goal: `proxyd 2>log` can be read and searched.
        Assert.DoesNotContain(Escape, FirstLine());
    }

    [Fact]
    public void In_the_journal_a_line_begins_with_its_priority()
    {
        // Goal: `journalctl -p warning` works: <6> is information (sd-daemon(3)); time and colour are left to the reader.
        string line = FirstLine(OwnJournal);

        Assert.StartsWith("<6>Listening on", line, StringComparison.Ordinal);
        Assert.DoesNotContain(Escape, line);
    }

    [Fact]
    public void A_stderr_that_is_no_longer_the_journal_gets_no_priority()
    {
        // Goal: a service that redirects its stderr still inherits the variable.
        Assert.DoesNotContain("<6>", FirstLine("export JOURNAL_STREAM=1:1"), StringComparison.Ordinal);
    }

    private static bool IsListening(string line) => line.Contains("Listening", StringComparison.Ordinal);

    private string FirstLine(params string[] prelude)
    {
        using Subject subject = Subject.Start(new SubjectSetup { Prelude = prelude, Arguments = [$"--listen={_port}", "127.0.0.1:1"] });
        return subject.WaitForLog("Listening");
    }
}
