using System.Net;

namespace ProxyD.Migrations;

/// <summary>What the machine says of a service that is to get a proxy.</summary>
/// <param name="ListensAt">Addresses at which its processes listen now, as <c>ListenStream=</c> takes them; none when it doesn't run.</param>
/// <param name="IsTaken">Whether somebody listens on a port of loopback.</param>
internal sealed record PlainService(IReadOnlyList<string> ListensAt, Func<int, bool> IsTaken)
{
    /// <summary>It runs, and all that its processes listen on was to be seen.</summary>
    internal bool IsSeen { get; init; }

    /// <summary>UDP ports that its processes have now.</summary>
    internal IReadOnlyCollection<int> DatagramPorts { get; init; } = [];

    /// <summary>Whether an address is the machine's; null when the unit is of another one, and any may be.</summary>
    internal Func<IPAddress, bool>? IsOwnAddress { get; init; }

    /// <summary>The text of a script or an environment file by its path; null for what is no text or not there.</summary>
    internal Func<string, string?> FileOf { get; init; } = _ => null;

    /// <summary>The units that name it, with the property of its own in which systemd says so: <c>RequiredBy</c>, <c>ConsistsOf</c>, …</summary>
    internal IReadOnlyList<(string Property, string Unit)> NamedBy { get; init; } = [];
}
