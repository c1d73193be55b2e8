using System.CommandLine;
using System.CommandLine.Parsing;
using ProxyD.Machine;
using ProxyD.Tools;

namespace ProxyD.Cli;

/// <summary><c>proxyd verify</c>: whether a public socket does what it is for, tried out on the running system.</summary>
internal static class VerifyCommand
{
    private const string Description = """
        Tries a socket unit and what stands behind it: cold, warm, killed and asked
        again, ten clients at once while cold, and whether the socket still listens.
        The backend is stopped three times meanwhile, and left as it was found.

        Without --path or --tcp, GET / must be answered with an HTTP status below
        500. Of several ListenStream= the first is asked.

        Exit status: 0 all steps passed, 1 one failed, 2 they could not be tried.
        """;

    /// <summary>How long a client waits for its answer, unless told otherwise: what nginx and many others give a server.</summary>
    private static readonly TimeSpan s_standardTimeout = TimeSpan.FromMinutes(1);

    private static readonly Argument<string> s_socket = new("NAME.socket") { Description = "The public socket's unit" };

    private static readonly Option<string?> s_path = new("--path")
    {
        Description = "GET this path, and expect 2xx or 3xx",
        HelpName = "/PATH",
        CustomParser = ParsePath,
    };

    private static readonly Option<bool> s_tcp = new("--tcp")
    {
        Description = "No HTTP: expect a first byte, or a connection that is accepted and stays open",
    };

    private static readonly Option<string?> s_backend = new("--backend")
    {
        Description = "The backend's unit, where the units don't tell",
        HelpName = "UNIT",
        CustomParser = BackendValues.ParseUnit,
    };

    private static readonly Option<TimeSpan> s_timeout = CommandLine.Time("--timeout", "How long a client waits for its answer [default: 1min]");

    private static readonly Option<bool> s_user = new("--user") { Description = "The units are the user manager's" };

    private static readonly Option<bool> s_json = new("--json") { Description = "Print JSON" };

    private static readonly Option<bool> s_yes = new("--yes") { Description = "Also when that cuts live connections" };

    internal static Command Create()
    {
        Command command = new("verify", Description) { s_socket, s_path, s_tcp, s_backend, s_timeout, s_user, s_json, s_yes };
        command.Validators.Add(result =>
        {
            if (result.GetResult(s_path) is not null && result.GetValue(s_tcp))
                result.AddError("--path and --tcp are both given; expected one of them");
            if (result.GetResult(s_timeout) is { } timeout && !timeout.Errors.Any() && timeout.GetValueOrDefault<TimeSpan>() == TimeSpan.Zero)
                result.AddError("--timeout=0 leaves no time to answer; expected a longer time");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        VerifyCheck check = parsed.GetValue(s_tcp) ? VerifyCheck.Tcp : parsed.GetResult(s_path) is null ? VerifyCheck.AnyHttp : VerifyCheck.Path;
        TimeSpan patience = CommandLine.TimeOf(parsed, s_timeout, s_standardTimeout) ?? TimeSpan.FromMilliseconds(int.MaxValue);
        Systemctl systemctl = new(parsed.GetValue(s_user));
        VerifyFinder finder = new(unit => systemctl.Show(unit, VerifyFinder.Properties));
        VerifyTarget target = finder.Find(parsed.GetValue(s_socket)!, parsed.GetValue(s_backend), KernelTables.HasLoopback6());
        VerifyLive live = new(systemctl, target);
        bool mayCut = parsed.GetValue(s_yes);
        int clients = mayCut ? 0 : await live.CountAsync(hasAbandoned: false, stop).ConfigureAwait(false);
        if (clients > 0)
        {
            string are = $"there {(clients == 1 ? "is" : "are")} {VerifyLive.Text(clients)}";
            throw new ToolException($"{target.Socket}: {are}, which verify would cut when it stops {target.BackendName}; expected none, or --yes");
        }
        bool asJson = parsed.GetValue(s_json);
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (!asJson)
            await output.WriteAsync(VerifyReport.Heading(target)).ConfigureAwait(false);

        using Interruption ended = new(stop);
        VerifyClient client = new(target.Peer, check, parsed.GetValue(s_path) ?? "/", patience, live);
        VerifyRun run = new(new(systemctl, target), target, client, check, patience, mayCut ? null : live);
        try
        {
            VerifyResult result = await run.RunAsync(ended.Token).ConfigureAwait(false);
            string report = asJson ? VerifyReport.Json(target, result) : VerifyReport.Text(target, result, parsed.GetValue(s_user));
            await output.WriteAsync(report).ConfigureAwait(false);
            return result.IsPassed ? 0 : ToolLine.ExitFound;
        }
        catch (OperationCanceledException)
        {
            throw new ToolException($"{target.Socket}: interrupted; the units are as they were found");
        }
    }

    private static string? ParsePath(ArgumentResult result)
    {
        string path = Values.Text(result);
        if (!path.StartsWith('/') || path.Any(c => c is <= ' ' or >= '\x7f'))
            Values.Refuse(result, "a path from its first slash on, without blanks (%20)");
        return path;
    }
}
