using System.Globalization;
using ProxyD.Backend;
using ProxyD.Observability;

namespace ProxyD;

/// <summary>How a backend that we start stands, in a line for <c>systemctl status</c>.</summary>
internal static class BackendText
{
    /// <summary>"asleep", "waking web-backend.service, 2 waiting, 0.4 s", "ready, 3 connections", "failed: …; next try in 4 s".</summary>
    internal static string Of(Backend.Backend backend, int live, int waiting, long nowMs)
    {
        string text = backend.State switch
        {
            BackendState.Starting or BackendState.Probing when backend.IsWanted => Waking(backend, waiting, nowMs),
            BackendState.Failed when backend.NextStartMs is { } nextMs =>
                string.Create(CultureInfo.InvariantCulture, $"failed: {backend.Cause}; next try in {Math.Ceiling(nextMs / 1000.0):0} s"),
            BackendState.Failed => $"failed: {backend.Cause}; the next client tries again",
            BackendState.Retiring => "going to sleep",
            BackendState.Frozen => "asleep (frozen)",
            _ => backend.IsRunning ? "ready" : "asleep",
        };
        return live > 0 || text == "ready" ? $"{text}, {Words.Count(live, "connection")}" : text;
    }

    /// <summary>The word for a backend that is there, as far as anybody knows.</summary>
    internal const string Ready = "ready";

    /// <summary>How it stands in one word, for programs: one of those below.</summary>
    /// <param name="hasServed">A connection to it has stood.</param>
    internal static string Word(Backend.Backend backend, bool hasServed) => backend.State switch
    {
        BackendState.Starting or BackendState.Probing when backend.IsWanted => "waking",
        BackendState.Failed => "failed",
        BackendState.Retiring => "retiring",
        BackendState.Frozen => "frozen",
        // Others start it, and nobody has told us of it but clients: they waited in vain, or the last one was served, or none came.
        BackendState.Probing when backend.Name is null => "unreachable",
        _ when backend.Name is null => hasServed ? Ready : "unknown",
        _ => backend.IsRunning ? Ready : "asleep",
    };

    /// <summary>Whether its line tells of a time that runs.</summary>
    internal static bool HasTimes(Backend.Backend backend) =>
        backend.Name is not null
        && ((backend.State is BackendState.Starting or BackendState.Probing && backend.IsWanted)
            || (backend.State == BackendState.Failed && backend.NextStartMs is not null));

    private static string Waking(Backend.Backend backend, int waiting, long nowMs)
    {
        double seconds = (nowMs - (backend.Wakes.ArrivedMs ?? nowMs)) / 1000.0;
        return string.Create(CultureInfo.InvariantCulture, $"waking {backend.Name}, {waiting} waiting, {seconds:0.0} s");
    }
}
