using System.Net;
using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>Finds out which units belong to a public socket, from what systemd has loaded.</summary>
/// <param name="show">Properties of a unit by name, as <see cref="Systemctl.Show"/> gives them.</param>
internal sealed class VerifyFinder(Func<string, IReadOnlyDictionary<string, string>> show)
{
    /// <summary>Any instance of a template: systemd shows the properties of instances only.</summary>
    private const string SampleInstance = "verify";

    private const string NoBackend =
        "expected --backend-unit= or --exec= in its ExecStart=, a service in its Requires=, BindsTo=, Upholds= or Wants=, or --backend UNIT";

    /// <summary>What to ask systemd for.</summary>
    internal static readonly string[] Properties =
    [
        "Id", "LoadState", "ActiveState", "SubState", "Result", "Listen", "Triggers", "Accept", "Type",
        "ExecStart", "ExecStartPre", "ExecStartPost", "BindsTo", "Requires", "Upholds", "Wants",
    ];

    /// <summary>The dependencies that start what they name together with the unit (systemd.unit(5)).</summary>
    private static readonly string[] s_starting = ["BindsTo", "Requires", "Upholds", "Wants"];

    /// <summary>Finds the units of a socket.</summary>
    /// <param name="name">The socket's unit; without a suffix <c>.socket</c> is meant.</param>
    /// <param name="backend">What the user says the backend is, or null.</param>
    /// <param name="hasLoopback6">Whether this machine has ::1.</param>
    /// <exception cref="ToolException">They can't be told; the message says what is missing.</exception>
    internal VerifyTarget Find(string name, string? backend, bool hasLoopback6)
    {
        string socket = ExecProperty.WithSuffix(name, ".socket");
        if (!socket.EndsWith(".socket", StringComparison.Ordinal))
            throw new ToolException($"{socket} is no socket unit; expected NAME.socket");
        if (socket.Contains("@.", StringComparison.Ordinal))
            throw new ToolException($"{socket} is a template; expected an instance of it, such as {socket.Replace("@.", "@NAME.", StringComparison.Ordinal)}");
        IReadOnlyDictionary<string, string> unit = Loaded(socket, "expected a socket unit that systemd has loaded");
        (IReadOnlyList<string> addresses, EndPoint peer) = Reach(socket, unit, hasLoopback6);
        bool isPerConnection = Value(unit, "Accept") == "yes";
        string proxy = isPerConnection ? TemplateOf(socket) : Value(unit, "Triggers");
        if (proxy.Length == 0)
            throw new ToolException($"{socket} triggers no service; expected NAME.service, or Service= in it");
        string shown = isPerConnection ? proxy.Replace("@.", $"@{SampleInstance}.", StringComparison.Ordinal) : proxy;
        IReadOnlyDictionary<string, string> service = Loaded(shown, $"expected the service that {socket} triggers");
        VerifyTarget target = new()
        {
            Socket = socket,
            Addresses = addresses,
            Peer = peer,
            Proxy = isPerConnection ? proxy.Replace("@.", "@*.", StringComparison.Ordinal) : proxy,
            Hooks = [],
            Backend = null,
            Waker = BackendWaker.Systemd,
        };
        return WithBackend(target, service, backend is null ? null : ExecProperty.WithSuffix(backend, ".service"));
    }

    private static (IReadOnlyList<string> Addresses, EndPoint Peer) Reach(string socket, IReadOnlyDictionary<string, string> unit, bool hasLoopback6)
    {
        IReadOnlyList<string> addresses = ListenProperty.Streams(Value(unit, "Listen"));
        if (addresses.Count == 0)
            throw new ToolException($"{socket} has no stream socket; expected ListenStream= in it");
        EndPoint peer = ListenProperty.Reach(addresses[0], hasLoopback6)
            ?? throw new ToolException($"{socket} listens at {addresses[0]}, which verify can't reach; expected a TCP or Unix socket");
        if (Value(unit, "ActiveState") != "active")
        {
            string why = Value(unit, "ActiveState") == "failed" ? $"has failed ({Value(unit, "Result")})" : $"is {Value(unit, "ActiveState")}";
            throw new ToolException($"{socket} {why}; expected it to listen: systemctl start {socket}");
        }
        return (addresses, peer);
    }

