using System.CommandLine;
using System.CommandLine.Help;
using ProxyD.Machine;
using ProxyD.Observability;

namespace ProxyD.Cli;

/// <summary>The tools' command lines: a plain word in first place, and what that tool takes.</summary>
internal static class ToolLine
{
    /// <summary>Found or failed: what the tool was asked to judge is not well.</summary>
    internal const int ExitFound = 1;

    /// <summary>The command line is wrong, or what it asks for could not be done.</summary>
    internal const int ExitUnable = 2;

    private const int HelpColumnsMax = 80;

    private static readonly Dictionary<string, Func<Command>> s_tools = new(StringComparer.Ordinal)
    {
        ["init"] = InitCommand.Create,
        ["check"] = CheckCommand.Create,
        ["migrate"] = MigrateCommand.Create,
        ["verify"] = VerifyCommand.Create,
        ["status"] = StatusCommand.Create,
    };

    /// <summary>The command line of a tool.</summary>
    /// <param name="word">One of <see cref="ToolProgram.Words"/>.</param>
    internal static Command Create(string word) => s_tools[word]();

    /// <summary>Runs the tool that the first argument names; with any other first argument none.</summary>
    /// <returns>What to exit with.</returns>
    internal static int Run(string[] arguments)
    {
        if (arguments.Length == 0 || !s_tools.TryGetValue(arguments[0], out Func<Command>? create))
        {
            Stderr.Fail($"'{OneLine(arguments.FirstOrDefault() ?? "")}' is no tool; expected one of {string.Join(", ", ToolProgram.Words)}");
            return ExitUnable;
        }
        if ((CommandLine.EmptyValue(arguments) ?? EmptyWord(arguments)) is { } empty)
        {
            Stderr.Fail(OneLine(empty));
            return ExitUnable;
        }
        RootCommand root = new() { create() };
        root.Directives.Clear();
        // The library's own width is the terminal's, and endless without one.
        foreach (HelpAction help in root.Options.Select(option => option.Action).OfType<HelpAction>())
            help.MaxWidth = HelpColumnsMax;
        ParseResult parsed = root.Parse(arguments, new() { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
        {
            Stderr.Fail(OneLine(parsed.Errors[0].Message));
            return ExitUnable;
        }
        try
        {
            // A tool that has something to put back listens to signals itself; the library would give it two seconds.
            return parsed.Invoke(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ToolException e)
        {
            Stderr.Fail(OneLine(e.Message));
            return ExitUnable;
        }
    }

    /// <summary>A variable of a script that was never set.</summary>
    private static string? EmptyWord(string[] arguments) =>
        arguments.Contains("") ? $"'' stands behind {arguments[Array.IndexOf(arguments, "") - 1]}; expected a word, or none" : null;

    /// <summary>A value may hold anything; its report is one line.</summary>
    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
