using System.Text.Json;

namespace ProxyD.Tools;

/// <summary>What a proxyd answered, read for people. What it left out is null or 0: a later version may say less or more.</summary>
internal sealed record StatusAnswer(
    string Version, long Pid, long RunningMs, bool IsDraining, long ConnectionsMax, long Rejected, IReadOnlyList<StatusDestination> Destinations)
{
    /// <summary>A backend can't be had: its start failed, or it took nobody who waited for it.</summary>
    internal bool IsInTrouble => Destinations.Any(d => d.IsInTrouble);

    internal static StatusAnswer Of(JsonElement json) => new(
        Text(json, "version") ?? "?",
        Number(json, "pid") ?? 0,
        Number(json, "runningMs") ?? 0,
        json.TryGetProperty("draining", out JsonElement draining) && draining.ValueKind == JsonValueKind.True,
        Number(json, "connectionsMax") ?? 0,
        Number(json, "rejected") ?? 0,
        [.. Items(json, "destinations").Select(StatusDestination.Of)]);

    internal static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? StatusClient.Clean(value.GetString()!) : null;

    internal static long? Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    internal static IEnumerable<JsonElement> Items(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object)
            : [];
}

/// <summary>One destination: its backend and what its connections have done.</summary>
internal sealed record StatusDestination
{
    /// <summary>The name of the sockets it is for, or null.</summary>
    public string? Name { get; init; }

    public required string Address { get; init; }

    /// <summary>The unit or the command that proxyd starts, or null when others do.</summary>
    public string? Starts { get; init; }

    /// <summary>asleep, waking, ready, retiring, frozen, failed; where others start the backend unknown and unreachable too.</summary>
    public required string State { get; init; }

    /// <summary>For how long; null when nobody knows.</summary>
    public long? StateMs { get; init; }

    public string? Cause { get; init; }

    public long? NextStartMs { get; init; }

    public long Live { get; init; }

    public long Waiting { get; init; }

    public long? WaitingMs { get; init; }

    public long Served { get; init; }

    public long UpBytes { get; init; }

    public long DownBytes { get; init; }

    public long Unanswered { get; init; }

    public long ResetWaiting { get; init; }

    public long WakesAnswered { get; init; }

    public long WakesFailed { get; init; }

    /// <summary>The last ones, oldest first.</summary>
    public IReadOnlyList<StatusWake> Wakes { get; init; } = [];

    internal bool IsInTrouble => State is "failed" or "unreachable";

    internal static StatusDestination Of(JsonElement json)
    {
        long Count(string name) => StatusAnswer.Number(json, name) ?? 0;
        return new()
        {
            Name = StatusAnswer.Text(json, "name"),
            Address = StatusAnswer.Text(json, "address") ?? "?",
            Starts = StatusAnswer.Text(json, "starts"),
            State = StatusAnswer.Text(json, "state") ?? "?",
            StateMs = StatusAnswer.Number(json, "stateMs"),
            Cause = StatusAnswer.Text(json, "cause"),
            NextStartMs = StatusAnswer.Number(json, "nextStartMs"),
            Live = Count("live"),
            Waiting = Count("waiting"),
            WaitingMs = StatusAnswer.Number(json, "waitingMs"),
            Served = Count("served"),
            UpBytes = Count("upBytes"),
            DownBytes = Count("downBytes"),
            Unanswered = Count("unanswered"),
            ResetWaiting = Count("resetWaiting"),
            WakesAnswered = Count("wakesAnswered"),
            WakesFailed = Count("wakesFailed"),
            Wakes = [.. StatusAnswer.Items(json, "wakes").Select(StatusWake.Of)],
        };
    }
}

/// <summary>A wake; its moments in ms since the first client came, null for what did not happen.</summary>
internal sealed record StatusWake(
    long AgoMs, long Clients, long? OrderedMs, long? StartedMs, long? AnswersMs, long? ReadyMs, long? AcceptedMs, long? FirstByteMs, long? EndedMs,
    string? Problem)
{
    /// <summary>When it was over.</summary>
    internal long TotalMs => FirstByteMs ?? AcceptedMs ?? EndedMs ?? 0;

    internal static StatusWake Of(JsonElement json) => new(
        StatusAnswer.Number(json, "agoMs") ?? 0,
        StatusAnswer.Number(json, "clients") ?? 0,
        StatusAnswer.Number(json, "orderedMs"),
        StatusAnswer.Number(json, "startedMs"),
        StatusAnswer.Number(json, "answersMs"),
        StatusAnswer.Number(json, "readyMs"),
        StatusAnswer.Number(json, "acceptedMs"),
        StatusAnswer.Number(json, "firstByteMs"),
        StatusAnswer.Number(json, "endedMs"),
        StatusAnswer.Text(json, "problem"));
}
