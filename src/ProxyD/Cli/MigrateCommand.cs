using System.CommandLine;
using System.CommandLine.Parsing;
using ProxyD.Interop;
using ProxyD.Machine;
using ProxyD.Migrations;
using ProxyD.Tools;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Cli;

/// <summary><c>proxyd migrate</c>: rewrites a trio, or a plain service, around proxyd.</summary>
internal static class MigrateCommand
{
    /// <summary>What README.md and the units of deploy/ name.</summary>
    private const string Help = """
        Rewrites a socket-proxyd trio, or a service that listens itself, around proxyd.

        TARGET is a unit (its socket or service), a unit file, or a folder of unit files. Shows the change as a unified diff; only --apply
        writes, keeps each file it replaces as NAME.bak-YYYYMMDD, and brings the running units over. --rollback takes that back.
        What is not understood is said in one line, and left alone.

        Exit status: 0 understood, shown or done; 1 something was not understood and left alone; 2 the command line is wrong, or something
        can't be read or written.
        """;

    internal static Command Create()
    {
        Argument<string> target = new("TARGET") { Description = "A unit, a unit file or a folder" };
        Option<bool> resident = new("--resident") { Description = "The recommended shape: proxyd stays, unprivileged, and owns the backend" };
        Option<bool> apply = new("--apply") { Description = "Do it, with backups" };
        Option<bool> rollback = new("--rollback") { Description = "Take the last --apply back" };
        Option<PublicAddress?> open = new("--public")
        {
            CustomParser = Values.ParsePublic,
            Description = "A plain service: where clients are to come [default: where it listens now]",
            HelpName = "ADDR",
        };
        Option<Address?> backend = new("--backend")
        {
            CustomParser = ParseBackend,
            Description = "A plain service: where it is to listen [default: another port of loopback]",
            HelpName = "ADDR",
        };
        Option<string?> variable = new("--port-variable")
        {
            Description = "A plain service: the environment variable that tells it its port",
            HelpName = "NAME",
        };
        Option<string?> idle = new("--idle-stop") { Description = "After how long without connections the backend sleeps", HelpName = "TIME" };
        Option<string?> wait = new("--wait-bind") { Description = "How long a client waits for the backend [default: as the guard did]", HelpName = "TIME" };
        Option<bool> user = new("--user") { Description = "The units are the user manager's" };
        Option<bool> json = new("--json") { Description = "One JSON object instead of text" };
        Option<string> proxyd = new("--proxyd") { Description = "Where proxyd is", HelpName = "PATH", DefaultValueFactory = _ => DaemonFile.Installed };
        Command command = new("migrate", Help) { target, resident, apply, rollback, open, backend, variable, idle, wait, user, json, proxyd };
        command.SetAction(parsed =>
        {
            MigrationWishes wishes = new(parsed.GetValue(proxyd)!)
            {
                IsResident = parsed.GetValue(resident),
                IsUser = parsed.GetValue(user),
                Public = parsed.GetValue(open),
                Backend = parsed.GetValue(backend),
                PortVariable = parsed.GetValue(variable),
                IdleStop = parsed.GetValue(idle),
                WaitBind = parsed.GetValue(wait),
            };
            if (Problem(wishes, parsed.GetValue(apply), parsed.GetValue(rollback)) is { } problem)
                throw new ToolException(problem);
            MigrateTool tool = new(wishes, Console.Out);
            if (parsed.GetValue(rollback))
            {
                tool.Rollback(parsed.GetValue(target)!, parsed.GetValue(json));
                return 0;
            }
            using Interruption? ended = parsed.GetValue(apply) ? new() : null;
            bool isUnderstood = tool.Propose(parsed.GetValue(target)!, ended is not null, parsed.GetValue(json), ended?.Token ?? default);
            return isUnderstood ? 0 : ToolLine.ExitFound;
        });
        return command;
    }

    private static Address? ParseBackend(ArgumentResult result)
    {
        bool isAddress = Address.TryParse(Values.Text(result), null, out Address? address, out string? problem);
        if (!isAddress || address!.Port == 0)
            result.AddError($"--backend: '{Values.Text(result)}' is not accepted: {problem ?? "it has no port"}; expected HOST:PORT");
        return address;
    }

    private static string? Problem(MigrationWishes wishes, bool applies, bool rollsBack)
    {
        if (applies && rollsBack)
            return "--apply and --rollback are both given; expected one of them";
        if (wishes.Proxyd is not ['/', ..])
            return $"--proxyd: '{wishes.Proxyd}' is no absolute path; expected one, such as {DaemonFile.UsualPath}";
        foreach ((string option, string? time) in ((string, string?)[])[("--idle-stop", wishes.IdleStop), ("--wait-bind", wishes.WaitBind)])
        {
            if (time is not null && (!TimeSpanParser.TryParse(time, out TimeSpan? span) || span == TimeSpan.Zero))
                return $"{option}: '{time}' is not accepted; expected {TimeSpanParser.Accepted}";
        }
        if (wishes.PortVariable is { } name && (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')))
            return $"--port-variable: '{name}' is not accepted; expected the name of an environment variable, such as PORT";
        return null;
    }
}
