using System.Globalization;
using ProxyD.Interop;

namespace ProxyD.Units;

/// <summary>What the machine says of a service that is to get a proxy.</summary>
/// <param name="ListensAt">Addresses at which its processes listen now, as <c>ListenStream=</c> takes them; none when it doesn't run.</param>
/// <param name="IsTaken">Whether somebody listens on a port of loopback.</param>
/// <param name="EnvironmentFiles">The texts of its environment files.</param>
internal sealed record PlainService(IReadOnlyList<string> ListensAt, Func<int, bool> IsTaken, IReadOnlyList<string> EnvironmentFiles)
{
    /// <summary>The text of a script or an environment file by its path; null for what is no text or not there.</summary>
    internal Func<string, string?> FileOf { get; init; } = _ => null;

    /// <summary>The units that name it, with the property of its own in which systemd says so: <c>RequiredBy</c>, <c>ConsistsOf</c>, …</summary>
    internal IReadOnlyList<(string Property, string Unit)> NamedBy { get; init; } = [];
}

/// <summary>A trio in place of a service that listened itself: the daemon moves to another port, and its name becomes the proxy's.</summary>
internal sealed class PlainForm
{
    private const string StandardIdleTime = "5min";
    private const string StandardWaitBind = "5s";

    private readonly Unit _service;
    private readonly UnitSet _units;
    private readonly MigrationWishes _wishes;
    private readonly PlainService _seen;
    private readonly List<string> _notes = [];
    private readonly List<PortSetting> _settings;

    /// <exception cref="NotUnderstoodException">It can't get a proxy, or where it listens can't be told.</exception>
    internal PlainForm(Unit service, UnitSet units, MigrationWishes wishes, PlainService seen)
    {
        _service = service;
        _units = units;
        _wishes = wishes;
        _seen = seen;
        _settings = [.. PortFinder.Find(service)];
        if (Obstacle() is { } why)
            throw new NotUnderstoodException(why);
    }

    private string Stem => _service.Parts.Stem;

    private string BackendName => $"{Stem}-backend.service";

    internal Migration Build(MigrationFiles files)
    {
        (PublicAddress open, List<PortSetting> moved) = FindPublic();
        int port = moved.Find(setting => setting.Port is not null)?.Port ?? open.Address.Port;
        PlainMove move = new(moved, port, open.IsOfOneInterface ? HostOf(open.Listen) : null, FindBackend(open, moved, port));
        PlainLines lines = new(_service, move, _seen.FileOf);
        TrioRequest request = new()
        {
            Name = Stem,
            Public = open,
            BackendAddress = move.To,
            Existing = BackendName,
            WaitBind = lines.WaitBind ?? StandardWaitBind,
            Ready = lines.Ready,
            IdleStop = _wishes.IdleStop ?? StandardIdleTime,
            IsUser = _wishes.IsUser,
            IsPlain = !_wishes.IsResident,
            Proxyd = _wishes.Proxyd,
        };
        if (request.Problem() is { } problem)
            throw new NotUnderstoodException($"{_service.Name}: {problem}");
        PlainBackend daemon = new(_service, _wishes, _seen, move);
        daemon.Add(files, BackendName, lines);
        _notes.AddRange([.. daemon.Notes, .. lines.Notes]);
        foreach (GeneratedFile file in TrioFiles.Of(request, new("no", StopWhenUnneeded: request.IsPlain, RefuseManualStart: false)))
        {
            // The drop-in for a unit that is somebody else's: this one is ours to write.
            if (file.Name.Contains(".d/", StringComparison.Ordinal))
                continue;
            string path = $"{_wishes.FolderOf(file.Home)}/{file.Name}";
            bool isOwn = path == _service.Path;
            files.Add(path, file.Text, isOwn ? _service.Sources[0].ToBytes() : null);
        }
        _notes.Insert(0, $"{_service.Name} becomes the proxy; the daemon moves to {BackendName}, where it listens on {move.To.Text}");
        foreach ((string key, string other) in PlainTies.Of(_service, _units, _seen))
            _notes.Add($"{key}={_service.Name} of {other} is about the proxy from now on; the daemon is {BackendName}");
        if (request.IsPlain)
            _notes.Add("a daemon that ends by itself when nobody uses it is kept up until the proxy sleeps, too; --resident lets it go at once");
        return new(MigrationForm.Plain, request.Socket, request.Proxy, BackendName)
        {
            Files = files.Changes,
            Notes = _notes,
            WaitBind = request.WaitBind,
            Ready = request.Ready,
            Stops = [_service.Name],
            Disables = [_service.Name],
            IsSocketNew = true,
            RuleFor = request.IsPlain ? null : request.ProxyUser,
        };
    }

