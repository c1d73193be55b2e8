using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using ProxyD.Observability;

namespace ProxyD.Tests.Tidy;

/// <summary>Every log event is one method in one file, with an id that stays.</summary>
public sealed partial class LogEventTests
{
    private const string LogFile = "src/ProxyD/Observability/Log.cs";

    /// <summary>What people filter their journals by. A row is added with its event and never changed.</summary>
    private static readonly Dictionary<int, string> s_ids = new()
    {
        [1] = "ColdStart",
        [2] = "HoldExpired",
        [3] = "BackendFailed",
        [4] = "LimitReached",
        [5] = "Shortage",
        [6] = "BackendCrashed",
        [7] = "BackendCannotCome",
        [8] = "Unanswered",
        [9] = "Asleep",
        [10] = "CannotSleep",
        [11] = "ActivatorLost",
        [20] = "Listening",
        [21] = "DrainCut",
        [22] = "NotifyFailed",
        [23] = "DescriptorsShort",
        [24] = "ThreadHangs",
        [25] = "NoControlSocket",
        [40] = "ConnectionEnded",
        [41] = "BackendMoved",
        [42] = "WaitBegan",
        [43] = "Stopping",
        [44] = "IdleExit",
        [45] = "ConnectionRetried",
    };

    private static IEnumerable<MethodInfo> Events =>
        from method in typeof(Log).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
        where method.GetCustomAttribute<LoggerMessageAttribute>() is not null
        select method;

    [Fact]
    public void Each_event_keeps_its_id()
    {
        // Goal: no id is given twice, changed, or missing in the list above.
        Assert.Empty(Twice(Events.Select(Id)));
        Assert.Equal(s_ids.OrderBy(row => row.Key), Events.Select(m => KeyValuePair.Create(Id(m), m.Name)).OrderBy(row => row.Key));
    }

    [Fact]
    public void Each_event_is_one_line()
    {
        // Goal: a journal line is an event.
        Assert.All(Events, m => Assert.DoesNotContain('\n', m.GetCustomAttribute<LoggerMessageAttribute>()!.Message));
    }

    [Fact]
    public void Every_event_lives_in_the_one_file() =>
        // Goal: who looks for what the daemon can say reads Log.cs and nothing else.
        Rule.IsKept(SourceFile.OfProduct().SelectMany(LoggingElsewhere));

    [Theory]
    [InlineData("[LoggerMessage(9, LogLevel.Information, \"x\")]")]
    [InlineData("log.LogInformation(\"x\");")]
    [InlineData("_log.LogError(e, \"x\");")]
    [InlineData("log.Log(LogLevel.Debug, \"x\");")]
    [InlineData("LoggerMessage.Define(LogLevel.Debug, new EventId(1), \"x\");")]
    [InlineData("Serilog.Log.Information(\"x\");")]
    public void An_event_that_is_written_elsewhere_is_reported(string code)
    {
        // Goal: each way to log past the file is recognised, and the file itself is free to use them.
        Assert.NotEmpty(LoggingElsewhere(new("src/ProxyD/Backend/Sample.cs", code)));
        Assert.Empty(LoggingElsewhere(new(LogFile, code)));
    }

    [Fact]
    public void An_id_that_is_given_twice_is_reported() =>
        // Goal: the rule above finds its case, and only once.
        Assert.Equal([2], Twice([1, 2, 3, 2]));

    private static int Id(MethodInfo method) => method.GetCustomAttribute<LoggerMessageAttribute>()!.EventId;

    private static IEnumerable<int> Twice(IEnumerable<int> ids) => ids.GroupBy(id => id).Where(g => g.Count() > 1).Select(g => g.Key);

    private static IEnumerable<string> LoggingElsewhere(SourceFile file) => file.Path == LogFile
        ? []
        : Logging().Matches(file.Code).Select(m => $"{file.Path}({file.LineOf(m.Index)}): {m.Value}");

    [GeneratedRegex(@"\[LoggerMessage\b|\bLoggerMessage\.Define|\.Log(Trace|Debug|Information|Warning|Error|Critical)?\(|\bSerilog\.Log\b")]
    private static partial Regex Logging();
}
