using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>The program that stands between a socket and its backend.</summary>
internal enum ProxyKind
{
    /// <summary>systemd's own: it accepts at once and does not wait for the backend.</summary>
    SocketProxyd,

    /// <summary>Ours: a client stays in the queue until the backend answers.</summary>
    Proxyd,
}

/// <summary>How a unit comes to run its proxy.</summary>
internal enum ProxyWrapper
{
    /// <summary>It is the unit's own command.</summary>
    None,

    /// <summary>Another program runs it in its own place, as env(1) does.</summary>
    Command,

    /// <summary>A shell runs a text behind <c>-c</c>.</summary>
    ShellText,

    /// <summary>A script calls it.</summary>
    Script,
}

/// <summary>A service's command that is a proxy, with or without something around it.</summary>
/// <param name="Setting">The <c>ExecStart=</c> it stands in.</param>
/// <param name="Command">That command, wrapper and all.</param>
/// <param name="IsMain">False when a shell or another program stays its parent, so that systemd's sockets (LISTEN_PID) are not for it.</param>
/// <param name="Text">What the shell runs; empty without one.</param>
internal sealed record ProxyCommand(
    ProxyKind Kind, ProxyOptions Options, Setting Setting, ExecCommand Command, ProxyWrapper Wrapper, bool IsMain, string Text)
{
    /// <summary>Programs that run the command among their arguments in their own place.</summary>
    private static readonly string[] s_prefixes =
        ["env", "nice", "ionice", "setpriv", "stdbuf", "chrt", "taskset", "numactl", "ip", "nsenter", "unshare", "strace", "systemd-socket-activate"];

    /// <summary>Programs that run it as their child (tried with systemd 252, but for sudo: sudo(8)): systemd's sockets are for them.</summary>
    private static readonly string[] s_parents = ["runuser", "timeout", "flock", "sudo", "setsid"];

    /// <summary>Whether a service runs a proxy, and how.</summary>
    /// <param name="script">Reads a script by its path; null for what is no text or not there.</param>
    internal static ProxyCommand? Of(Unit service, Func<string, string?> script) =>
        service.Commands("ExecStart").Select(entry => Of(entry.Command, entry.Setting, script, VariablesOf(service, entry.Command)))
            .FirstOrDefault(found => found is not null);

    private static ProxyCommand? Of(ExecCommand command, Setting setting, Func<string, string?> script, IReadOnlyDictionary<string, string> variables)
    {
        if (KindOf(command.Executable) is { } kind)
            return new(kind, new([.. command.Arguments.SelectMany(word => Filled(word, variables))]), setting, command, ProxyWrapper.None, IsMain: true, "");
        string? text = ShellText.Of(command, script, out string? path);
        if (text is not null)
            return InShell(command, setting, text, path);
        bool isParent = s_parents.Contains(command.FileName) && !command.Arguments.Any(word => word is "-F" or "--no-fork");
        int index = isParent || s_prefixes.Contains(command.FileName) || s_parents.Contains(command.FileName) ? IndexOf(command.Arguments) : -1;
        return index < 0
            ? null
            : new(KindOf(command.Arguments[index])!.Value, new([.. command.Arguments.Skip(index + 1)]), setting, command, ProxyWrapper.Command,
                IsMain: !isParent, "");
    }

    /// <summary>What <c>Environment=</c> puts into a command line: nothing behind the prefix <c>:</c>, and nothing that can be told where there is
    /// a file or PassEnvironment= too, whose variables count for more.</summary>
    private static Dictionary<string, string> VariablesOf(Unit service, ExecCommand command) =>
        service.Last("Service", "EnvironmentFile") is null && service.Last("Service", "PassEnvironment") is null && !command.Prefixes.Contains(':')
            ? UnitEnvironment.Of(service, _ => null)
            : [];

    /// <summary>A word with the variables that are known: <c>${NAME}</c> within it, <c>$NAME</c> alone as the words of its value;
    /// systemd.service(5).</summary>
    private static List<string> Filled(string word, IReadOnlyDictionary<string, string> variables) =>
        word is ['$', not '{', ..] && variables.TryGetValue(word[1..], out string? value) ? Words.Split(value) : [UnitEnvironment.Filled(word, variables)];

    private static ProxyCommand? InShell(ExecCommand command, Setting setting, string text, string? path)
    {
        foreach (ShellCommand shell in ShellText.Commands(text))
        {
            int index = IndexOf(shell.Words);
            // A proxy's name among the arguments of grep or pkill runs nothing.
            bool isParent = index > 0 && s_parents.Contains(FileName(shell.Words[0]));
            if (index < 0 || (index > 0 && !isParent && !s_prefixes.Contains(FileName(shell.Words[0]))))
                continue;
            // bash runs the last command of -c in its own place, dash does not (bash 5.2, dash 0.5.12); neither does for a script's.
            bool isMain = !isParent && (shell.IsExec || (path is null && command.FileName == "bash" && shell.IsLast));
            return new(
                KindOf(shell.Words[index])!.Value, new([.. shell.Words.Skip(index + 1)]), setting, command,
                path is null ? ProxyWrapper.ShellText : ProxyWrapper.Script, isMain, text);
        }
        return null;
    }

    private static int IndexOf(IReadOnlyList<string> words)
    {
        for (int i = 0; i < words.Count; i++)
        {
            if (KindOf(words[i]) is not null)
                return i;
        }
        return -1;
    }

    private static ProxyKind? KindOf(string word) => FileName(word) switch
    {
        "systemd-socket-proxyd" => ProxyKind.SocketProxyd,
        "proxyd" => ProxyKind.Proxyd,
        _ => null,
    };

    private static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];
}
