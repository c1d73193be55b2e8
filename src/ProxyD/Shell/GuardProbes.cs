using System.Globalization;

namespace ProxyD.Shell;

/// <summary>The programs by which guards ask a backend, and what each asks.</summary>
internal static class GuardProbes
{
    /// <summary>They list sockets; whom they ask about, stands in their arguments or in those of the filter behind them.</summary>
    private static readonly string[] s_listings = ["ss", "netstat", "lsof", "fuser", "cat"];

    private static readonly string[] s_filters = ["grep", "egrep", "fgrep", "awk", "sed", "head", "tail", "wc", "tr", "cut", "jq", "xargs", "sort"];

    /// <summary>They ask in a protocol of their own.</summary>
    private static readonly string[] s_clients = ["pg_isready", "redis-cli", "mysqladmin", "mariadb-admin", "mongosh", "nmap", "telnet", "socat"];

    /// <summary>Options of nc(1) in any of its kinds that take a value.</summary>
    private const string NetcatValues = "wipsqXxIOTmMPbe";

    /// <summary>They ask again and again by themselves, and how long when nobody says, in s; 0 without an end
    /// (vishnubob/wait-for-it, eficode/wait-for, jwilder/dockerize, wait4x/wait4x, dwmkerr/wait-port).</summary>
    private static readonly Dictionary<string, double> s_waiters = new()
    {
        ["wait-for-it"] = 15,
        ["wait-for-it.sh"] = 15,
        ["wait-for"] = 15,
        ["wait-for.sh"] = 15,
        ["dockerize"] = 10,
        ["wait4x"] = 10,
        ["wait-port"] = 0,
    };

    internal static IEnumerable<string> Names => [.. s_listings, .. s_filters, .. s_clients, .. s_waiters.Keys, "nc", "ncat", "netcat", "curl", "wget"];

    /// <summary>Asks by one command.</summary>
    /// <returns>Its exit status; null when it is no probe.</returns>
    internal static int? Ask(GuardRun run, IReadOnlyList<string> words)
    {
        string name = GuardCommands.NameOf(words[0]);
        string[] arguments = [.. words.Skip(1)];
        if (name is "nc" or "ncat" or "netcat")
            return Netcat(run, arguments);
        if (name is "curl" or "wget")
            return GuardWeb.Ask(run, words, []);
        if (s_waiters.TryGetValue(name, out double seconds))
            return WaitFor(run, arguments, seconds);
        if (s_clients.Contains(name))
            return run.Ask(new(ProbeKind.Command, ShellText(words)));
        if (name is "grep" or "egrep" && arguments.Any(IsSocketTable))
            return run.Ask(new(ProbeKind.Tcp, HexPortOf(arguments)));
        if (!s_listings.Contains(name) || (name == "cat" && !arguments.Any(IsSocketTable)))
            return null;
        run.Output.Append(GuardRun.Mark);
        return run.Ask(TargetOf(arguments));
    }

    /// <summary>Asks by a command and what filters its answer.</summary>
    /// <returns>The exit status; null when no probe is among the stages.</returns>
    internal static int? AskPipeline(GuardRun run, List<IReadOnlyList<string>> stages)
    {
        if (stages.Any(stage => stage.Count == 0))
            return null;
        string first = GuardCommands.NameOf(stages[0][0]);
        bool isMark = stages[0].Any(word => word.Contains(GuardRun.Mark, StringComparison.Ordinal));
        bool isListing = s_listings.Contains(first);
        bool isWeb = first is "curl" or "wget";
        if (!isMark && !isListing && !isWeb && !s_clients.Contains(first))
            return null;
        foreach (IReadOnlyList<string> stage in stages.Skip(1))
        {
            if (!s_filters.Contains(GuardCommands.NameOf(stage[0])))
                run.DoOther($"it runs {GuardCommands.NameOf(stage[0])}");
        }
        if (isMark)
            return run.IsUp ? 0 : 1;
        string[] rest = [.. stages.SelectMany(stage => stage.Skip(1))];
        if (isWeb)
            return GuardWeb.Ask(run, stages[0], stages);
        run.Output.Append(GuardRun.Mark);
        if (isListing)
            return run.Ask(first == "cat" ? new(ProbeKind.Tcp, HexPortOf(rest)) : TargetOf(rest));
        return run.Ask(new(ProbeKind.Command, string.Join(" | ", stages.Select(ShellText))));
    }

    /// <summary>Notes that the answer of the last probe is compared with something.</summary>
    internal static void NoteWanted(GuardRun run, string wanted)
    {
        if (run.Probes is not [.., { Kind: ProbeKind.Http } last])
            return;
        if (int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 100 and <= 599)
            run.Probes[^1] = last with { Status = status, TakesAnyStatus = false };
        else
            run.DoOther($"it wants '{GuardRun.Shorten(wanted)}' in the answer of {last.Target}");
    }

