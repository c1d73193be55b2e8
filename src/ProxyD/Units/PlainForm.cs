using System.Globalization;
using ProxyD.Interop;

namespace ProxyD.Units;

/// <summary>What the machine says of a service that is to get a proxy.</summary>
/// <param name="ListensAt">Addresses at which its processes listen now, as <c>ListenStream=</c> takes them; none when it doesn't run.</param>
/// <param name="IsTaken">Whether somebody listens on a port of loopback.</param>
/// <param name="EnvironmentFiles">The texts of its environment files.</param>
internal sealed record PlainService(IReadOnlyList<string> ListensAt, Func<int, bool> IsTaken, IReadOnlyList<string> EnvironmentFiles);

/// <summary>A trio in place of a service that listened itself: the daemon moves to another port, and its name becomes the proxy's.</summary>
internal sealed class PlainForm
{
    private const string StandardIdleTime = "5min";

    private static readonly string[] s_loopbacks = ["127.0.0.1", "localhost", "::1", "[::1]"];

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
        Address backend = FindBackend(open, moved);
        TrioRequest request = new()
        {
            Name = Stem,
            Public = open,
            BackendAddress = backend,
            Existing = BackendName,
            IdleStop = _wishes.IdleStop ?? StandardIdleTime,
            IsUser = _wishes.IsUser,
            IsPlain = !_wishes.IsResident,
            Proxyd = _wishes.Proxyd,
        };
        if (request.Problem() is { } problem)
            throw new NotUnderstoodException($"{_service.Name}: {problem}");
        AddBackend(files, moved, backend);
        foreach (GeneratedFile file in TrioFiles.Of(request, new("no", StopWhenUnneeded: request.IsPlain, RefuseManualStart: false)))
        {
            // The drop-in for a unit that is somebody else's: this one is ours to write.
            if (file.Name.Contains(".d/", StringComparison.Ordinal))
                continue;
            string path = $"{_wishes.FolderOf(file.Home)}/{file.Name}";
            bool isOwn = path == _service.Path;
            files.Add(path, file.Text, isOwn ? _service.Sources[0].ToBytes() : null);
        }
        _notes.Insert(0, $"{_service.Name} becomes the proxy; the daemon moves to {BackendName}, where it listens on {backend.Text}");
        if (request.IsPlain)
            _notes.Add("a daemon that ends by itself when nobody uses it is kept up until the proxy sleeps, too; --resident lets it go at once");
        return new(MigrationForm.Plain, request.Socket, request.Proxy, BackendName)
        {
            Files = files.Changes,
            Notes = _notes,
            WaitBind = request.WaitBind,
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
        ports.RemoveAll(setting => setting.Rank > ports[0].Rank && setting.Port != ports[0].Port);
        int[] numbers = [.. ports.Select(setting => setting.Port!.Value).Distinct()];
        if (numbers.Length > 1)
        {
            string all = string.Join(", ", ports.Select(setting => $"{setting.Name} {setting.Port}"));
            throw new NotUnderstoodException($"{_service.Name} names several ports ({all});"
                + " which of them is to sleep behind a proxy, --public=ADDRESS says");
        }
        if (numbers.Length == 0 && (wanted is null || (_wishes.PortVariable is null && _wishes.Backend is null)))
            throw new NotUnderstoodException(NoPort());
        string[] hosts = [.. _settings.Where(setting => setting.Host is not null).Select(setting => setting.Host!).Distinct()];
        wanted ??= Listening(numbers[0], hosts);
        return (wanted, [.. ports, .. _settings.Where(setting => setting is { Port: null, Host: not null })]);
    }

    private string NoPort()
    {
        string seen = _seen.ListensAt.Count > 0 ? $" (it listens on {string.Join(" and ", _seen.ListensAt)})" : "";
        string example = _seen.ListensAt.Count > 0 ? _seen.ListensAt[0] : "127.0.0.1:8080";
        return $"{_service.Name} doesn't say where it listens{seen}; expected --public={example} --port-variable=PORT, if an environment variable tells it"
            + $" its port, or --public=ADDRESS --backend={example}, if it can't be moved and clients are to come elsewhere";
    }