    /// <summary>Why a service can't get a proxy.</summary>
    private string? Obstacle()
    {
        string name = _service.Name;
        if (_service.Parts.Instance is not null)
            return $"{name} is a template or an instance, and the port of each would be another; expected a service of its own";
        if (_service.Last("Service", "Type")?.Value is "oneshot" or "dbus")
            return $"{name} is Type={_service.Last("Service", "Type")!.Value}, no daemon behind a port";
        if (_service.Commands("ExecStart").Count() != 1)
            return $"{name} has no or several commands in ExecStart=; expected one daemon";
        if (_units.SocketsOf(_service).FirstOrDefault() is { } socket)
            return $"{name} takes its sockets from {socket.Name} itself: a daemon that speaks LISTEN_FDS needs no proxy";
        if (_units.Find($"{Stem}.socket") is not null || _units.Find(BackendName) is not null)
            return $"{Stem}.socket or {BackendName} is there already; expected neither, for {name} is to become the proxy between them";
        (string? key, string other) = PlainTies.Of(_service, _units, _seen).FirstOrDefault(tie => PlainTies.IsFirm(tie.Key));
        if (key is not null && !_wishes.IsResident)
        {
            return $"{key}={name} of {other} would be about the proxy, which ends when nobody needs it and takes {other} with it;"
                + $" have {other} name {Stem}.socket, or {BackendName} afterwards, or let the proxy stay with --resident";
        }
        return null;
    }

    /// <summary>Where clients come, and the words that say so to the daemon.</summary>
    private (PublicAddress Public, List<PortSetting> Moved) FindPublic()
    {
        PublicAddress? wanted = null;
        if (_wishes.Public is { } text && !PublicAddress.TryParse(text, out wanted, out string? problem))
            throw new NotUnderstoodException($"--public: '{text}' is not accepted: {problem}; expected {PublicAddress.Accepted}");
        List<PortSetting> ports = [.. _settings.Where(setting => setting.Port is not null)];
        if (_wishes.PortVariable is { } variable)
            ports = [.. ports.Where(setting => setting.Name == $"Environment={variable}")];
        if (wanted is not null && wanted.Address.Port > 0 && ports.Exists(setting => setting.Port == wanted.Address.Port))
            ports.RemoveAll(setting => setting.Port != wanted.Address.Port);
        ports.RemoveAll(setting => setting.Rank > ports[0].Rank
            && (setting.Port != ports[0].Port || (setting.Host is { } other && !PortFinder.IsLocal(other))));
        int[] numbers = [.. ports.Select(setting => setting.Port!.Value).Distinct()];
        if (numbers.Length > 1)
        {
            string all = string.Join(", ", ports.Select(setting => $"{setting.Name} {setting.Port}"));
            throw new NotUnderstoodException($"{_service.Name} names several ports ({all});"
                + " which of them is to sleep behind a proxy, --public=ADDRESS says");
        }
        if (numbers.Length == 0 && (wanted is null || (_wishes.PortVariable is null && _wishes.Backend is null)))
            throw new NotUnderstoodException(NoPort());
        IEnumerable<string> names = ports.Select(setting => setting.Name);
        List<PortSetting> moved = [.. ports, .. PortFinder.HostsOf(_settings, _wishes.PortVariable is { } own ? names.Append(own) : names)];
        string[] hosts = [.. moved.Where(setting => setting.Host is not null).Select(setting => setting.Host!).Distinct()];
        wanted ??= Listening(numbers[0], hosts);
        return (wanted, moved);
    }

