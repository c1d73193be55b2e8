using System.CommandLine;
using ProxyD.Machine;
using ProxyD.Rules;
using ProxyD.Tools;

namespace ProxyD.Cli;

/// <summary><c>proxyd check</c>: finds the traps in units.</summary>
internal static class CheckCommand
{
    private const string Help = """
        Finds the traps in socket-activated trios.

        Each TARGET is a unit's name (read as systemd has it, drop-ins and all),
        a unit file, a folder of unit files, or a polkit rules file; without one,
        every loaded socket whose service runs proxyd or systemd-socket-proxyd.
        What belongs to the same trio is judged with it. Files in a folder
        systemd/user are the user manager's. Nothing is changed.

        Exit status: 0 nothing found, or only notes; 1 an error or a warning was
        found; 2 the command line is wrong, or something can't be read.
        """;

    internal static Command Create()
    {
        Argument<string[]> targets = new("TARGET") { Description = "Units, unit files, folders, polkit rules", Arity = ArgumentArity.ZeroOrMore };
        // The library takes an option that it does not know for an argument.
        targets.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value is ['-', ..]) is { } unknown)
                result.AddError($"{unknown.Value} is no option of check; expected --explain, --json or --user");
        });
        Option<string?> explain = new("--explain") { Description = "Tell the whole story of a rule (PXD001 …), or list 'all'", HelpName = "ID" };
        Option<bool> json = new("--json") { Description = "One JSON object instead of text" };
        Option<bool> user = new("--user") { Description = "The units are the user manager's" };
        Command command = new("check", Help) { targets, explain, json, user };
        command.SetAction(parsed => parsed.GetValue(explain) is { } id
            ? Explain(id)
            : Check(parsed.GetValue(targets) ?? [], parsed.GetValue(user), parsed.GetValue(json)));
        return command;
    }

    private static int Check(string[] targets, bool isUser, bool isJson)
    {
        bool areUsers = isUser || (targets.Length > 0 && targets.All(target => Path.Exists(target) && UnitFolders.IsOfUsers(target)));
        (IReadOnlyList<string> units, IReadOnlyList<Finding> findings) = new UnitChecker(areUsers).Check(targets);
        Console.Out.Write(isJson ? FindingText.Json(units, findings) : FindingText.Plain(units, findings));
        return findings.Any(finding => finding.Severity > Severity.Note) ? ToolLine.ExitFound : 0;
    }

    private static int Explain(string id)
    {
        if (id == "all")
        {
            Console.Out.Write(Table.Format([], [.. RuleTable.All.Select(rule => new[] { rule.Id, FindingText.Word(rule.Severity), rule.Title })]));
            return 0;
        }
        Rule rule = RuleTable.Find(id) ?? throw new ToolException($"there is no rule {id}; expected {RuleTable.All[0].Id} to {RuleTable.All[^1].Id}, or all");
        Console.Out.Write(FindingText.Explain(rule));
        return 0;
    }
}