    private VerifyTarget WithBackend(VerifyTarget target, IReadOnlyDictionary<string, string> proxy, string? given)
    {
        if (given is not null && (given == target.Proxy || !given.EndsWith(".service", StringComparison.Ordinal)))
            throw new ToolException($"--backend: {given} is no backend; expected the service that {target.Proxy} stands before");
        string command = Value(proxy, "ExecStart");
        string? ownUnit = ExecProperty.Option(command, "--backend-unit");
        if (ownUnit is null && given is null && ExecProperty.Option(command, "--exec") is not null)
        {
            return target.IsPerConnection
                ? throw new ToolException($"{target.Proxy} starts a backend for each connection (Accept=yes, --exec=); expected one that all share")
                : target with { Waker = BackendWaker.ProxyAsChild };
        }
        if (ownUnit is not null)
        {
            string unit = given ?? ExecProperty.WithSuffix(ownUnit, ".service");
            Loaded(unit, $"expected the unit that --backend-unit= of {target.Proxy} names");
            return target with { Backend = unit, IsBackendSaid = given is not null, Waker = BackendWaker.Proxy };
        }
        (string? backend, List<string> hooks) = Follow(target, proxy, given);
        backend ??= given ?? throw new ToolException($"{target.Proxy} names no backend; {NoBackend}");
        Loaded(backend, $"expected the backend of {target.Proxy}");
        return target with { Backend = backend, IsBackendSaid = given is not null, Hooks = hooks };
    }

    /// <summary>From the proxy to its backend, over one hook at most.</summary>
    private (string? Backend, List<string> Hooks) Follow(VerifyTarget target, IReadOnlyDictionary<string, string> proxy, string? given)
    {
        List<string> backends = [], hooks = [];
        foreach (string first in Started(target.Proxy, proxy))
        {
            IReadOnlyDictionary<string, string> unit = show(first);
            // A hook is a unit that only does something when it starts. One that starts nothing may be the backend itself.
            string[] next = Value(unit, "Type") == "oneshot" ? [.. Started(first, unit).Where(u => u != target.Proxy)] : [];
            if (next.Length > 0 && first != given)
                hooks.Add(first);
            backends.AddRange(next.Length > 0 && first != given ? next : [first]);
        }
        string[] found = [.. backends.Distinct()];
        if (given is null && found.Length > 1)
            throw new ToolException($"{target.Proxy} starts {string.Join(" and ", found)}; expected --backend UNIT to say which one it serves");
        return (given ?? found.FirstOrDefault(), hooks);
    }

    /// <summary>The services that start with a unit, because it depends on them or because its commands start them.</summary>
    private static IEnumerable<string> Started(string name, IReadOnlyDictionary<string, string> unit)
    {
        IEnumerable<string> tied = s_starting.SelectMany(key => Value(unit, key).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        IEnumerable<string> called = from key in (string[])["ExecStartPre", "ExecStart", "ExecStartPost"]
                                     from started in ExecProperty.UnitsStarted(Value(unit, key))
                                     select started;
        return tied.Concat(called).Where(u => u.EndsWith(".service", StringComparison.Ordinal) && u != name).Distinct();
    }

    private IReadOnlyDictionary<string, string> Loaded(string unit, string expected)
    {
        IReadOnlyDictionary<string, string> properties = show(unit);
        return Value(properties, "LoadState") switch
        {
            "loaded" => properties,
            "not-found" or "" => throw new ToolException($"there is no unit {unit}; {expected}"),
            string state => throw new ToolException($"{unit} is {state}; {expected}"),
        };
    }

    private static string Value(IReadOnlyDictionary<string, string> unit, string key) => unit.GetValueOrDefault(key, "");

    /// <summary>systemd makes the instances of NAME@.service for NAME.socket, and for NAME@X.socket too (systemd.socket(5), Accept=).</summary>
    private static string TemplateOf(string socket) => $"{socket[..^".socket".Length].Split('@')[0]}@.service";
}
