using System.CommandLine;
using System.Runtime.InteropServices;
using ProxyD.Machine;
using ProxyD.Tools;

namespace ProxyD.Cli;

/// <summary><c>proxyd status</c>: what the running ones do now.</summary>
internal static class StatusCommand
{
    private const string Description = """
        Shows what runs now: how the backend is, who is connected and who waits, bytes,
        and the last wakes.

        NAME is a service that runs proxyd, or the socket that starts it; a path is that
        of a control socket. Without a name, or with --all: every loaded service whose
        ExecStart= is proxyd, a line for each destination. Only root and the user that a
        proxyd runs as may ask it, and its unit needs RuntimeDirectory=.

        Exit status: 0 all is well (one that sleeps until the next client comes is well),
        1 a backend can't be had or a proxy has failed, 2 one could not be asked.
        """;

    private static readonly TimeSpan s_refresh = TimeSpan.FromSeconds(1);

    private static readonly Argument<string?> s_name = new("NAME")
    {
        Description = "NAME, NAME.service, NAME.socket or /run/NAME/control",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> s_all = new("--all") { Description = "Every one that systemd knows" };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON, a line for each unit" };

    private static readonly Option<bool> s_watch = new("--watch") { Description = "Show it anew every second, until Ctrl-C" };

    private static readonly Option<bool> s_user = new("--user") { Description = "The units are the user manager's" };

    internal static Command Create()
    {
        Command command = new("status", Description) { s_name, s_all, s_json, s_watch, s_user };
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_all) && result.GetValue(s_name) is not null)
                result.AddError("NAME and --all are both given; expected one of them");
        });
        command.SetAction(Show);
        return command;
    }

    private static int Show(ParseResult parsed)
    {
        (string? name, bool isUser) = (parsed.GetValue(s_name), parsed.GetValue(s_user));
        StatusUnits units = new(new(isUser), isUser ? UserRuntimeFolder() : "/run");
        StatusFinding[] Look() => [.. (name is null ? units.All() : [units.Find(name)]).Select(StatusFinding.Of)];
        Func<IReadOnlyList<StatusFinding>, string> format = parsed.GetValue(s_json) ? Json : name is null ? StatusText.Overview : Details;
        if (parsed.GetValue(s_watch))
            return Watch(Look, format);
        StatusFinding[] findings = Look();
        if (findings is [{ Problem: not null } mute] && name is not null && format == Details)
            throw new ToolException($"{mute.Unit.Name} {StatusText.WithoutAnswer(mute)}");
        Screen.TryWrite(format(findings));
        return ExitCode(findings);
    }

    /// <summary>Until a signal, or until nobody reads any more.</summary>
    private static int Watch(Func<StatusFinding[]> look, Func<IReadOnlyList<StatusFinding>, string> format)
    {
        using ManualResetEventSlim isOver = new();
        using PosixSignalRegistration interrupt = OverOn(PosixSignal.SIGINT, isOver);
        using PosixSignalRegistration terminate = OverOn(PosixSignal.SIGTERM, isOver);
        if (Screen.IsTerminal)
            Screen.TryWrite("\e[2J");
        while (true)
        {
            StatusFinding[] findings = look();
            string text = format(findings);
            if (!Screen.TryWrite(Screen.IsTerminal ? Screen.InPlace(text, Screen.Width, Screen.Height) : text) || isOver.Wait(s_refresh))
                return ExitCode(findings);
        }
    }

    private static string Details(IReadOnlyList<StatusFinding> findings) => string.Concat(findings.Select(f => StatusText.Details(f, Screen.Width)));

    private static string Json(IReadOnlyList<StatusFinding> findings) => string.Concat(findings.Select(f => f.ToJson()));

    private static int ExitCode(StatusFinding[] findings) =>
        findings.Any(f => f.Problem is not null) ? ToolLine.ExitUnable : findings.Any(f => f.IsInTrouble) ? ToolLine.ExitFound : 0;

    /// <summary>As systemd --user names it (systemd.exec(5), RuntimeDirectory=).</summary>
    private static string UserRuntimeFolder() => Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder
        ? folder
        : throw new ToolException("XDG_RUNTIME_DIR is not set; expected a user's session (with sudo: -i, or --preserve-env)");

    private static PosixSignalRegistration OverOn(PosixSignal signal, ManualResetEventSlim isOver) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        isOver.Set();
    });
}
