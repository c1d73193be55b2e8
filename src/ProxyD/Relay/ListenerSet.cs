namespace ProxyD.Relay;

/// <summary>A service's listeners as one queue: whoever came first, to whichever of them, is served first.</summary>
internal sealed class ListenerSet(Listener[] listeners)
{
    /// <summary>Clients that wait at any of them.</summary>
    internal int Waiting
    {
        get
        {
            int waiting = 0;
            foreach (Listener listener in listeners)
                waiting += listener.Waiting;
            return waiting;
        }
    }

    /// <summary>The one whose next client has waited longest; null when nobody waits.</summary>
    internal Listener? Oldest
    {
        get
        {
            Listener? oldest = null;
            foreach (Listener listener in listeners)
            {
                if (listener.Waiting > 0 && (oldest is null || listener.OldestMs < oldest.OldestMs))
                    oldest = listener;
            }
            return oldest;
        }
    }

    /// <inheritdoc cref="Listener.Watch"/>
    internal void Watch(EventLoop loop, Action arrived)
    {
        foreach (Listener listener in listeners)
            listener.Watch(loop, arrived);
    }

    /// <inheritdoc cref="Listener.Look"/>
    internal void Look()
    {
        foreach (Listener listener in listeners)
            listener.Look();
    }

    /// <inheritdoc cref="Listener.Leave"/>
    internal void Leave()
    {
        foreach (Listener listener in listeners)
            listener.Leave();
    }
}
