using ProxyD.Interop;

namespace ProxyD.Relay;

/// <summary>Everybody who waits for one service's backend: connections that a backend reset unanswered, and clients in listen queues.</summary>
/// <param name="listeners">The service's.</param>
/// <param name="goOn">Called in the next turn after <see cref="EventLoop.RunAgain"/> with <see cref="Replays"/>.</param>
internal sealed class Waiters(Listener[] listeners, Action goOn)
{
    internal ListenerSet Listeners { get; } = new(listeners);

    internal ReplayQueue Replays { get; } = new(goOn);

    internal int Count => Listeners.Waiting + Replays.Count;

    /// <summary>Since when the one waits who has waited longest; <see cref="long.MaxValue"/> when nobody does.</summary>
    internal long OldestMs => Math.Min(Replays.OldestMs, Listeners.Oldest?.OldestMs ?? long.MaxValue);

    /// <summary>Resets whoever has waited longest; there must be somebody.</summary>
    /// <param name="sinceMs">Since when.</param>
    /// <returns>Whether there was somebody after all, and a descriptor to accept them with.</returns>
    internal SysResult ResetOldest(out long sinceMs)
    {
        sinceMs = OldestMs;
        if (Replays.OldestMs == sinceMs)
        {
            Replays.TakeOldest().GiveUp();
            return SysResult.From(0);
        }
        SysResult client = Listeners.Oldest!.Accept(out sinceMs);
        if (client.Ok)
            Sockets.Reset(client.Value);
        return client;
    }

    /// <summary>Leaves the listen queues to the next instance. It can't serve those who are out of them.</summary>
    internal void Leave()
    {
        Listeners.Leave();
        Replays.GiveUpAll();
    }
}
