using System.Globalization;
using System.Text;

namespace ProxyD.Shell;

/// <summary>
/// Plays a script through on a clock of its own, with a backend that answers every probe or none. Nothing is run: commands are known
/// by name, and what a probe would have printed is a mark. So whatever way a guard counts, its budget is what the clock shows at its end.
/// </summary>
/// <param name="isUp">What every probe finds.</param>
/// <param name="variables">The environment.</param>
internal sealed class GuardRun(bool isUp, IReadOnlyDictionary<string, string> variables)
{
    /// <summary>Stands in for what a probe prints: nobody writes it into a script.</summary>
    internal const char Mark = '\uE000';

    private const int StepsMax = 100_000;
    private const double ClockMaxMs = 24 * 3600 * 1000.0;

    /// <summary>A day and time for <c>date +%s</c>; only differences matter.</summary>
    private const long Epoch = 1_000_000_000;

    private readonly Dictionary<string, ShellNode> _functions = new(StringComparer.Ordinal);
    private int _steps;
    private int _depth;

    internal bool IsUp => isUp;

    /// <summary>What each URL answers; null for whatever the guard is content with.</summary>
    internal int? HttpStatus { get; init; }

    internal Dictionary<string, string> Variables { get; } = new(variables, StringComparer.Ordinal);

    internal StringBuilder Output { get; set; } = new();

    internal double ClockMs { get; private set; }

    /// <summary>When the enclosing <c>timeout</c> strikes.</summary>
    internal double DeadlineMs { get; set; } = double.PositiveInfinity;

    internal ShellFlow Flow { get; set; }

    /// <summary>The exit status of the last command, <c>$?</c>.</summary>
    internal int Status { get; private set; }

    /// <summary>It did not end within a day, or went round and round without sleeping.</summary>
    internal bool IsEndless { get; private set; }

    internal List<GuardProbe> Probes { get; } = [];

    internal List<string> Starts { get; } = [];

    internal IReadOnlyList<string>? Proxy { get; set; }

    internal bool IsExec { get; set; }

    /// <summary>What it does besides; the first such thing.</summary>
    internal string? Other { get; private set; }

    internal long Seconds => Epoch + (long)(ClockMs / 1000);

    internal int DoOther(string what)
    {
        Other ??= ShellUnset.Shown(what);
        return 0;
    }

    /// <summary>The words as a shell passes them on; one that comes from elsewhere is noted.</summary>
    internal List<string> Known(IEnumerable<string> words)
    {
        string[] all = [.. words];
        if (all.Select(ShellUnset.NameIn).FirstOrDefault(name => name is not null) is { } missing)
            DoOther(ShellUnset.Why(missing));
        return ShellUnset.Plain(all);
    }

    /// <summary>Asks; the exit status of a probe.</summary>
    internal int Ask(GuardProbe asked)
    {
        GuardProbe probe = asked.Named();
        if (!Probes.Contains(probe))
            Probes.Add(probe);
        return isUp ? 0 : 1;
    }

    internal void Pass(double ms)
    {
        ClockMs += ms;
        if (ClockMs >= DeadlineMs)
        {
            ClockMs = DeadlineMs;
            Flow = ShellFlow.Exit;
        }
        else if (ClockMs > ClockMaxMs)
        {
            IsEndless = true;
            Flow = ShellFlow.Exit;
        }
    }

    /// <summary>Runs a command; its exit status.</summary>
    internal int Run(ShellNode node)
    {
        if (Flow != ShellFlow.Next || ++_steps > StepsMax)
            return Stop();
        int? opened = ShellExpansion.Open(node.Redirections, this);
        if (opened is > 0 || (opened is 0 && node is ShellSimple { Words: [] or [":"] or ["exec"] }))
            return opened.Value;
        Status = node switch
        {
            ShellSimple simple => RunSimple(simple),
            ShellPipeline pipeline => RunPipeline(pipeline),
            ShellAndOr both => RunBoth(both),
            ShellList list => RunList(list),
            ShellFor loop => ShellLoops.Run(this, loop),
            ShellCountingFor loop => ShellLoops.Run(this, loop),
            ShellWhile loop => ShellLoops.Run(this, loop),
            ShellIf choice => RunIf(choice),
            ShellFunction function => Define(function),
            _ => 0,
        };
        return Status;
    }

    /// <summary>Runs another script inside this one: <c>sh -c</c>, <c>$( )</c>.</summary>
    internal int RunScript(string script)
    {
        if (++_depth > 20 || ShellParser.Parse(script) is not { } node)
        {
            _depth--;
            return DoOther($"what '{Shorten(script)}' does is not understood");
        }
        int status = Run(node);
        _depth--;
        LeaveInner();
        return status;
    }

    /// <summary>What a script prints, without the line ends at its end.</summary>
    internal string Capture(string script)
    {
        StringBuilder outer = Output;
        Output = new();
        RunScript(script);
        string text = Output.ToString().TrimEnd('\n');
        Output = outer;
        return text;
    }

