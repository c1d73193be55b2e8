using System.Net.Sockets;
using ProxyD.Interop;
using ProxyD.Machine;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>What the manager and the machine say about what is there already.</summary>
/// <param name="systemctl">Whose manager is asked.</param>
/// <param name="isUser">It is the user's.</param>
/// <param name="ownPath">Where the running proxyd is.</param>
internal sealed class InitSystem(Systemctl systemctl, bool isUser, string ownPath)
{
    /// <summary>Where a hardened service of the system finds nothing (ProtectHome=), or what is gone after a boot.</summary>
    private static readonly string[] s_passingPlaces = ["/home/", "/root/", "/run/", "/tmp/", "/var/tmp/"];

    private static readonly string[] s_proxies = ["proxyd", "systemd-socket-proxyd"];

    private readonly Dictionary<string, Dictionary<string, string>> _shown = new(StringComparer.Ordinal);

    /// <summary>Which proxyd the units shall run: this one, if it is in a place to stay.</summary>
    internal string Proxyd => !isUser && Array.Exists(s_passingPlaces, place => ownPath.StartsWith(place, StringComparison.Ordinal))
        ? DaemonFile.UsualPath
        : ownPath;

    /// <summary>Whether the user's manager runs without a login (loginctl(1)).</summary>
    internal static bool Lingers => File.Exists($"/var/lib/systemd/linger/{Environment.UserName}");

    internal bool IsActive(string unit) => Property(unit, "ActiveState") is "active" or "activating" or "reloading";

    internal bool IsEnabled(string unit) => Unit.IsInForce(Property(unit, "UnitFileState"));

    /// <summary>The name under which the manager has a unit that may be called by an alias.</summary>
    internal string MainName(string unit) => Property(unit, "LoadState") == "loaded" ? Property(unit, "Id") : unit;

    /// <summary>A user's primary group, by its number where its name has characters that a unit would read otherwise; null without such a user.</summary>
    internal static string? GroupOf(string user)
    {
        (int status, string name, _) = OtherProgram.Run("id", "-gn", "--", user);
        if (status != 0)
            return null;
        bool isPlain = name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return isPlain ? name : OtherProgram.Run("id", "-g", "--", user).Output;
    }

    /// <summary>A unit without what an earlier init has added to it; null when there is none.</summary>
    internal Unit? Load(string unit)
    {
        if (Property(unit, "LoadState") is not "loaded" || new UnitLoader(isUser).Load(unit) is not { } loaded)
            return null;
        return new(unit, [.. loaded.Sources.Where(source => Path.GetFileName(source.Path) != TrioFiles.DropInName)], isUser);
    }

    /// <summary>What it says about itself.</summary>
    internal ExistingUnit? Look(string unit)
    {
        if (Load(unit) is not { } own)
            return null;
        return new(own.Last("Service", "Restart")?.Value ?? "no", own.IsTrue("Unit", "StopWhenUnneeded"), own.IsTrue("Unit", "RefuseManualStart"));
    }

    /// <summary>What a service runs that is no proxy; null when it runs one, or is not there.</summary>
    internal string? OtherProgramOf(string service)
    {
        if (Property(service, "FragmentPath") is not ['/', ..] path || !File.Exists(path))
            return null;
        IEnumerable<ExecCommand> commands = new Unit(service, [UnitLoader.ReadFile(path)], isUser).All("Service", "ExecStart")
            .SelectMany(setting => ExecLine.Parse(setting.Value));
        return commands.FirstOrDefault(command => !s_proxies.Contains(command.FileName))?.Executable;
    }

    /// <summary>Stops before anything is written, when it could not work.</summary>
    /// <exception cref="ToolException">What is missing or in the way.</exception>
    internal void RequireInstallable(TrioRequest request)
    {
        systemctl.Must("show", "--property=Version");
        if (request.Existing is { } existing && Look(existing) is null)
            throw new ToolException($"--unit: there is no {existing}; expected a unit that systemctl cat shows");
        if (OtherProgramOf(request.Proxy) is { } other)
        {
            throw new ToolException($"{request.Proxy} is there already, and runs {other}; expected another NAME"
                + $" (with --unit={request.Proxy} that becomes the backend), or: proxyd migrate {request.Proxy}");
        }
        foreach (string program in (string[])[request.Proxyd, .. request.Command is { } command ? [command[0]] : (string[])[]])
        {
            if (!File.Exists(program))
            {
                string advice = program == request.Proxyd ? DaemonFile.InstallAs(program) : "--exec with the path of a program";
                throw new ToolException($"there is no {program}; expected {advice}");
            }
        }
        if (request.RunAs is { } user && OtherProgram.Run("getent", "passwd", user).ExitStatus != 0)
            throw new ToolException($"--run-as: there is no user {user}; expected one, such as: useradd --system {user}");
        if (request is { ProxyUser: not null, IsPlain: false } && Property("polkit.service", "LoadState") != "loaded")
            throw new ToolException("polkit is not installed, and without it an unprivileged proxyd may not start the backend; expected polkitd, or --plain");
        // Where the socket listens itself, on this address or another of the same port, it makes room.
        bool isOwn = IsActive(request.Socket) && Property(request.Socket, "Listen").Contains($":{request.Public.Address.Port} (", StringComparison.Ordinal);
        if (!isOwn && !IsFree(request.Public.Address))
            throw new ToolException($"--public: somebody listens on {request.Public.Listen} already (ss -ltnp shows who); expected a free address");
    }

    private static bool IsFree(Address address)
    {
        if (address.Port == 0)
            return true;
        System.Net.EndPoint end = address.ToEndPoint();
        try
        {
            using Socket socket = new(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // As systemd does, unlike .NET: [::] is IPv4's addresses too (BindIPv6Only=).
            if (end.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = true;
            socket.Bind(end);
            return true;
        }
        catch (SocketException e)
        {
            // What else may be wrong with it, systemd will say.
            return e.SocketErrorCode != SocketError.AddressAlreadyInUse;
        }
    }

    /// <summary>Empty where there is no manager to ask: then nothing is there.</summary>
    private string Property(string unit, string name)
    {
        if (!_shown.TryGetValue(unit, out Dictionary<string, string>? properties))
        {
            try
            {
                properties = systemctl.Show(unit, "Id", "LoadState", "ActiveState", "UnitFileState", "FragmentPath", "Listen");
            }
            catch (ToolException)
            {
                properties = [];
            }
            _shown[unit] = properties;
        }
        return properties.GetValueOrDefault(name, "");
    }
}