    /// <summary>The address that clients use now.</summary>
    private PublicAddress Listening(int port, string[] hosts)
    {
        string number = port.ToString(CultureInfo.InvariantCulture);
        string? seen = _seen.ListensAt.FirstOrDefault(address => address == number || address.EndsWith($":{number}", StringComparison.Ordinal));
        string? host = hosts is [var only] ? only : null;
        string text;
        if (host is not null)
            text = host is "*" or "+" or "" or "::" or "[::]" ? number : host == "localhost" ? $"127.0.0.1:{number}" : $"{Bracketed(host)}:{number}";
        else if (seen is not null)
            text = seen;
        else
        {
            text = $"127.0.0.1:{number}";
            _notes.Add($"whether others than this machine reached it can't be seen while it doesn't run; --public={number} listens on every address");
        }
        return PublicAddress.TryParse(text, out PublicAddress? address, out string? problem)
            ? address
            : throw new NotUnderstoodException($"{_service.Name} listens on {text}: {problem}; expected --public=ADDRESS");
    }

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;

    private Address FindBackend(PublicAddress open, List<PortSetting> moved)
    {
        int port = open.Address.Port;
        int free = moved.Exists(setting => setting.Port is not null) || _wishes.PortVariable is not null ? FreePort(port) : port;
        string text = _wishes.Backend ?? $"{BackendHost(moved)}:{free.ToString(CultureInfo.InvariantCulture)}";
        return Address.TryParse(text, null, out Address? address, out string? problem) && address.Port > 0
            ? address
            : throw new NotUnderstoodException($"--backend: '{text}' is not accepted: {problem ?? "it has no port"}; expected HOST:PORT");
    }

    /// <summary>A daemon that was told a host keeps to loopback; of one that was not, only the kernel knows which loopback it takes.</summary>
    private static string BackendHost(List<PortSetting> moved) => moved.Exists(setting => setting.Host is "::1" or "[::1]") ? "[::1]" : "127.0.0.1";

    /// <summary>Outside of the ports that the kernel gives to clients (ip_local_port_range), 10000 and the last four digits first.</summary>
    private int FreePort(int port)
    {
        HashSet<int> named = [.. _units.Units.SelectMany(unit => unit.All("Socket", "ListenStream")).Select(setting => PortAtEnd(setting.Value))];
        IEnumerable<int> candidates = ((int[])[10_000, 20_000]).Select(start => start + (port % 10_000)).Concat(Enumerable.Range(18_000, 1000));
        return candidates.First(candidate => candidate != port && !named.Contains(candidate) && !_seen.IsTaken(candidate));
    }

