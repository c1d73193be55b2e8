using System.Globalization;
using System.Net;

namespace ProxyD.BlackBox.Harness;

/// <summary>
/// A small backend for --exec, in Perl because every Debian has it: notes its process id in a file, listens, and answers each line
/// with its process id and the line.
/// </summary>
internal sealed class ChildBackend : IDisposable
{
    private const string Script = """
        use strict; use IO::Socket::INET; $| = 1;
        my ($port, $notes, %mode) = (shift, shift, map { $_ => 1 } @ARGV);
        sub note { open my $file, '>>', $notes or die; print $file "$_[0]\n"; close $file }
        $SIG{TERM} = 'IGNORE' if $mode{stubborn};
        if ($mode{family} && !fork) { note("child $$"); sleep 600; exit }
        note("backend $$");
        print STDOUT "backend says hello on stdout\n";
        print STDERR "backend says hello on stderr\n";
        select undef, undef, undef, 0.2;
        my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 100, ReuseAddr => 1) or die $@;
        while (my $client = $listener->accept) {
            if (defined(my $line = <$client>)) { print $client "$$:$line" }
            close $client;
            exit if $mode{once};
        }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _notes;

    public ChildBackend(params string[] modes)
    {
        _notes = _folder.File("notes");
        string script = _folder.Write("backend.pl", Script);
        Command = $"perl {script} {Address.Port} {_notes} {string.Join(' ', modes)}";
    }

    public IPEndPoint Address { get; } = Addresses.FreeEndPoint();

    /// <summary>The value of --exec.</summary>
    public string Command { get; }

    /// <summary>The process ids of all backends started so far, in order.</summary>
    public int[] Backends => Noted("backend ");

    /// <summary>The process ids of what those backends have started themselves.</summary>
    public int[] Children => Noted("child ");

    /// <summary>Whether a process lives and is one of ours; a zombie doesn't count.</summary>
    public bool IsAlive(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains(_notes, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        // A proxy that was killed couldn't take its backend with it.
        foreach (int pid in Backends.Concat(Children).Where(IsAlive))
            _ = Native.kill(pid, Native.SIGKILL);
        _folder.Dispose();
    }

    private int[] Noted(string prefix) => !File.Exists(_notes) ? [] :
    [
        .. File.ReadAllLines(_notes)
            .Where(line => line.StartsWith(prefix, StringComparison.Ordinal))
            .Select(line => int.Parse(line.AsSpan(prefix.Length), CultureInfo.InvariantCulture)),
    ];
}
