using System.Net.Sockets;

namespace ProxyD.BlackBox.Harness;

/// <summary>Everything a proxy under test is started with.</summary>
internal sealed record SubjectSetup
{
    /// <summary>The sockets passed as LISTEN_FDS; none means that the subject has to bind by itself.</summary>
    public IReadOnlyList<Socket> Sockets { get; init; } = [];

    /// <summary>LISTEN_FDNAMES, colon separated; null leaves the variable out.</summary>
    public string? SocketNames { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>$NOTIFY_SOCKET.</summary>
    public string? NotifySocket { get; init; }

    /// <summary>Further environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Shell commands that run in the process that then becomes the subject, such as `ulimit -Sn 1024`.</summary>
    public IReadOnlyList<string> Prelude { get; init; } = [];

    /// <summary>Runs the subject as the user nobody; the test must require root.</summary>
    public bool Unprivileged { get; init; }

    /// <summary>A file that the subject sees as /etc/hosts; the test must require root.</summary>
    public string? HostsFile { get; init; }

    /// <summary>Starts the subject as a child of the process that LISTEN_PID names: the wrapper script that forgot `exec`.</summary>
    public bool WrapperForgetsExec { get; init; }

    /// <summary>The shell program that ends in the subject's exec; `$@` is the subject's command line.</summary>
    public string Script()
    {
        List<string> lines = [.. Prelude];
        if (Sockets.Count > 0)
            lines.Add("export LISTEN_PID=$$");
        // Each of these executes the next, so the process id stays the one in LISTEN_PID.
        string command = "\"$@\"";
        if (Unprivileged)
            command = $"setpriv --reuid=65534 --regid=65534 --clear-groups -- {command}";
        if (HostsFile is not null)
            command = $"unshare --mount sh -c 'mount --bind {HostsFile} /etc/hosts && exec \"$@\"' sh {command}";
        lines.Add(WrapperForgetsExec ? $"{command}; exit $?" : $"exec {command}");
        return string.Join('\n', lines);
    }
}