    private static int PortAtEnd(string address) =>
        int.TryParse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) ? port : 0;

    /// <summary>The service's own files under the backend's name, with its new address in them.</summary>
    private void AddBackend(MigrationFiles files, List<PortSetting> moved, Address backend)
    {
        foreach (UnitFile source in _service.Sources)
        {
            bool isDropIn = source != _service.Sources[0];
            string folder = source.Path[..source.Path.LastIndexOf('/')];
            string own = folder[(folder.LastIndexOf('/') + 1)..];
            // Drop-ins for all services, or for all whose names begin alike, hold for the backend as well.
            if (isDropIn && own != $"{_service.Name}.d")
                continue;
            if (isDropIn && files.IsForeign(source.Path))
            {
                throw new NotUnderstoodException($"{source.Path} is a package's drop-in for {_service.Name}, and would hold for the proxy;"
                    + " mask it first (systemd.unit(5))");
            }
            UnitFile copy = UnitFile.Parse(source.ToBytes(), source.Path);
            Move(copy, moved.Where(setting => setting.Setting.Path == source.Path), backend);
            if (!isDropIn)
                PrepareBackend(copy, moved, backend);
            InstallSection.Remove(copy);
            KeepNames(copy);
            string file = source.Path[(source.Path.LastIndexOf('/') + 1)..];
            files.Add(isDropIn ? $"{_wishes.UnitFolder}/{BackendName}.d/{file}" : $"{_wishes.UnitFolder}/{BackendName}", copy.ToText());
            if (isDropIn)
                files.Remove(source);
        }
    }

    private void Move(UnitFile copy, IEnumerable<PortSetting> settings, Address backend)
    {
        string host = backend.Text[..backend.Text.LastIndexOf(':')];
        foreach (IGrouping<UnitItem, PortSetting> line in settings.GroupBy(setting => setting.Setting.Item))
        {
            UnitItem item = copy.Items.First(other => other.Line == line.Key.Line);
            UnitItem changed = item;
            foreach (PortSetting setting in line.OrderByDescending(setting => setting.Index))
            {
                string own = setting.Host is { } given && !PortFinder.IsAnywhere(given) && s_loopbacks.Contains(given) ? given : host;
                string word = setting.For(setting.Port is null ? own.Trim('[', ']') : own, backend.Port);
                if (setting.Port is null && own == setting.Host)
                    continue;
                changed = UnitWord.Replace(changed, setting.Index, word);
                _notes.Add($"{setting.Name} of the daemon is {word[setting.Before.Length..]} now");
            }
            copy.Replace(item, changed with { Line = item.Line });
        }
    }

    private void PrepareBackend(UnitFile copy, List<PortSetting> moved, Address backend)
    {
        string number = backend.Port.ToString(CultureInfo.InvariantCulture);
        if (_wishes.PortVariable is { } variable && !moved.Exists(setting => setting.Name == $"Environment={variable}"))
            AddVariable(copy, $"{variable}={number}");
        MigrationFiles.SetNew(copy, "Unit", "StartLimitIntervalSec", "0");
        if (!_wishes.IsResident)
            MigrationFiles.SetNew(copy, "Unit", "StopWhenUnneeded", "yes");
        copy.Set("Service", "Restart", "no");
    }

    /// <summary>What an EnvironmentFile= sets, Environment= can't change; systemd.exec(5).</summary>
    private void AddVariable(UnitFile copy, string assignment)
    {
        string name = assignment.Split('=')[0];
        bool isInFile = _seen.EnvironmentFiles.Any(text => text.Split('\n').Any(line => line.TrimStart().StartsWith(name + "=", StringComparison.Ordinal)));
        UnitItem command = copy.Assignments.Last(a => a.Item is { Name: "ExecStart", Value.Length: > 0 }).Item;
        if (!isInFile)
        {
            copy.InsertBefore(command, UnitFile.Assignment("Environment", assignment));
            return;
        }
        ExecCommand parsed = ExecLine.Parse(command.Value)[0];
        int at = command.Raw.IndexOf(parsed.Executable, StringComparison.Ordinal);
        copy.Replace(command, command with { Raw = command.Raw.Insert(at, $"/usr/bin/env {assignment} ") });
        _notes.Add($"{name} is set by an EnvironmentFile=, which comes after Environment=: env(1) puts the new one in");
    }

    /// <summary>Specifiers that stand for the unit's name go on standing for the old one: its folders of state are called by it.</summary>
    private void KeepNames(UnitFile copy)
    {
        foreach (UnitItem item in copy.Items.Where(item => item.Kind == UnitItemKind.Assignment && item.Raw.Contains('%', StringComparison.Ordinal)).ToArray())
        {
            string raw = item.Raw;
            for (int at = raw.IndexOf('%', StringComparison.Ordinal); at >= 0 && at + 1 < raw.Length; at = raw.IndexOf('%', at + 2))
            {
                string? name = raw[at + 1] switch
                {
                    'n' => _service.Name,
                    'N' or 'p' or 'P' => Stem,
                    _ => null,
                };
                if (name is not null)
                    raw = string.Concat(raw.AsSpan(0, at), name, raw.AsSpan(at + 2));
                if (at + 2 > raw.Length)
                    break;
            }
            if (raw != item.Raw)
                copy.Replace(item, item with { Raw = raw });
        }
    }
}
