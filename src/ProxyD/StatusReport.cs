using System.Buffers;
using System.Text.Json;
using ProxyD.Backend;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>What runs now, as one line of JSON for who asks at the control socket.</summary>
/// <remarks>
/// Times are ages and spans in ms by the monotonic clock: they need no wall clock and survive its jumps. What costs anything is done
/// when somebody asks: each data-plane thread is posted one question, and the control queue writes a few kilobytes.
/// </remarks>
internal sealed class StatusReport(RunOptions options, RelayServer relay, Backend.Backend[] backends, StatusReporter status, ControlQueue control)
{
    /// <summary>Of the line: goes up when a field changes its meaning or goes, not when one is added.</summary>
    internal const int Format = 1;

    private readonly long _startMs = control.NowMs;

    /// <summary>No new clients are taken, and the end waits for live connections.</summary>
    internal bool IsDraining { get; set; }

    /// <summary>The line without its end. From a thread that may wait.</summary>
    /// <returns>Null when a thread has not answered within the time.</returns>
    internal byte[]? Ask(TimeSpan patience)
    {
        Task<ServiceTotals[][]> totals = relay.TotalsAsync();
        if (!totals.Wait(patience))
            return null;
        TaskCompletionSource<byte[]> written = new();
        control.Post(() => written.SetResult(Write(totals.Result)));
        return written.Task.Wait(patience) ? written.Task.Result : null;
    }

    /// <summary>A line that says why there is no report.</summary>
    internal static byte[] Refusal(string problem) => Line(json =>
    {
        json.WriteNumber("format", Format);
        json.WriteString("error", problem);
    });

    private byte[] Write(ServiceTotals[][] ofThreads) => Line(json =>
    {
        json.WriteNumber("format", Format);
        json.WriteString("version", typeof(StatusReport).Assembly.GetName().Version!.ToString(3));
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteNumber("runningMs", control.NowMs - _startMs);
        json.WriteBoolean("draining", IsDraining);
        json.WriteString("summary", status.Text);
        json.WriteNumber("connectionsMax", options.ConnectionsMax);
        json.WriteNumber("rejected", relay.Rejected);
        json.WriteStartArray("destinations");
        for (int i = 0; i < backends.Length; i++)
        {
            int service = i;
            ServiceTotals totals = ofThreads.Aggregate(default(ServiceTotals), (sum, ofThread) => sum + ofThread[service]);
            WriteDestination(json, options.Destinations[i].Name, backends[i], totals, relay.WaitingFor(i));
        }
        json.WriteEndArray();
    });

    private void WriteDestination(Utf8JsonWriter json, string? name, Backend.Backend backend, ServiceTotals totals, int waiting)
    {
        string state = BackendText.Word(backend, hasServed: totals.Live + totals.Ended > 0);
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("address", backend.Address.Text);
        json.WriteString("starts", options.Exec ?? backend.Name);
        json.WriteString("state", state);
        // Clients that found it there without a wait were told to nobody.
        WriteMs(json, "stateMs", backend is { Name: null, State: BackendState.Unknown } ? null : control.NowMs - backend.SinceMs);
        json.WriteString("cause", state == BackendText.Ready ? null : backend.Cause);
        WriteMs(json, "nextStartMs", backend.NextStartMs);
        json.WriteNumber("live", totals.Live);
        json.WriteNumber("waiting", waiting);
        WriteMs(json, "waitingMs", control.NowMs - backend.Wakes.ArrivedMs);
        json.WriteNumber("served", totals.Live + totals.Ended);
        json.WriteNumber("upBytes", totals.UpBytes);
        json.WriteNumber("downBytes", totals.DownBytes);
        json.WriteNumber("unanswered", totals.Unanswered);
        json.WriteNumber("resetWaiting", backend.ResetClients);
        json.WriteNumber("wakesAnswered", backend.Wakes.Answered);
        json.WriteNumber("wakesFailed", backend.Wakes.Failed);
        json.WriteStartArray("wakes");
        foreach (WakeTimeline wake in backend.Wakes.Kept)
            WriteWake(json, wake);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteWake(Utf8JsonWriter json, WakeTimeline wake)
    {
        json.WriteStartObject();
        json.WriteNumber("agoMs", control.NowMs - wake.ArrivedMs);
        json.WriteNumber("clients", wake.Clients);
        WriteMs(json, "orderedMs", wake.Ordered);
        WriteMs(json, "startedMs", wake.Started);
        WriteMs(json, "answersMs", wake.Answers);
        WriteMs(json, "readyMs", wake.Ready);
        WriteMs(json, "acceptedMs", wake.Accepted);
        WriteMs(json, "firstByteMs", wake.FirstByte);
        WriteMs(json, "endedMs", wake.Ended);
        json.WriteString("problem", wake.Problem);
        json.WriteEndObject();
    }

    private static void WriteMs(Utf8JsonWriter json, string name, Moment moment) => WriteMs(json, name, moment.HasCome ? moment.Ms : null);

    private static void WriteMs(Utf8JsonWriter json, string name, long? ms)
    {
        if (ms is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }
}
