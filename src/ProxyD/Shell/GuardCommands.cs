using System.Globalization;

namespace ProxyD.Shell;

/// <summary>The commands that guards are made of, by name, in a <see cref="GuardRun"/>.</summary>
internal static class GuardCommands
{
    /// <summary>What <see cref="Run"/> and <see cref="GuardProbes"/> understand, filters included.</summary>
    private static readonly HashSet<string> s_known =
    [
        ":", "true", "false", "logger", "trap", "export", "local", "readonly", "declare", "unset", "set", "shopt", "wait", "echo", "printf",
        "exit", "return", "break", "continue", "sleep", "usleep", "seq", "date", "let", "expr", "[", "[[", "test", "sh", "bash", "dash", "ash",
        "timeout", "exec", "command", "env", "nice", "ionice", "systemctl", "systemd-socket-proxyd", "proxyd", .. GuardProbes.Names,
    ];

    internal static bool Knows(string name) => s_known.Contains(NameOf(name));

    /// <summary>systemd's own TCP and Unix proxy, which this program stands in for, and this program.</summary>
    internal static bool IsProxy(string path) => NameOf(path) is "systemd-socket-proxyd" or "proxyd";

    internal static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <returns>The exit status.</returns>
    internal static int Run(GuardRun run, IReadOnlyList<string> words)
    {
        string name = NameOf(words[0]);
        List<string> arguments = [.. words.Skip(1)];
        switch (name)
        {
            case ":" or "true" or "logger" or "trap" or "export" or "local" or "readonly" or "declare" or "unset" or "set" or "shopt" or "wait":
                Assign(run, arguments);
                return 0;
            case "false":
                return 1;
            case "echo" or "printf":
                run.Output.Append(string.Join(' ', arguments)).Append('\n');
                return 0;
            case "exit" or "return":
                run.Flow = name == "exit" ? ShellFlow.Exit : ShellFlow.Return;
                return ShellUnset.Plain(arguments) is [var code, ..] && int.TryParse(code, CultureInfo.InvariantCulture, out int status) ? status : run.Status;
            case "break" or "continue":
                run.Flow = name == "break" ? ShellFlow.Break : ShellFlow.Continue;
                return 0;
            case "sleep" or "usleep":
                return Sleep(run, run.Known(arguments), name == "usleep");
            case "seq":
                return Sequence(run, run.Known(arguments));
            case "date" when arguments is ["+%s"]:
                run.Output.Append(CultureInfo.InvariantCulture, $"{run.Seconds}\n");
                return 0;
            case "let" or "expr":
                return Calculate(run, name, string.Join(name == "let" ? ";" : " ", arguments));
            case "[" or "[[" or "test":
                return ShellTest.Evaluate(run, name == "test" ? arguments : arguments[..^1]) ? 0 : 1;
            case "sh" or "bash" or "dash" or "ash":
                return Shell(run, words[0], arguments);
            case "timeout":
                return Timeout(run, arguments);
            case "exec" or "command" or "env" or "nice" or "ionice":
                return Instead(run, name, arguments);
            case "systemctl":
                return Systemctl(run, run.Known(arguments));
            default:
                return RunProgram(run, words);
        }
    }

    private static int RunProgram(GuardRun run, IReadOnlyList<string> words)
    {
        if (IsProxy(words[0]))
        {
            run.Proxy = run.Known(words);
            run.Flow = ShellFlow.Exit;
            return 0;
        }
        return GuardProbes.Ask(run, words) ?? run.DoOther($"it runs {NameOf(words[0])}");
    }

    private static void Assign(GuardRun run, List<string> words)
    {
        foreach (string word in words)
        {
            if (ShellExpansion.IsAssignment(word, out string name, out string value))
                run.Variables[name] = value;
        }
    }

    private static int Sleep(GuardRun run, List<string> arguments, bool isMicroseconds)
    {
        double seconds = 0;
        foreach (string argument in arguments)
        {
            double? part = Duration(argument);
            if (part is null)
                return run.DoOther($"how long 'sleep {argument}' takes is not understood");
            seconds += part.Value;
        }
        run.Pass(seconds * (isMicroseconds ? 0.001 : 1000));
        return 0;
    }

