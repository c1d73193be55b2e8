using System.Text.RegularExpressions;

namespace ProxyD.Tests.Tidy;

/// <summary>What no code of ours calls, and why.</summary>
internal static partial class BannedRules
{
    /// <param name="Pattern">Looked for in each line of code, comments and literals left out.</param>
    /// <param name="Reason">What is wrong with it.</param>
    /// <param name="Where">The layers it is banned in; empty for all.</param>
    /// <param name="Except">Layers where it is right.</param>
    internal sealed record Ban(Regex Pattern, string Reason, string[] Where, string[] Except);

    /// <summary>One place where a ban does not hold.</summary>
    internal sealed record Allowance(string Path, string Code, string Reason);

    private static readonly string[] s_dataPath = ["Relay"];

    private static readonly Ban[] s_bans =
    [
        OnDataPath(@"\basync\b", "the data plane has no tasks"),
        OnDataPath(@"\bawait\b", "the data plane has no tasks"),
        OnDataPath(@"\bTask\.(Run|Delay|Factory)|\bThreadPool\b|\bParallel\.", "connections belong to one thread each"),
        OnDataPath(@"\block\s*\(|\bMonitor\.|\bMutex\b|\bSemaphore\w*\b|\bSpin\w+\b|\bReaderWriterLock\w*\b", "the data plane has no locks"),
        OnDataPath(@"\bThread\.Sleep\b|\.Wait\(|\.GetAwaiter\(|\bManualResetEvent\w*\b", "a thread that sleeps serves nobody"),
        OnDataPath(@"\bthrow\b|\.OrThrow\(", "nothing in the loop throws"),
        OnDataPath(@"\bFile\.|\bDirectory\.|\bDns\.|\bProcess\b", "it could block"),
        new(
            new(@"\bFile\.|\bDirectory\.|\bProcess\b"), "unit files are text here; Machine reads and writes",
            ["Units", "Shell", "Trios", "Migrations", "Rules"], []),
        new(new(@"\bProcess\.Start\b|\bnew Process\b"), "it knows no process groups; see ProcessSpawner", [], ["Machine"]),
        Everywhere(@"\bEnvironment\.TickCount", "its clock moves in steps of up to 4 ms; see EventLoop.ClockMs"),
        Everywhere(@"\bDateTime(Offset)?\.(Utc)?Now\b", "the wall clock jumps"),
        Everywhere(@"\bThread\.Sleep\b", "wait for an event or a timer"),
        Everywhere(@"\.GetAwaiter\(\)\.GetResult\(\)", "it blocks a thread on a task"),
        Everywhere(@"\bActivator\.CreateInstance\b|\bType\.GetType\(|\bdynamic\b|\.GetMethod\(", "reflection does not survive Native AOT"),
        Everywhere(@"\bGC\.Collect\b", "the collector knows better"),
        Everywhere(@"^\s*#(pragma warning disable|region)\b", "a warning is answered, a file is short"),
        new(new(@"(?<![\w.])Console\."), "logs and problems go through Observability, answers through Cli and Tools", [], ["Observability", "Cli", "Tools"]),
    ];

    /// <summary>Each with its reason; one that allows nothing any more is reported too.</summary>
    internal static readonly Allowance[] Allowances =
    [
        new("src/ProxyD/Relay/EventLoop.cs", ".OrThrow(\"epoll_create1\")", "the constructor runs at start-up"),
        new("src/ProxyD/Relay/EventLoop.cs", ".OrThrow(\"eventfd\")", "the constructor runs at start-up"),
        new("src/ProxyD/Relay/EventLoop.cs", ".OrThrow(\"epoll_ctl\")", "the constructor runs at start-up"),
        new("src/ProxyD/Relay/Listener.cs", ".OrThrow(\"watching a listener\")", "a daemon that can't hear clients must not look alive"),
    ];

    internal static IEnumerable<string> BannedCode(SourceFile file)
    {
        for (int i = 0; i < file.CodeLines.Length; i++)
        {
            foreach (Ban ban in s_bans)
            {
                bool holds = (ban.Where.Length == 0 || ban.Where.Contains(file.Layer)) && !ban.Except.Contains(file.Layer);
                if (holds && ban.Pattern.IsMatch(file.CodeLines[i]) && !IsAllowed(file.Path, file.Lines[i]))
                    yield return $"{file.Path}({i + 1}): {file.Lines[i].Trim()}: {ban.Reason}";
            }
        }
    }

    /// <summary>Allowances that no line needs.</summary>
    internal static IEnumerable<string> StaleAllowances(IEnumerable<SourceFile> files) =>
        Allowances.Where(a => !files.Any(f => f.Path == a.Path && f.Text.Contains(a.Code, StringComparison.Ordinal)))
            .Select(a => $"{a.Path} no longer holds '{a.Code}'");

    /// <summary>Words that promise what nobody will do.</summary>
    internal static IEnumerable<string> Postponed(SourceFile file) => LinesThat(file, file.Lines, Promise(), "do it, or open an issue");

    /// <summary>A comment that reads like a statement.</summary>
    internal static IEnumerable<string> CommentedOutCode(SourceFile file) =>
        LinesThat(file, file.Lines, DeadCode(), "git remembers; dead code goes");

    private static IEnumerable<string> LinesThat(SourceFile file, string[] lines, Regex match, string reason)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            if (match.IsMatch(lines[i]))
                yield return $"{file.Path}({i + 1}): {lines[i].Trim()}: {reason}";
        }
    }

    private static bool IsAllowed(string path, string line) =>
        Allowances.Any(a => a.Path == path && line.Contains(a.Code, StringComparison.Ordinal));

    private static Ban OnDataPath(string pattern, string reason) => new(new(pattern), reason, s_dataPath, []);

    private static Ban Everywhere(string pattern, string reason) => new(new(pattern), reason, [], []);

    /// <summary>Each word is broken by a bracket, so that this file keeps its own rule.</summary>
    [GeneratedRegex(@"\b(T[O]DO|F[I]XME|H[A]CK|X[X]X)\b")]
    private static partial Regex Promise();

    /// <summary>A lone brace, a keyword's statement, an assignment, a declaration or a call.</summary>
    [GeneratedRegex(
        @"^\s*//(?!/)\s*([{}]+\s*$|(if|for|foreach|while|switch|return|var|using|else|throw)\b.*[;{(]\s*$"
        + @"|[\w.<>\[\]]+(\s+\w+)?\s*(=|\+=|\().*;\s*$)")]
    private static partial Regex DeadCode();
}
