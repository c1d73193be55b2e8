using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Configuration;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Sinks.SystemConsole.Themes;

namespace ProxyD.Observability;

/// <summary>Serilog, configured in code: one line an event on stderr.</summary>
/// <remarks>
/// A thread of its own writes, and when its queue is full lines are dropped: a reader of stderr that has stopped reading must
/// not stop us from waking backends or from ending.
/// </remarks>
internal static class LogSetup
{
    private const int QueuedLinesMax = 1000;

    /// <summary>What is still queued at the end may take so long; then it is lost.</summary>
    private static readonly TimeSpan s_lastLines = TimeSpan.FromSeconds(1);

    internal static readonly string[] LevelNames = ["error", "warning", "info", "debug"];

    /// <param name="level">The least level that is written: a name from <see cref="LevelNames"/>.</param>
    /// <param name="toJournal">stderr is the journal's: prefix each line with its priority, and leave time and colour to the reader.</param>
    internal static ILoggerFactory Create(string level, bool toJournal)
    {
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Is(Level(level))
            // The host's own start and stop messages tell a user nothing.
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning);
        configuration.WriteTo.Async(sinks => AddConsole(sinks, toJournal), bufferSize: QueuedLinesMax);
        return new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }

    /// <summary>Writes what is queued, if anybody takes it, and ends the logging.</summary>
    internal static void Close(ILoggerFactory logs) => Task.Run(logs.Dispose).Wait(s_lastLines);

    private static void AddConsole(LoggerSinkConfiguration sinks, bool toJournal)
    {
        // The levels are all errors to the console sink: everything goes to stderr.
        if (toJournal)
            sinks.Console(new PriorityFormatter(), standardErrorFromLevel: LogEventLevel.Verbose);
        else
        {
            sinks.Console(
                outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u4} {Message:lj}{NewLine}",
                formatProvider: CultureInfo.InvariantCulture,
                standardErrorFromLevel: LogEventLevel.Verbose,
                theme: AnsiConsoleTheme.Code);
        }
    }

    private static LogEventLevel Level(string name) => name switch
    {
        "error" => LogEventLevel.Error,
        "warning" => LogEventLevel.Warning,
        "debug" => LogEventLevel.Debug,
        _ => LogEventLevel.Information,
    };

    /// <summary><c>&lt;N&gt;message</c>: the journal reads N as the syslog priority (sd-daemon(3)).</summary>
    private sealed class PriorityFormatter : ITextFormatter
    {
        private readonly MessageTemplateTextFormatter _message = new("{Message:lj}{NewLine}", CultureInfo.InvariantCulture);

        public void Format(LogEvent logEvent, TextWriter output)
        {
            output.Write($"<{Stderr.Priority(logEvent.Level)}>");
            _message.Format(logEvent, output);
        }
    }
}