    /// <summary>Words as sh(1) reads them back.</summary>
    internal static string ShellText(IReadOnlyList<string> words) => string.Join(' ', words.Select(word =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=@%+,".Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    private static bool IsSocketTable(string path) => path.StartsWith("/proc/", StringComparison.Ordinal)
        && path[(path.LastIndexOf('/') + 1)..] is "tcp" or "tcp6" or "unix";

    private static int Netcat(GuardRun run, string[] arguments)
    {
        List<string> operands = [];
        bool isUnix = false;
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (!argument.StartsWith('-') || argument.Length < 2)
                operands.Add(argument);
            else if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                isUnix |= argument.Contains('U', StringComparison.Ordinal);
                // Its value follows, unless it is written at once: -w1.
                i += NetcatValues.Contains(argument[^1], StringComparison.Ordinal) ? 1 : 0;
            }
        }
        if (operands.Count == 0)
        {
            run.DoOther("whom nc asks is not understood");
            return run.Ask(new(ProbeKind.Tcp, ""));
        }
        return run.Ask(isUnix ? new(ProbeKind.Unix, operands[^1]) : new(ProbeKind.Tcp, operands[^1]) { Host = HostOf(operands.Count > 1 ? operands[^2] : "") });
    }

    private static int WaitFor(GuardRun run, string[] arguments, double seconds)
    {
        string port = "", host = "";
        int command = Array.IndexOf(arguments, "--");
        int end = command < 0 ? arguments.Length : command;
        for (int i = 0; i < end; i++)
        {
            string argument = arguments[i];
            (string name, string? value) = argument.Split('=', 2) is [var n, var v] ? (n, v) : (argument, i + 1 < end ? arguments[i + 1] : null);
            string address = argument.StartsWith('-') && name != argument ? value! : argument;
            if (name is "-t" or "--timeout" or "-timeout")
                seconds = GuardCommands.Duration(value ?? "") ?? seconds;
            else if (name is "-p" or "--port")
                port = value ?? "";
            else if (name is "-h" or "--host")
                host = value ?? "";
            else if (port.Length == 0 && !address.StartsWith('-') && address.LastIndexOf(':') is >= 0 and int colon)
                (host, port) = (address[..colon], PortOf(address[(colon + 1)..]));
        }
        int status = run.Ask(new(ProbeKind.Tcp, port) { Host = HostOf(host[(host.LastIndexOf('/') + 1)..]) });
        if (status != 0)
            run.Pass(seconds == 0 ? double.MaxValue / 1e6 : seconds * 1000);
        return status == 0 && command >= 0 ? run.RunWords(arguments[(command + 1)..]) : status;
    }

    /// <summary>A host that is written out; null for one that somebody else gives.</summary>
    internal static string? HostOf(string text) => text.Length == 0 || ShellUnset.NameIn(text) is not null ? null : text;

    private static string PortOf(string text) => ShellUnset.NameIn(text) is null ? string.Concat(text.TakeWhile(char.IsAsciiDigit)) : text;

    /// <summary>A path or a port, which words like <c>:8080</c>, <c>127.0.0.1:8080\b</c> or <c>-iTCP:8080</c> name.</summary>
    private static GuardProbe TargetOf(IReadOnlyList<string> words)
    {
        if (words.FirstOrDefault(word => word.StartsWith('/') && !IsSocketTable(word)) is { } path)
            return new(ProbeKind.Unix, path.TrimEnd('$'));
        if (words.Select(ShellUnset.NameIn).FirstOrDefault(name => name is not null) is { } missing)
            return new(ProbeKind.Tcp, ShellUnset.Mark(missing));
        string[] afterColon = [.. words.SelectMany(word => Numbers(word).Where(n => n.IsAfterColon).Select(n => n.Text))];
        string[] any = [.. words.SelectMany(word => Numbers(word).Select(n => n.Text))];
        return new(ProbeKind.Tcp, afterColon is [.., var port] ? port : any is [.., var number] ? number : "");
    }

    private static IEnumerable<(string Text, bool IsAfterColon)> Numbers(string word)
    {
        int at = 0;
        while (at < word.Length)
        {
            int start = at;
            while (at < word.Length && char.IsAsciiDigit(word[at]))
                at++;
            bool isOctet = (start > 0 && word[start - 1] == '.')
                || (at + 1 < word.Length && word[at] == '.' && char.IsAsciiDigit(word[at + 1]));
            if (at - start is >= 2 and <= 5 && !isOctet)
                yield return (word[start..at], start > 0 && word[start - 1] == ':');
            at += at == start ? 1 : 0;
        }
    }

    /// <summary>The port in a pattern for <c>/proc/net/tcp</c>, four hexadecimal digits behind a colon.</summary>
    private static string HexPortOf(IReadOnlyList<string> words)
    {
        foreach (string word in words)
        {
            int colon = word.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0 && colon + 5 <= word.Length
                && int.TryParse(word.AsSpan(colon + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int port))
                return port.ToString(CultureInfo.InvariantCulture);
        }
        return "";
    }
}
