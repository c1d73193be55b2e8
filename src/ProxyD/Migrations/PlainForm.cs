using System.Globalization;
using ProxyD.Interop;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

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

    /// <exception cref="NotUnderstoodException">It can't get a proxy, or where it listens can't be told.</exception>
    internal PlainForm(Unit service, UnitSet units, MigrationWishes wishes, PlainService seen)
    {
        _service = service;
        _units = units;
        _wishes = wishes;
        _seen = seen;
        if (Obstacle() is { } why)
            throw new NotUnderstoodException(why);
    }

    private string Stem => _service.Parts.Stem;

    private string BackendName => $"{Stem}-backend.service";

    internal Migration Build(MigrationFiles files)
    {
        PlainListener listener = new(_service, _wishes, _seen);
        if (PlainObstacles.Find(_service, listener, _seen) is { } obstacle)
            throw new NotUnderstoodException(obstacle);
        PublicAddress open = listener.Public;
        PlainMove move = new(listener.Moved, listener.Port, open.IsOfOneInterface ? HostOf(open.Listen) : null, FindBackend(listener));
        PlainLines lines = new(_service, move, _seen.FileOf);
        TrioRequest request = new()
        {
            Name = Stem,
            Public = open,
            BackendAddress = move.To,
            Existing = BackendName,
            WaitBind = _wishes.WaitBind ?? lines.WaitBind ?? StandardWaitBind,
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
        _notes.AddRange([.. listener.Notes, .. daemon.Notes, .. lines.Notes]);
        NoteOpenPort(listener, move.To);
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
        NoteLeft();
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

    private static string HostOf(string address) => address[..Math.Max(address.LastIndexOf(':'), 0)];

    private Address FindBackend(PlainListener listener)
    {
        if (_wishes.Backend is { } wanted)
            return wanted;
        int port = listener.Public.Address.Port;
        int free = listener.Moved.Any(setting => setting.Port is not null) || _wishes.PortVariable is not null ? FreePort(port) : port;
        string text = $"{BackendHost(listener)}:{free.ToString(CultureInfo.InvariantCulture)}";
        return Address.TryParse(text, null, out Address? address, out string? problem)
            ? address
            : throw new NotUnderstoodException($"{_service.Name} listens on {text}: {problem}; expected --backend=HOST:PORT");
    }

    /// <summary>A daemon that is told a host is told loopback. Of one that is not only the kernel knows which address it takes, and it keeps that.</summary>
    private static string BackendHost(PlainListener listener)
    {
        if (listener.Moved.Any(setting => setting.Host is "::1" or "[::1]"))
            return "[::1]";
        string? kept = listener.Moved.Any(setting => setting.Host is not null) ? null : listener.SeenAt(listener.Port);
        return kept is null || HostOf(kept).Length == 0 ? "127.0.0.1" : HostOf(kept);
    }

    /// <summary>A daemon that is told no address takes the one that is its own default.</summary>
    private void NoteOpenPort(PlainListener listener, Address to)
    {
        string? seen = listener.SeenAt(listener.Port);
        if (listener.Moved.Any(setting => setting.Host is not null) || (seen is not null && HostOf(seen).Length > 0) || to.Port == listener.Port)
            return;
        string whether = seen is not null ? "it takes every address, being told none" : "if it takes every address, being told none";
        _notes.Add($"{whether}: port {to.Port} is open to the network as well, past the proxy; have it listen on {HostOf(to.Text)} only, or add"
            + $" IPAddressDeny=any and IPAddressAllow=localhost to {BackendName} if it goes to no other machine");
    }

    /// <summary>What was about the service's name, and isn't the proxy's.</summary>
    private void NoteLeft()
    {
        foreach (string key in (string[])["Alias", "Also"])
        {
            if (_service.Last("Install", key) is { } line)
                _notes.Add($"{key}={line.Value} of its [Install] goes: the socket is what starts at boot");
        }
        if (_service.Commands("ExecReload").Any())
            _notes.Add($"systemctl reload {_service.Name} is systemctl reload {BackendName} now");
        if (_service.Last("Unit", "PartOf") is { } part)
            _notes.Add($"PartOf={part.Value} holds for {BackendName} only; the socket and the proxy stay when {part.Value} stops");
    }

    /// <summary>Outside of the ports that the kernel gives to clients (ip_local_port_range), 10000 and the last four digits first.</summary>
    private int FreePort(int port)
    {
        // A backend that sleeps listens nowhere, but its port is written down.
        IEnumerable<UnitFile> files = _units.Units.SelectMany(unit => unit.Sources);
        HashSet<int> named = [.. files.SelectMany(file => file.Assignments).SelectMany(a => PortText.Numbers(a.Item.Value))];
        IEnumerable<int> candidates = ((int[])[10_000, 20_000]).Select(start => start + (port % 10_000)).Concat(Enumerable.Range(18_000, 1000));
        return candidates.First(candidate => candidate != port && !named.Contains(candidate) && !_seen.IsTaken(candidate));
    }
}
