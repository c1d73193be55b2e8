using ProxyD.Interop;
using ProxyD.Trios;

namespace ProxyD.Migrations;

/// <summary>A daemon on its way to another address.</summary>
/// <param name="Words">The words that tell it where to listen.</param>
/// <param name="Port">Where it listens now.</param>
/// <param name="Host">At which address of the machine; null for all, and when it can't be told.</param>
/// <param name="To">Where it is to listen.</param>
internal sealed record PlainMove(IReadOnlyList<PortSetting> Words, int Port, string? Host, Address To)
{
    /// <summary>Its address in other command lines.</summary>
    internal PortWord Word => new(Port, Host, To);
}
