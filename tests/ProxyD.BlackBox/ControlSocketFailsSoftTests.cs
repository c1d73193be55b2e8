using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Where no control socket can be made, or none should be, clients are served all the same.</summary>
public sealed class ControlSocketFailsSoftTests : IDisposable
{
    private const string CannotAsk = "proxyd status can't ask";

    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = Addresses.Listen();
    private readonly Backend _backend;

    public ControlSocketFailsSoftTests()
    {
        Requires.Proxyd();
        _backend = Backend.Echo(_destination);
    }

    private string ControlPath => _folder.File("control");

    public void Dispose()
    {
        _backend.Dispose();
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_directory_that_is_not_there_is_told_once()
    {
        // Goal: a line of log, and clients are served; nothing is created.
        using Subject subject = Start(_folder.File("missing"));
        AssertServes();
        subject.WaitForLog(CannotAsk, "No such file or directory");
        AssertServes();
        Assert.Single(subject.Log, line => line.Contains(CannotAsk, StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.File("missing")));
    }

    [Fact]
    public void A_path_that_is_too_long_is_told()
    {
        // Goal: unix(7)'s limit is ours too.
        using Subject subject = Start(_folder.File(new string('x', 120)));
        subject.WaitForLog(CannotAsk, "longer than 107 bytes");
        AssertServes();
    }

    [Fact]
    public void A_file_in_the_way_is_left_alone()
    {
        // Goal: nothing that is no socket of a dead proxyd is ever removed, at the start or at the end.
        _folder.Write("control", "mine");
        using Subject subject = Start(Path.GetDirectoryName(ControlPath)!);
        subject.WaitForLog(CannotAsk, "in use");
        AssertServes();
        subject.Terminate();
        Assert.Equal(0, subject.WaitForExit());
        Assert.Equal("mine", File.ReadAllText(ControlPath));
    }

    [Fact]
    public void One_that_another_process_answers_at_stays_its_own()
    {
        // Goal: two in one directory: the first goes on answering, also after the second's end.
        using Subject first = Start(Path.GetDirectoryName(ControlPath)!);
        Assert.Equal(first.Id, ControlSocket.Ask(ControlPath).Number("pid"));
        using (Subject second = Start(Path.GetDirectoryName(ControlPath)!))
        {
            second.WaitForLog(CannotAsk, "in use");
            second.Terminate();
            Assert.Equal(0, second.WaitForExit());
        }
        Assert.Equal(first.Id, ControlSocket.Ask(ControlPath).Number("pid"));
    }

    [Fact]
    public void One_that_a_crash_has_left_is_taken_over()
    {
        // Goal: kill -9, and the next one is asked at the same place.
        using (Subject crashed = Start(Path.GetDirectoryName(ControlPath)!))
        {
            ControlSocket.Ask(ControlPath);
            crashed.Kill();
        }
        Assert.True(File.Exists(ControlPath));
        using Subject next = Start(Path.GetDirectoryName(ControlPath)!);
        Assert.Equal(next.Id, ControlSocket.Ask(ControlPath).Number("pid"));
        Assert.DoesNotContain(next.Log, line => line.Contains(CannotAsk, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_runtime_directory_there_is_none_and_no_word_of_it()
    {
        // Goal: off by default; no thread for it, and nothing in the log.
        using Subject subject = Start(null);
        AssertServes();
        Assert.DoesNotContain("status", ThreadNames(subject.Id));
        Assert.DoesNotContain(subject.Log, line => line.Contains(CannotAsk, StringComparison.Ordinal));
        using Subject with = Start(Path.GetDirectoryName(ControlPath)!);
        ControlSocket.Ask(ControlPath);
        Assert.Contains("status", ThreadNames(with.Id));
    }

    private static string[] ThreadNames(int pid) =>
        [.. Directory.GetDirectories($"/proc/{pid}/task").Select(task => File.ReadAllText($"{task}/comm").Trim())];

    private void AssertServes()
    {
        using Peer client = Peer.Connect(_listener.LocalEndPoint!);
        client.AssertEcho("hello");
    }

    private Subject Start(string? runtimeDirectory) => Subject.Start(new SubjectSetup
    {
        Sockets = [_listener],
        Arguments = [Addresses.Text(_destination)],
        Environment = runtimeDirectory is null ? [] : new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = runtimeDirectory },
    });
}
