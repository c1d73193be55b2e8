using ProxyD.Shell;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>How a unit comes to a network that is not the machine's.</summary>
internal enum NetworkKind
{
    /// <summary><c>PrivateNetwork=</c>: one that is made for it, or that of a unit it joins.</summary>
    Private,

    /// <summary><c>NetworkNamespacePath=</c>: one that is there already.</summary>
    Named,

    /// <summary>A program of its command line makes or enters it; which one it is, is that program's business.</summary>
    Launched,
}

/// <summary>The network namespace that a service runs in, or that a socket listens in, where that is not the machine's own.</summary>
/// <param name="Setting">What says so.</param>
internal sealed record UnitNetwork(NetworkKind Kind, Setting Setting)
{
    /// <summary>A unit's own network; null for the machine's.</summary>
    /// <param name="script">Reads a script by its path; without it what a script calls is not seen.</param>
    /// <remarks>A .socket has both settings in [Socket], and systemd binds its addresses there; systemd.exec(5).</remarks>
    internal static UnitNetwork? Of(Unit unit, Func<string, string?>? script = null)
    {
        Func<string, string?> read = script ?? (_ => null);
        // What the command enters comes after what systemd sets up.
        if (unit.Commands("ExecStart").FirstOrDefault(entry => Enters(entry.Command, read)).Setting is { } command)
            return new(NetworkKind.Launched, command);
        string section = unit.Type == UnitType.Socket ? "Socket" : "Service";
        if (unit.Last(section, "NetworkNamespacePath") is { } path)
            return new(NetworkKind.Named, path);
        return unit.IsTrue(section, "PrivateNetwork") ? new(NetworkKind.Private, unit.Last(section, "PrivateNetwork")!) : null;
    }

    /// <summary>Whether two units are surely in one network; false as soon as that can't be told.</summary>
    internal static bool AreSame(UnitNetwork? one, UnitNetwork? other) => (one, other) switch
    {
        (null, null) => true,
        ({ Kind: NetworkKind.Named }, { Kind: NetworkKind.Named }) => one.Setting.Value == other.Setting.Value,
        _ => false,
    };

    private static bool Enters(ExecCommand command, Func<string, string?> script) =>
        ShellText.Of(command, script, out _) is { } text
            ? ShellText.Commands(text).Any(shell => Enters(shell.Words))
            : Enters([.. command.Words]);

    /// <summary>ip-netns(8), nsenter(1), unshare(1); also behind another program, as env(1) or sudo(8).</summary>
    private static bool Enters(IReadOnlyList<string> words)
    {
        for (int i = 0; i < words.Count; i++)
        {
            string program = words[i][(words[i].LastIndexOf('/') + 1)..];
            if (program is not ("ip" or "nsenter" or "unshare"))
                continue;
            string[] rest = [.. words.Skip(i + 1).TakeWhile(word => word != "--")];
            bool enters = program == "ip"
                ? Array.IndexOf(rest, "netns") is >= 0 and int netns && rest.ElementAtOrDefault(netns + 1) == "exec"
                : Array.Exists(rest, IsNetworkOption) || (program == "nsenter" && Array.Exists(rest, word => word is "--all" or "-a"));
            if (enters)
                return true;
        }
        return false;
    }

    /// <summary><c>--net</c>, <c>--net=FILE</c>, <c>-n</c>, <c>-nFILE</c>, or <c>-n</c> among others (<c>-mn</c>).</summary>
    private static bool IsNetworkOption(string word) =>
        word == "--net" || word.StartsWith("--net=", StringComparison.Ordinal)
        || (word is ['-', not '-', ..] && word.Skip(1).TakeWhile(char.IsAsciiLetter).Contains('n'));
}
