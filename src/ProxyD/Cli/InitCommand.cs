using System.CommandLine;
using System.CommandLine.Parsing;
using ProxyD.Interop;
using ProxyD.Machine;
using ProxyD.Shell;
using ProxyD.Tools;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Cli;

/// <summary><c>proxyd init</c>: units for a daemon that sleeps when nobody uses it.</summary>
internal static class InitCommand
{
    private const string Description = """
        Writes NAME.socket, which listens on the public address, NAME.service, the proxy that it starts, and NAME-backend.service, which
        the proxy wakes. Without --install or --dest it only shows them, and what differs from what is there.

          proxyd init web --public=8080 --backend=127.0.0.1:18080 --exec='PORT=18080 /usr/bin/node /srv/web/server.js' --idle-stop=10min

        Exit status: 0 shown or written, 2 it could not be done.
        """;

    private static readonly Argument<string> s_name = new("NAME") { Description = "What the units are called" };

    private static readonly Option<PublicAddress?> s_public = new("--public")
    {
        Description = $"Where clients connect: {PublicAddress.Accepted}",
        HelpName = "ADDR",
        CustomParser = Values.ParsePublic,
    };

    private static readonly Option<Address?> s_backend = new("--backend")
    {
        Description = $"Where the backend listens: {Address.Accepted}",
        HelpName = "ADDR",
        CustomParser = ParseBackend,
    };

    private static readonly Option<string?> s_exec = new("--exec")
    {
        Description = "The backend's command, by its path, after NAME=VALUE for its environment; quotes as in a shell, but none runs it",
        HelpName = "COMMAND",
        CustomParser = ParseExec,
    };

    private static readonly Option<string?> s_unit = new("--unit")
    {
        Description = "The backend is this unit, which is there already; it gets a drop-in if it needs one",
        HelpName = "UNIT",
        CustomParser = BackendValues.ParseUnit,
    };

    private static readonly Option<string?> s_idleStop = Span("--idle-stop", "Stop the backend after TIME without connections [default: never]");

    private static readonly Option<string?> s_waitBind = Span("--wait-bind", "How long a client waits for the backend [default: 5s]");

    private static readonly Option<string?> s_runAs = new("--run-as") { Description = "As whom --exec runs [default: root]", HelpName = "USER" };

    private static readonly Option<bool> s_plain = new("--plain")
    {
        Description = "systemd keeps the backend up while the proxy runs, and both sleep after --idle-stop; needs no bus and no polkit",
    };

    private static readonly Option<bool> s_user = new("--user") { Description = "For the user manager, in ~/.config/systemd/user" };

    private static readonly Option<string?> s_dest = new("--dest") { Description = "Write the files into this folder, and nothing else", HelpName = "DIR" };

    private static readonly Option<bool> s_install = new("--install")
    {
        Description = "Write them where they belong, reload the manager, enable and start the socket",
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON" };

    internal static Command Create()
    {
        Command command = new("init", Description)
        {
            s_name, s_public, s_backend, s_exec, s_unit, s_idleStop, s_waitBind, s_runAs, s_plain, s_user, s_dest, s_install, s_json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_install) && result.GetResult(s_dest) is not null)
                result.AddError("--install and --dest are both given; expected one of them");
            foreach (Option address in (Option[])[s_public, s_backend])
            {
                if (result.GetResult(address) is null)
                    result.AddError($"{address.Name} is missing; expected {address.Name}=ADDR ({address.Description})");
            }
        });
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        bool isUser = parsed.GetValue(s_user);
        InitSystem system = new(new Systemctl(isUser), isUser, DaemonFile.Path);
        TrioRequest request = Request(parsed, system);
        if (request.Problem() is { } problem)
            throw new ToolException(problem);
        string? dest = parsed.GetValue(s_dest) is { } folder ? Path.GetFullPath(folder) : null;
        for (string? above = dest; above is not null; above = Path.GetDirectoryName(above))
        {
            if (File.Exists(above))
                throw new ToolException($"--dest: {above} is a file; expected a folder, or nothing");
        }
        InitMode mode = parsed.GetValue(s_install) ? InitMode.Install : dest is not null ? InitMode.WriteOnly : InitMode.Show;
        new InitTool(request, new(dest, isUser), system, parsed.InvocationConfiguration.Output).Run(mode, parsed.GetValue(s_json));
        return 0;
    }

    private static TrioRequest Request(ParseResult parsed, InitSystem system)
    {
        string[] words = parsed.GetValue(s_exec) is { } exec ? [.. ShellWords.Split(exec, out _)] : [];
        // As in a shell: what precedes the command is its environment.
        int first = Array.FindIndex(words, word => !IsAssignment(word));
        int assignments = first < 0 ? words.Length : first;
        return new()
        {
            Name = parsed.GetValue(s_name)!,
            Public = parsed.GetValue(s_public)!,
            BackendAddress = parsed.GetValue(s_backend)!,
            Command = parsed.GetResult(s_exec) is null ? null : words[assignments..],
            Environment = words[..assignments],
            RunAs = parsed.GetValue(s_runAs),
            RunAsGroup = parsed.GetValue(s_runAs) is { } user ? InitSystem.GroupOf(user) : null,
            Existing = parsed.GetValue(s_unit) is { } unit ? system.MainName(unit) : null,
            // Never is what it is without the option, too.
            IdleStop = parsed.GetValue(s_idleStop) is { } time && time.Trim() != "infinity" ? time : null,
            WaitBind = parsed.GetValue(s_waitBind) ?? "5s",
            IsUser = parsed.GetValue(s_user),
            IsPlain = parsed.GetValue(s_plain),
            Proxyd = system.Proxyd,
        };
    }

    private static bool IsAssignment(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && !char.IsAsciiDigit(word[0]) && word[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
    }

    private static Address? ParseBackend(ArgumentResult result)
    {
        if (!Address.TryParse(Values.Text(result), null, out Address? address, out string? problem))
            result.AddError($"--backend: '{Values.Text(result)}' is not accepted: {problem}; expected {Address.Accepted}");
        return address;
    }

    private static string? ParseExec(ArgumentResult result)
    {
        if (ShellWords.Split(Values.Text(result), out string? problem).Count == 0)
            result.AddError($"--exec: '{Values.Text(result)}' is not accepted: {problem ?? "it is empty"}; expected a command, or /bin/sh -c 'COMMANDS'");
        return Values.Text(result);
    }

    /// <summary>An option whose time is written into a unit as it was given.</summary>
    private static Option<string?> Span(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (!TimeSpanParser.TryParse(Values.Text(result), out _))
                Values.Refuse(result, TimeSpanParser.Accepted);
            return Values.Text(result);
        },
    };
}
