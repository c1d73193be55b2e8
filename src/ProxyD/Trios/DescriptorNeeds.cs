namespace ProxyD.Trios;

/// <summary>How many open files a proxy needs for the connections it may have, against what systemd grants.</summary>
internal static class DescriptorNeeds
{
    /// <summary>DefaultLimitNOFILE= of systemd-system.conf(5): soft and hard.</summary>
    internal const long DefaultSoft = 1024, DefaultHard = 524_288;

    /// <summary>Two sockets and two pipes (measured; socket-proxyd keeps both pipes for the connection's whole life).</summary>
    private const long OfSocketProxyd = 6;

    /// <summary>Two sockets; the pipes come from what is to spare, and without them bytes are copied.</summary>
    private const long OfProxyd = 2;

    /// <summary>Listeners, event queues, log and bus.</summary>
    private const long OfTheProcess = 64;

    /// <summary>What is proposed is a multiple of it: a few more for threads, and a number to remember.</summary>
    private const long Step = 1024;

    /// <summary>What so many connections need.</summary>
    /// <param name="connectionsMax">As <c>--connections-max=</c>.</param>
    internal static long Of(ProxyKind kind, int connectionsMax) =>
        (connectionsMax * (kind == ProxyKind.SocketProxyd ? OfSocketProxyd : OfProxyd)) + OfTheProcess;

    /// <summary>The value for <c>LimitNOFILE=</c> that is enough.</summary>
    /// <param name="needed">From <see cref="Of"/>.</param>
    internal static long Proposal(long needed) => (needed / Step + 1) * Step;
}