    /// <summary>Seconds, as sleep(1) and timeout(1) take them: a number, with s, m, h or d.</summary>
    internal static double? Duration(string text)
    {
        double factor = text.Length == 0 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => 0,
        };
        if (text is "infinity" or "inf")
            return double.MaxValue / 1e6;
        string number = factor > 0 ? text[..^1] : text;
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) ? value * Math.Max(factor, 1) : null;
    }

    private static int Sequence(GuardRun run, List<string> arguments)
    {
        double[] numbers = [.. arguments.Where(a => !a.StartsWith("-w", StringComparison.Ordinal)).Select(a => Duration(a) ?? double.NaN)];
        (double first, double step, double last) = numbers switch
        {
            [var n] => (1, 1, n),
            [var a, var b] => (a, 1, b),
            [var a, var s, var b] => (a, s, b),
            _ => (1, 0, 0),
        };
        if (!(step > 0) || !((last - first) / step < 1_000_000))
            return run.DoOther($"'seq {string.Join(' ', arguments)}' is not understood");
        for (double value = first; value <= last; value += step)
            run.Output.Append(CultureInfo.InvariantCulture, $"{value}\n");
        return 0;
    }

    private static int Calculate(GuardRun run, string name, string text)
    {
        long value = 0;
        foreach (string part in text.Split(';'))
            value = run.Calculate(part);
        if (name == "expr")
            run.Output.Append(CultureInfo.InvariantCulture, $"{value}\n");
        return value != 0 ? 0 : 1;
    }

    private static int Shell(GuardRun run, string path, List<string> arguments)
    {
        int at = arguments.FindIndex(a => a.StartsWith('-') && !a.StartsWith("--", StringComparison.Ordinal) && a.Contains('c', StringComparison.Ordinal));
        if (at < 0 || at + 1 >= arguments.Count)
            return run.DoOther($"it runs {NameOf(path)} {string.Join(' ', arguments)}");
        if (at + 2 < arguments.Count)
            run.Variables["0"] = arguments[at + 2];
        return run.RunWith(arguments.Skip(at + 3), () => run.RunScript(arguments[at + 1]));
    }

    private static int Timeout(GuardRun run, List<string> arguments)
    {
        int at = 0;
        while (at < arguments.Count && arguments[at].StartsWith('-'))
            at += arguments[at] is "-k" or "-s" or "--signal" or "--kill-after" ? 2 : 1;
        if (at + 1 >= arguments.Count || Duration(run.Known([arguments[at]]).FirstOrDefault("")) is not { } seconds)
            return run.DoOther($"'timeout {string.Join(' ', arguments)}' is not understood");
        double outer = run.DeadlineMs;
        double deadline = run.ClockMs + (seconds * 1000);
        run.DeadlineMs = Math.Min(outer, deadline);
        int status = run.RunWords(arguments[(at + 1)..]);
        bool isOver = run.ClockMs >= deadline && deadline < outer;
        run.DeadlineMs = outer;
        if (isOver)
            run.Flow = ShellFlow.Next;
        return isOver ? 124 : status;
    }

    private static int Instead(GuardRun run, string name, List<string> arguments)
    {
        int at = 0;
        while (at < arguments.Count && (arguments[at].StartsWith('-') || (name == "env" && ShellExpansion.IsAssignment(arguments[at], out _, out _))))
        {
            if (arguments[at].StartsWith('-') && name is not ("nice" or "ionice"))
                return run.DoOther($"it runs {name} {arguments[at]}");
            if (name == "env")
                Assign(run, [arguments[at]]);
            at++;
        }
        if (at == arguments.Count)
            return 0;
        int status = run.RunWords(arguments[at..]);
        if (name == "exec")
        {
            run.IsExec = run.Proxy is not null;
            run.Flow = ShellFlow.Exit;
        }
        return status;
    }

    private static int Systemctl(GuardRun run, List<string> arguments)
    {
        string[] words = [.. arguments.Where(a => !a.StartsWith('-'))];
        switch (words)
        {
            case ["start", .. var units] when units.Length > 0:
                run.Starts.AddRange(units.Select(unit => unit.Contains('.', StringComparison.Ordinal) ? unit : $"{unit}.service"));
                return 0;
            case ["is-active", var unit]:
                return run.Ask(new(ProbeKind.Unit, unit));
            default:
                return run.DoOther($"it runs systemctl {string.Join(' ', words)}");
        }
    }
}
