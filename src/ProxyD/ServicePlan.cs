using ProxyD.Activation;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>Which listening sockets belong to which destination.</summary>
internal static class ServicePlan
{
    /// <summary>Gives each socket to the destination of its name, the rest to the one without a name.</summary>
    /// <returns>One entry for each destination, in order; none is empty.</returns>
    /// <exception cref="StartupException">A name finds no socket, or a socket no destination.</exception>
    internal static List<List<PassedSocket>> Assign(IReadOnlyList<Destination> destinations, IReadOnlyList<PassedSocket> sockets)
    {
        if (sockets.Count == 0)
            throw new StartupException("no listening socket was passed; expected a .socket unit that triggers this service, or --listen=ADDR");
        List<List<PassedSocket>> plan = [.. destinations.Select(_ => new List<PassedSocket>())];
        foreach (PassedSocket socket in sockets)
        {
            int owner = IndexOf(destinations, socket.Name);
            if (owner < 0)
                owner = IndexOf(destinations, null);
            if (owner < 0)
                throw new StartupException($"socket '{socket.Name}' has no destination; expected {socket.Name}=DESTINATION or one destination without a name");
            plan[owner].Add(socket);
        }
        int idle = plan.FindIndex(list => list.Count == 0);
        if (idle < 0)
            return plan;
        string passed = string.Join(", ", sockets.Select(s => $"'{s.Name}'").Distinct());
        throw new StartupException(destinations[idle].Name is { } name
            ? $"no socket is named '{name}'; passed: {passed} (set FileDescriptorName={name} in the .socket unit)"
            : $"destination '{destinations[idle].Address.Text}' is left without a socket: all that were passed have a destination of their name");
    }

    /// <summary>What the data plane must know of one service.</summary>
    internal static ServiceSettings Settings(int index, Destination destination, IEnumerable<PassedSocket> sockets, TimeSpan? hold) => new()
    {
        Index = index,
        Listeners = [.. sockets.Select(s => new Listener(s.Fd, KindOf(s.Kind)))],
        Addresses = destination.Address.Literal is { } literal ? [literal] : [],
        NeedsResolver = destination.Address.HostName is not null,
        HoldTimeoutMs = hold is { } time ? (int)time.TotalMilliseconds : null,
    };

    private static int IndexOf(IReadOnlyList<Destination> destinations, string? name)
    {
        for (int i = 0; i < destinations.Count; i++)
        {
            if (destinations[i].Name == name)
                return i;
        }
        return -1;
    }

    private static ListenerKind KindOf(PassedSocketKind kind) => kind switch
    {
        PassedSocketKind.ListeningTcp => ListenerKind.Tcp,
        PassedSocketKind.ListeningOther => ListenerKind.Other,
        _ => ListenerKind.Connected,
    };
}
