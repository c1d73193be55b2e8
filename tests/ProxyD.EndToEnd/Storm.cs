using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>
/// Eight clients that come in bursts, with lulls between them: most lulls outlast the patience of chaos.cjs, some just not, and so
/// the first client of a burst meets it asleep, awake, or on its way out. Each request has a connection of its own and is never repeated.
/// </summary>
internal sealed class Storm(Lab lab, string address, int seed)
{
    private const int Clients = 8;

    // chaos.cjs goes after 20 to 200 ms: three lulls in four see it go, and each moment before and after that is met.
    private const int LullMsMin = 90, LullMsMax = 210;

    // Within a burst a client may come once more; 9.6 requests in each burst make 225 wakes of 3,000 requests.
    private const double AgainShare = 0.2;
    private const int BurstMs = 10;

    private readonly Random _random = new(seed);

    /// <summary>A new seed, or the one of the run that is to be repeated: <c>PROXYD_SEED</c>.</summary>
    public static int NewSeed() =>
        Environment.GetEnvironmentVariable("PROXYD_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();

    public async Task<StormResult> Run(int requests)
    {
        long start = Stopwatch.GetTimestamp();
        List<StormRequest> all = [];
        while (all.Count < requests)
        {
            await Task.Delay(_random.Next(LullMsMin, LullMsMax));
            int left = requests - all.Count;
            List<int[]> pauses = [.. Enumerable.Range(0, Math.Min(Clients, left)).Select(_ => Pauses())];
            // The last burst may be a smaller one.
            for (int i = 0; pauses.Sum(ofClient => ofClient.Length) > left; i++)
                pauses[i] = [pauses[i][0]];
            StormRequest[][] burst = await Task.WhenAll(pauses.Select((ofClient, client) => Come($"{all.Count}-{client}", ofClient)));
            all.AddRange(burst.SelectMany(ofClient => ofClient));
        }
        return new StormResult(all, Stopwatch.GetElapsedTime(start));
    }

    private int[] Pauses() => _random.NextDouble() < AgainShare
        ? [_random.Next(BurstMs), _random.Next(BurstMs)]
        : [_random.Next(BurstMs)];

    private async Task<StormRequest[]> Come(string token, int[] pauses)
    {
        StormRequest[] requests = new StormRequest[pauses.Length];
        for (int i = 0; i < pauses.Length; i++)
        {
            await Task.Delay(pauses[i]);
            requests[i] = await Ask($"{token}-{i}");
        }
        return requests;
    }

    private async Task<StormRequest> Ask(string token)
    {
        try
        {
            Answer answer = await lab.GetAsync(address, token);
            bool isServed = answer.Status == 200 && answer.Body.Trim() == token;
            return new StormRequest(token, isServed ? null : $"{answer.Status} {answer.Body}");
        }
        catch (Exception loss) when (loss is SocketException or EndOfStreamException or OperationCanceledException)
        {
            return new StormRequest(token, loss.Message);
        }
    }
}

/// <param name="Token">What was asked for.</param>
/// <param name="Loss">What came instead of an answer; null if it was served.</param>
internal sealed record StormRequest(string Token, string? Loss);

internal sealed record StormResult(IReadOnlyList<StormRequest> Requests, TimeSpan Elapsed)
{
    public IReadOnlyList<StormRequest> Lost { get; } = [.. Requests.Where(request => request.Loss is not null)];
}
