using System.Diagnostics;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>The backend goes away under load, and BindsTo= takes proxyd down with it.</summary>
public sealed class ClientsKeepComingTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8080";
    private const string Proxy = "brainstorm.service";
    private const string Backend = "brainstorm-backend.service";
    private const string EventLog = "/var/log/brainstorm-events";

    // Longer than half the time between two clients: in the middle between two arrivals one is in the backend's hands.
    private const int AnswerTakesMs = 15;

    private static readonly TimeSpan s_arrivalEvery = TimeSpan.FromMilliseconds(20);

    private long _start;

    // Goal: a client every 20 ms, and the backend killed again and again: whom the dying backend had not accepted is served.
    [Fact]
    public async Task When_the_backend_dies_only_connections_that_it_had_accepted_are_lost()
    {
        // 2.2 s between a start and the next death: at a faster pace systemd's StartLimitBurst= (5 in 10 s) refuses to start the units.
        (Client[] lost, List<Death> deaths) = await Storm(6, TimeSpan.FromSeconds(2.2), KillBackend);

        BackendEvents events = BackendEvents.Load(Lab.PathOf(EventLog));
        Client[] unexplained = [.. lost.Where(client => !IsExplained(client, events, deaths))];
        foreach (Client client in unexplained)
            Say($"{client}: the backend {(events.HasAnswered(client.Token) ? "answered" : "never had")} it");
        Assert.Empty(unexplained);
    }

    // Goal: the same load while the backend is told to stop: systemd stops proxyd first, which lets go of nobody.
    [Fact]
    public async Task When_the_backend_is_told_to_stop_nobody_is_lost()
    {
        // The clients in the queue start the backend again while it is still stopping, and systemd 252 counts that twice: 5.2 s.
        (Client[] lost, _) = await Storm(2, TimeSpan.FromSeconds(5.2), StopBackend);

        Assert.Empty(lost);
    }

    /// <summary>Clients at their pace and ends of the backend at theirs; gives the lost clients.</summary>
    private async Task<(Client[] Lost, List<Death> Deaths)> Storm(int ends, TimeSpan endEvery, Func<int, Death> end)
    {
        Trio trio = Install(SeedMatrixTests.Brainstorm.WithService(
            Backend, $"Environment=EVENT_LOG={EventLog}", $"Environment=ANSWER_DELAY_MS={AnswerTakesMs}"));
        File.Delete(Lab.PathOf(EventLog));
        MustServe(PublicAddress, "first");

        _start = Stopwatch.GetTimestamp();
        Task<List<Death>> ending = Task.Run(() => EndBackends(ends, endEvery, end));
        // Clients also come after the last end.
        Client[] clients = await SendClients(until: ending, thenMore: (int)(endEvery / s_arrivalEvery));
        List<Death> deaths = await ending;

        Assert.StartsWith("active", Lab.StateOf(trio.Socket), StringComparison.Ordinal);
        MustServe(PublicAddress, "last");
        Client[] lost = [.. clients.Where(client => client.Loss is not null)];
        Say($"{clients.Length} clients, {ends} ends of the backend; lost: {lost.Length} {string.Join<Client>(' ', lost)}");
        Say($"deaths: {string.Join(' ', deaths)}");
        return (lost, deaths);
    }

    /// <summary>
    /// Whether the connection was the dying backend's: it came before the backend was gone, ended no earlier than that began to
    /// die, and had no answer. A killed process gives back its memory before it closes its files, and a starved one does not get
    /// to read: in both cases its listen queue, not the process, is what accepted the connection.
    /// </summary>
    private static bool IsExplained(Client client, BackendEvents events, List<Death> deaths) =>
        !events.HasAnswered(client.Token)
        && deaths.Any(death => client.CameAt < death.GoneAt && client.EndedAt > death.KilledAt);

    private async Task<Client[]> SendClients(Task until, int thenMore)
    {
        List<Task<Client>> clients = [];
        for (int after = 0; after < thenMore; after += until.IsCompleted ? 1 : 0)
        {
            SleepUntil(s_arrivalEvery * clients.Count);
            clients.Add(SendClient($"client-{clients.Count}"));
        }
        return await Task.WhenAll(clients);
    }

    private async Task<Client> SendClient(string token)
    {
        TimeSpan cameAt = Stopwatch.GetElapsedTime(_start);
        try
        {
            Answer answer = await Lab.GetAsync(PublicAddress, token);
            bool isServed = answer.Status == 200 && answer.Body.Trim() == token;
            return new Client(token, cameAt, Stopwatch.GetElapsedTime(_start), isServed ? null : $"{answer.Status} {answer.Body}");
        }
        catch (Exception loss) when (loss is SocketException or EndOfStreamException or OperationCanceledException)
        {
            return new Client(token, cameAt, Stopwatch.GetElapsedTime(_start), loss.Message);
        }
    }

    /// <summary>Ends the backend midway between two clients; each time a new proxyd must follow.</summary>
    private List<Death> EndBackends(int ends, TimeSpan every, Func<int, Death> end)
    {
        List<Death> deaths = [];
        TimeSpan due = every;
        for (int i = 1; i <= ends; i++)
        {
            string instance = Lab.Property(Proxy, "InvocationID");
            int backend = Lab.HostPid(Backend);
            SleepUntil((Math.Ceiling(due / s_arrivalEvery) * s_arrivalEvery) + (s_arrivalEvery / 2));
            deaths.Add(end(backend));
            Wait.Until(
                () => Lab.IsInState(Proxy, "active (running)") && Lab.Property(Proxy, "InvocationID") != instance,
                "another proxyd runs");
            // From here and not from the last death: systemd counts starts, and this one may have been late.
            due = Stopwatch.GetElapsedTime(_start) + every;
        }
        return deaths;
    }

    private Death KillBackend(int backend)
    {
        TimeSpan killedAt = Stopwatch.GetElapsedTime(_start);
        Native.Kill(backend);
        Wait.Until(() => Processes.IsGone(backend), "the killed backend is gone");
        return new Death(killedAt, Stopwatch.GetElapsedTime(_start));
    }

    private Death StopBackend(int _)
    {
        TimeSpan stoppedAt = Stopwatch.GetElapsedTime(_start);
        // Whatever its exit code: the clients in the queue start the trio again, which may cancel what is left of the stop.
        Lab.Run("systemctl", "stop", Backend);
        return new Death(stoppedAt, Stopwatch.GetElapsedTime(_start));
    }

    private void SleepUntil(TimeSpan due) => Wait.For(due - Stopwatch.GetElapsedTime(_start));

    /// <summary>One request on a connection of its own; all times count from the start of the storm.</summary>
    /// <param name="Token">What it asked for.</param>
    /// <param name="CameAt">When it connected.</param>
    /// <param name="EndedAt">When it had its answer, or had to give up.</param>
    /// <param name="Loss">What happened to it instead of an answer; null if it was served.</param>
    private sealed record Client(string Token, TimeSpan CameAt, TimeSpan EndedAt, string? Loss)
    {
        public override string ToString() => $"[{Token}, from {CameAt.TotalMilliseconds:F0} to {EndedAt.TotalMilliseconds:F0} ms: {Loss}]";
    }

    private sealed record Death(TimeSpan KilledAt, TimeSpan GoneAt)
    {
        public override string ToString() => $"[{KilledAt.TotalMilliseconds:F0} to {GoneAt.TotalMilliseconds:F0} ms]";
    }
}
