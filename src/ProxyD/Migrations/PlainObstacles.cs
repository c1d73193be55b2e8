using System.Net;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>What a daemon has that can't follow it to another port of loopback.</summary>
internal static class PlainObstacles
{
    private static readonly string[] s_bindLists = ["SocketBindDeny", "SocketBindAllow"];

    /// <returns>The one line that says why it is left alone; null for no reason.</returns>
    internal static string? Find(Unit service, PlainListener listener, PlainService seen)
    {
        string name = service.Name;
        PortSetting[] words = [.. listener.Moved.Where(word => word.Port is not null)];
        if (Array.Find(words, word => words.Count(other => other.Name == word.Name) > 1) is { } twice)
            return $"{name} names port {listener.Port} more than once ({twice.Name}), and behind a proxy it would be one address; expected it once";
        if (SeveralHosts(service) is { } hosts)
            return $"{name} names several addresses to listen at ({hosts}), and a proxy's socket would have one; expected one";
        string[] at = [.. seen.ListensAt.Where(address => PlainListener.IsAt(address, listener.Port))];
        // localhost is both.
        if (at.Length > 1 && !Array.TrueForAll(at, address => address == $"127.0.0.1:{listener.Port}" || address == $"[::1]:{listener.Port}"))
            return $"{name} listens on {string.Join(" and ", at)}, and a proxy's socket would have one address; expected one";
        if (seen.DatagramPorts.Contains(listener.Port))
            return $"{name} has UDP port {listener.Port} beside TCP, which would move with it, and no client of it wakes anybody";
        if (Array.Find(s_bindLists, key => service.Last("Service", key) is not null) is { } list)
            return $"{name} has {list}=, which names the port that it would leave; expected none";
        return Filter(service, listener) is { } key
            ? $"{key}= of {name} would hold for its daemon, where every client is the proxy then, and not for who comes to the proxy; expected none"
            : null;
    }

    /// <summary>systemd.resource-control(5): lists that let loopback in are no hindrance where nobody else comes.</summary>
    private static string? Filter(Unit service, PlainListener listener)
    {
        Setting? deny = service.Last("Service", "IPAddressDeny"), allow = service.Last("Service", "IPAddressAllow");
        string[] allowed = [.. service.List("Service", "IPAddressAllow").Select(entry => entry.Word)];
        bool isOpenToLoopback = deny is null || allowed.Any(word => word is "localhost" or "any" || word.StartsWith("127.", StringComparison.Ordinal));
        bool isLoopback = IsLoopback(listener.Public.Listen);
        return (deny ?? allow) is null || (isOpenToLoopback && isLoopback) ? null : deny is null ? "IPAddressAllow" : "IPAddressDeny";
    }

    /// <summary><c>--bind 127.0.0.1 10.0.0.5</c>, <c>--bind_ip 127.0.0.1,10.0.0.5</c>, and lists of URLs at more than one port or host.</summary>
    private static string? SeveralHosts(Unit service)
    {
        string[] words = [.. service.Commands("ExecStart").SelectMany(entry => entry.Command.Arguments)];
        for (int i = 0; i < words.Length; i++)
        {
            string[] parts = words[i].Split('=', 2);
            if (parts[0] is not ['-', ..] || !PortText.IsAddressName(parts[0]))
                continue;
            string value = parts.Length == 2 ? parts[1] : words.ElementAtOrDefault(i + 1) ?? "";
            if (value.Split(',') is { Length: > 1 } list && list.All(part => IsAddress(PortText.HostOf(PortText.AuthorityOf(part)))))
                return value;
            if (parts.Length == 1 && IsAddress(value) && IsAddress(words.ElementAtOrDefault(i + 2) ?? ""))
                return $"{value} {words[i + 2]}";
        }
        return null;
    }

    private static bool IsAddress(string text) =>
        text.Any(c => c is '.' or ':') && IPAddress.TryParse(text.Trim('[', ']'), out _);

    private static bool IsLoopback(string address) =>
        address.LastIndexOf(':') is > 0 and int colon && IPAddress.TryParse(address[..colon].Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip);
}