    private string NoPort()
    {
        string seen = _seen.ListensAt.Count > 0 ? $" (it listens on {string.Join(" and ", _seen.ListensAt)})" : "";
        string example = _seen.ListensAt.Count > 0 ? _seen.ListensAt[0] : "127.0.0.1:8080";
        string backend = example.All(char.IsAsciiDigit) ? $"127.0.0.1:{example}" : example;
        return $"{_service.Name} doesn't say where it listens{seen}; expected --public={example} --port-variable=PORT, if an environment variable tells it"
            + $" its port, or --public=ADDRESS --backend={backend}, if it can't be moved and clients are to come elsewhere";
    }

    /// <summary>The address that clients use now.</summary>
    private PublicAddress Listening(int port, string[] hosts)
    {
        string number = port.ToString(CultureInfo.InvariantCulture);
        string? seen = SeenAt(port);
        string? host = hosts is [var only] ? only : null;
        string text;
        // The kernel doesn't say whether every address is also every one of IPv6.
        if (seen is not null && !(seen == number && host is not null && PortFinder.IsAnywhere(host)))
            text = seen;
        else if (host is not null)
            text = host is "*" or "+" or "" or "::" or "[::]" ? number : host == "localhost" ? $"127.0.0.1:{number}" : $"{Bracketed(host)}:{number}";
        else
        {
            text = $"127.0.0.1:{number}";
            _notes.Add($"whether others than this machine reached it can't be seen while it doesn't run; --public={number} listens on every address");
        }
        return PublicAddress.TryParse(text, out PublicAddress? address, out string? problem)
            ? address
            : throw new NotUnderstoodException($"{_service.Name} listens on {text}: {problem}; expected --public=ADDRESS");
    }

    private string? SeenAt(int port)
    {
        string number = port.ToString(CultureInfo.InvariantCulture);
        return _seen.ListensAt.FirstOrDefault(address => address == number || address.EndsWith($":{number}", StringComparison.Ordinal));
    }

    private static string HostOf(string address) => address[..Math.Max(address.LastIndexOf(':'), 0)];

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;

    private Address FindBackend(PublicAddress open, List<PortSetting> moved, int port)
    {
        int free = moved.Exists(setting => setting.Port is not null) || _wishes.PortVariable is not null ? FreePort(open.Address.Port) : open.Address.Port;
        string text = _wishes.Backend ?? $"{BackendHost(moved, port)}:{free.ToString(CultureInfo.InvariantCulture)}";
        return Address.TryParse(text, null, out Address? address, out string? problem) && address.Port > 0
            ? address
            : throw new NotUnderstoodException($"--backend: '{text}' is not accepted: {problem ?? "it has no port"}; expected HOST:PORT");
    }

    /// <summary>A daemon that is told a host is told loopback. Of one that is not only the kernel knows which address it takes, and it keeps that.</summary>
    private string BackendHost(List<PortSetting> moved, int port)
    {
        if (moved.Exists(setting => setting.Host is "::1" or "[::1]"))
            return "[::1]";
        string? kept = moved.Exists(setting => setting.Host is not null) ? null : SeenAt(port);
        return kept is null || HostOf(kept).Length == 0 ? "127.0.0.1" : HostOf(kept);
    }

    /// <summary>Outside of the ports that the kernel gives to clients (ip_local_port_range), 10000 and the last four digits first.</summary>
    private int FreePort(int port)
    {
        HashSet<int> named = [.. _units.Units.SelectMany(unit => unit.All("Socket", "ListenStream")).Select(setting => PortAtEnd(setting.Value))];
        IEnumerable<int> candidates = ((int[])[10_000, 20_000]).Select(start => start + (port % 10_000)).Concat(Enumerable.Range(18_000, 1000));
        return candidates.First(candidate => candidate != port && !named.Contains(candidate) && !_seen.IsTaken(candidate));
    }

    private static int PortAtEnd(string address) =>
        int.TryParse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : 0;
}