    /// <summary>Runs a command by its expanded words.</summary>
    internal int RunWords(IReadOnlyList<string> words)
    {
        if (words.Count > 0 && ShellUnset.IsGone(words[0]))
            return RunWords([.. words.Skip(1)]);
        if (words.Count == 0)
            return 0;
        if (!_functions.TryGetValue(words[0], out ShellNode? function))
            return GuardCommands.Run(this, words);
        return _depth >= 20 ? Stop() : RunFunction(function, words);
    }

    internal static string Shorten(string text) => text.Length <= 40 ? text : text[..37] + "…";

    /// <summary>Notes a round of a loop.</summary>
    internal void CountRound()
    {
        if (++_steps > StepsMax)
            Stop();
    }

    private int Stop()
    {
        // Round and round without a sleep: a time-out around it ends it, or nothing does.
        if (Flow == ShellFlow.Next && double.IsFinite(DeadlineMs))
        {
            ClockMs = DeadlineMs;
            _steps = 0;
        }
        else if (Flow == ShellFlow.Next)
            IsEndless = true;
        Flow = Flow == ShellFlow.Next ? ShellFlow.Exit : Flow;
        return 1;
    }

    /// <summary>Inside a function $1 and its like are the call's own words.</summary>
    private int RunFunction(ShellNode function, IReadOnlyList<string> words)
    {
        int status = RunWith(words.Skip(1), () => Run(function));
        if (Flow == ShellFlow.Return)
            Flow = ShellFlow.Next;
        return status;
    }

    /// <summary>Runs something that has arguments of its own.</summary>
    internal int RunWith(IEnumerable<string> arguments, Func<int> run)
    {
        List<string> outer = ShellArguments.Of(Variables);
        ShellArguments.Set(Variables, arguments);
        _depth++;
        int status = run();
        _depth--;
        ShellArguments.Set(Variables, outer);
        return status;
    }

    /// <summary>What ends inside <c>( )</c>, <c>$( )</c> or <c>sh -c</c> ends no more than that.</summary>
    private void LeaveInner()
    {
        if (Flow is ShellFlow.Exit or ShellFlow.Return && !IsEndless && Proxy is null && ClockMs < DeadlineMs)
            Flow = ShellFlow.Next;
    }

    private int RunSimple(ShellSimple simple)
    {
        int assignments = 0;
        while (assignments < simple.Words.Count && ShellExpansion.IsAssignment(simple.Words[assignments], out string name, out string value))
        {
            Variables[name] = ShellExpansion.ExpandQuoted(value, this);
            assignments++;
        }
        if (simple.Words.Count > assignments && simple.Words[assignments].StartsWith("((", StringComparison.Ordinal))
            return Calculate(simple.Words[assignments][2..^2]) != 0 ? 0 : 1;
        List<string> words = [.. simple.Words.Skip(assignments).SelectMany(word => ShellExpansion.Expand(word, this))];
        return Flow == ShellFlow.Next ? RunWords(words) : 1;
    }

    private int RunPipeline(ShellPipeline pipeline)
    {
        int status;
        if (pipeline.Stages.Count == 1)
            status = Run(pipeline.Stages[0]);
        else
        {
            List<IReadOnlyList<string>> stages = [];
            foreach (ShellNode stage in pipeline.Stages)
                stages.Add(stage is ShellSimple simple ? [.. simple.Words.SelectMany(word => ShellExpansion.Expand(word, this))] : []);
            status = GuardProbes.AskPipeline(this, stages) ?? pipeline.Stages.Aggregate(0, (_, stage) => Run(stage));
        }
        return pipeline.IsNegated ? (status == 0 ? 1 : 0) : status;
    }

    private int RunBoth(ShellAndOr both)
    {
        int status = Run(both.Left);
        return Flow == ShellFlow.Next && status == 0 != both.IsOr ? Run(both.Right) : status;
    }

    private int RunList(ShellList list)
    {
        int status = 0;
        foreach (ShellNode command in list.Commands)
        {
            if (Flow == ShellFlow.Next)
                status = Run(command);
        }
        if (list.IsSubshell)
            LeaveInner();
        return status;
    }

    private int RunIf(ShellIf choice)
    {
        foreach ((ShellNode condition, ShellNode body) in choice.Branches)
        {
            if (Run(condition) == 0)
                return Run(body);
        }
        return choice.Otherwise is { } otherwise ? Run(otherwise) : 0;
    }

    private int Define(ShellFunction function)
    {
        _functions[function.Name] = function.Body;
        return 0;
    }

    internal long Calculate(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return 0;
        Variables["SECONDS"] = ((long)(ClockMs / 1000)).ToString(CultureInfo.InvariantCulture);
        // A number that a probe printed is in most cases a status.
        string mark = Mark.ToString(), printed = isUp ? "200" : "0";
        string[] marked = [.. Variables.Where(variable => variable.Value == mark).Select(variable => variable.Key)];
        foreach (string name in marked)
            Variables[name] = printed;
        string expression = ShellUnset.Plain(ShellExpansion.ExpandQuoted(text, this)).Replace(mark, printed, StringComparison.Ordinal);
        long? result = ShellArithmetic.Evaluate(expression, Variables);
        foreach (string name in marked.Where(name => Variables[name] == printed))
            Variables[name] = mark;
        if (result is { } value)
            return value;
        DoOther($"what '{Shorten(text)}' comes to is not understood");
        return 0;
    }
}
