using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using ProxyD.Interop;

namespace ProxyD.Cli;

/// <summary>The command line: everything systemd-socket-proxyd accepts, and more.</summary>
internal sealed class CommandLine
{
    /// <summary>A command line that can't be carried out, or a start that failed.</summary>
    internal const int ExitFailure = 1;

    private const string Examples = """
        Examples:
          proxyd 127.0.0.1:18080 --wait-bind 5s
              in a service that a .socket unit triggers
          proxyd --exit-idle-time=10min web=127.0.0.1:18080 api=/run/api.sock
              two sockets of one unit, told apart by FileDescriptorName=
          proxyd --backend-unit=web-backend --backend-idle-stop=10min 127.0.0.1:18080
              starts the unit for the first client and stops it when nobody needs it
          proxyd --listen=8080 --exec='node server.js' 127.0.0.1:18080
              without systemd, starting the backend for the first client
        """;

    /// <summary>Of the hold and of the drain.</summary>
    private static readonly TimeSpan s_standardTime = TimeSpan.FromSeconds(5);

    private readonly Argument<List<Destination>> _destinations = new("DESTINATION")
    {
        Description = "HOST:PORT, HOST (port 80), [IPV6]:PORT, /path or @abstract; NAME=… for the sockets of that name",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = Values.ParseDestinations,
    };

    private readonly Option<int> _connectionsMax = new("--connections-max", "-c")
    {
        Description = "Connections at once; one more is reset",
        HelpName = "N",
        CustomParser = Values.CountUpTo(RunOptions.ConnectionsLimit),
        DefaultValueFactory = _ => 256,
    };

    private readonly Option<TimeSpan> _exitIdleTime = Time("--exit-idle-time", "Exit after TIME without clients [default: infinity]");

    private readonly Option<TimeSpan> _waitBind = Time(
        "--wait-bind", "How long a client waits for the backend; 0 tries once [default: 5s]");

    private readonly Option<TimeSpan> _drainTime = Time(
        "--drain-time", "How long connections may go on after SIGTERM [default: 5s]");

    private readonly Option<List<Address>> _listen = new("--listen")
    {
        Description = "Bind ADDR here, without systemd; repeatable",
        HelpName = "ADDR",
        CustomParser = Values.ParseListen,
        DefaultValueFactory = _ => [],
    };

    private readonly BackendOptions _backend = new();

    private readonly Option<bool> _retryUnanswered = new("--retry-unanswered")
    {
        Description = "Take a connection that the backend reset before its first byte to the next backend, once; it may act twice",
    };

    private readonly Option<int> _threads = new("--threads")
    {
        Description = "Threads that move bytes",
        HelpName = "N",
        CustomParser = Values.CountUpTo(RunOptions.ThreadsLimit),
        DefaultValueFactory = _ => RunOptions.DefaultThreads(Environment.ProcessorCount),
    };

    private readonly Option<string?> _logLevel = new("--log-level")
    {
        Description = "error, warning, info or debug",
        HelpName = "LEVEL",
        CustomParser = Values.ParseLogLevel,
        DefaultValueFactory = _ => "info",
    };

    private readonly RootCommand _root = new("Wakes a service when somebody connects, holds the client until it answers, then relays.");

    private CommandLine()
    {
        _root.Directives.Clear();
        _root.Add(_destinations);
        Option[] options = [_connectionsMax, _exitIdleTime, _waitBind, _drainTime, _listen, .. _backend.All, _retryUnanswered, _threads, _logLevel];
        foreach (Option option in options)
        {
            // Given twice, the last one counts, as with getopt(3); only --listen gathers all.
            option.Arity = option is Option<bool> ? ArgumentArity.Zero : ArgumentArity.OneOrMore;
            _root.Add(option);
        }
        // The library's own answers to "/h" and "/?", which are paths here.
        _root.Options.Remove(_root.Options.OfType<HelpOption>().Single());
        HelpOption help = new("--help", "-h");
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        _root.Add(help);
    }

