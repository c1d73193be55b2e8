using System.Text;
using ProxyD.Observability;

namespace ProxyD.Tools;

/// <summary>What <c>proxyd status</c> shows people.</summary>
internal static class StatusText
{
    /// <summary>Of the 32 that a proxyd keeps; <c>--json</c> has them all.</summary>
    private const int WakesShown = 10;

    private const string Indent = "    ";

    private static readonly string[] s_heading = ["UNIT", "DESTINATION", "STATE", "FOR", "LIVE", "WAITING", "SERVED", "UP", "DOWN", "WAKES", "FAILED", "CAUSE"];

    /// <summary>All of them, a line for each destination.</summary>
    internal static string Overview(IReadOnlyList<StatusFinding> findings) => findings.Count == 0
        ? "No loaded service runs proxyd.\n"
        : Table.Format(s_heading, [.. findings.SelectMany(Rows)]);

    /// <summary>One of them in full.</summary>
    /// <param name="width">Columns of the terminal.</param>
    internal static string Details(StatusFinding finding, int width)
    {
        if (finding.Answer is not { } answer)
            return $"{finding.Unit.Name}: {WithoutAnswer(finding)}\n";
        StringBuilder text = new();
        text.Append($"{finding.Unit.Name}: proxyd {answer.Version}, pid {answer.Pid}, running for {Amount.OfTime(answer.RunningMs)}");
        text.Append($"{(answer.IsDraining ? ", draining" : "")}, {Live(answer)} of {answer.ConnectionsMax} connections");
        text.Append(answer.Rejected > 0 ? $"; {answer.Rejected} reset at that limit\n" : "\n");
        foreach (StatusDestination destination in answer.Destinations)
            text.Append('\n').Append(Details(destination, width));
        return text.ToString();
    }

    private static string Details(StatusDestination destination, int width)
    {
        string name = destination.Name is { } own ? $"{own}={destination.Address}" : destination.Address;
        List<string[]> rows =
        [
            ["connections", $"{destination.Live} live, {Waiting(destination)}, {destination.Served} served"],
            ["bytes", $"{Amount.OfBytes(destination.UpBytes)} up, {Amount.OfBytes(destination.DownBytes)} down"],
            ["lost", $"{Words.Count(destination.ResetWaiting, "client")} reset while waiting, {Words.Count(destination.Unanswered, "connection")} unanswered"],
            ["wakes", $"{destination.WakesAnswered} answered, {destination.WakesFailed} failed"],
        ];
        if (destination.Starts is { } starts)
            rows.Insert(0, ["starts", starts]);
        string text = $"  {name}: {State(destination)}\n{Indented(Table.Format([], rows))}";
        return destination.Wakes.Count == 0
            ? text
            : $"{text}\n{Indented(WakeChart.Format(destination.Wakes, WakesShown, width - Indent.Length))}";
    }

    private static string State(StatusDestination destination)
    {
        string state = destination.State switch
        {
            "unknown" => "no client yet",
            "retiring" => "going to sleep",
            "frozen" => "asleep (frozen)",
            string word => word,
        };
        long? ms = destination.State == "waking" ? destination.WaitingMs ?? destination.StateMs : destination.StateMs;
        string text = ms is { } known ? $"{state} for {Amount.OfTime(known)}" : state;
        if (destination.Cause is { } cause)
            text += $": {cause}";
        return destination.NextStartMs is { } next ? $"{text}; next try in {Amount.OfTime(next)}" : text;
    }

    private static string Waiting(StatusDestination destination) => destination is { Waiting: > 0, WaitingMs: { } ms }
        ? $"{destination.Waiting} waiting for {Amount.OfTime(ms)}"
        : $"{destination.Waiting} waiting";

    private static long Live(StatusAnswer answer) => answer.Destinations.Sum(d => d.Live);

    /// <summary>What can be said of one that did not answer.</summary>
    internal static string WithoutAnswer(StatusFinding finding)
    {
        ProxyUnit unit = finding.Unit;
        string sockets = unit.Sockets.Count == 0 ? "" : $"; {string.Join(", ", unit.Sockets.Select(s => $"{s.Name} is {s.State}"))}";
        if (!unit.Runs)
            return unit.Sleeps ? $"asleep{sockets}, and the next client starts it" : $"{unit.State}{sockets}";
        string said = unit.Status.Length > 0 ? $"; it has told systemd \"{unit.Status}\"" : "";
        return $"can't be asked: {finding.Problem}{said}";
    }

    private static IEnumerable<string[]> Rows(StatusFinding finding)
    {
        if (finding.Answer is not { } answer)
        {
            string state = finding.Unit.Sleeps ? "asleep" : finding.Unit.State;
            string[] unknown = [.. Enumerable.Repeat("-", s_heading.Length - 4)];
            return [[finding.Unit.Name, "-", state, .. unknown, finding.Unit.Sleeps ? "" : WithoutAnswer(finding)]];
        }
        return answer.Destinations.Select(d => (string[])
        [
            finding.Unit.Name, d.Address, answer.IsDraining ? "draining" : d.State, d.StateMs is { } ms ? Amount.OfTime(ms) : "-",
            $"{d.Live}", $"{d.Waiting}", $"{d.Served}", Amount.OfBytes(d.UpBytes), Amount.OfBytes(d.DownBytes),
            $"{d.WakesAnswered}", $"{d.WakesFailed}", d.Cause ?? "",
        ]);
    }

    private static string Indented(string lines) =>
        string.Concat(lines.TrimEnd('\n').Split('\n').Select(line => $"{Indent}{line}\n"));
}