    /// <summary>Reads the command line.</summary>
    /// <param name="exitCode">What to exit with when there is nothing to run: help or version were shown, or <paramref name="problem"/> is set.</param>
    /// <param name="problem">One line that says what is wrong and what would be right.</param>
    internal static RunOptions? Parse(string[] arguments, out int exitCode, out string? problem)
    {
        exitCode = ExitFailure;
        problem = EmptyValue(arguments);
        RunOptions? options = problem is null ? ParseComplete(arguments, out exitCode, out problem) : null;
        // A value may hold anything; its report is one line.
        problem = problem is null ? null : string.Concat(problem.Select(c => char.IsControl(c) ? '?' : c));
        return options;
    }

    private static RunOptions? ParseComplete(string[] arguments, out int exitCode, out string? problem)
    {
        problem = null;
        CommandLine line = new();
        // "@name" is a destination, not a file with more arguments.
        ParseResult parsed = line._root.Parse(AsArguments(arguments), new() { ResponseFileTokenReplacer = null });
        exitCode = 0;
        if (parsed.Action is not null && parsed.Errors.Count == 0)
        {
            exitCode = parsed.Invoke();
            return null;
        }
        RunOptions? options = line.Read(parsed, out problem);
        exitCode = options is null ? ExitFailure : 0;
        return options;
    }

    private static string? MissingValue(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<OptionResult>()
            .FirstOrDefault(o => o is { Implicit: false, Tokens.Count: 0, Option: not (VersionOption or Option<bool>) }) is { } given
            ? $"{given.Option.Name}: no value given; expected {given.Option.Name}={given.Option.HelpName}"
            : null;

    /// <summary>The library takes a first word in brackets for a directive, even where there are none; with its port it is a destination.</summary>
    private static string[] AsArguments(string[] arguments) =>
        arguments is [['[', .., ']'] first, .. string[] rest] ? [$"{first}:{Values.DefaultPort}", .. rest] : arguments;

    /// <summary>The library would take what follows "--opt=" for its value.</summary>
    internal static string? EmptyValue(string[] arguments) =>
        Array.Find(arguments, a => a.StartsWith("--", StringComparison.Ordinal) && a.IndexOf('=', StringComparison.Ordinal) == a.Length - 1) is { } option
            ? $"{option[..^1]}: '' is not accepted; expected a value after '='"
            : null;

    private RunOptions? Read(ParseResult parsed, out string? problem)
    {
        problem = parsed.GetResult(_destinations) is not { Tokens.Count: > 0 } && parsed.Errors.Count <= 1
            ? $"no destination given; expected {Address.Accepted}"
            : MissingValue(parsed) ?? (parsed.Errors.Count > 0 ? parsed.Errors[0].Message : null);
        if (problem is not null)
            return null;
        List<Destination> destinations = parsed.GetValue(_destinations)!;
        RunOptions options = new()
        {
            Destinations = destinations,
            Listen = parsed.GetValue(_listen)!,
            ConnectionsMax = parsed.GetValue(_connectionsMax),
            ExitIdleTime = TimeOf(parsed, _exitIdleTime, null),
            WaitBind = TimeOf(parsed, _waitBind, s_standardTime),
            DrainTime = TimeOf(parsed, _drainTime, s_standardTime),
            RetryUnanswered = parsed.GetValue(_retryUnanswered),
            Threads = parsed.GetValue(_threads),
            LogLevel = parsed.GetValue(_logLevel)!,
        };
        return _backend.Complete(options, parsed, out problem);
    }

    /// <summary>An option that takes a time span.</summary>
    internal static Option<TimeSpan> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = Values.ParseTime,
    };

    /// <summary>What an option was given, null for infinity; <paramref name="standard"/> when it was not given.</summary>
    internal static TimeSpan? TimeOf(ParseResult parsed, Option<TimeSpan> option, TimeSpan? standard)
    {
        if (parsed.GetResult(option) is null)
            return standard;
        TimeSpan time = parsed.GetValue(option);
        return time == Timeout.InfiniteTimeSpan ? null : time;
    }

    private sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
    {
        /// <summary>Who asks for help is not told that the destination is missing.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            standard.MaxWidth = 80;
            int exitCode = standard.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output.WriteLine(Examples);
            return exitCode;
        }
    }
}
