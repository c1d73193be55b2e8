using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>
/// A socket with <c>Accept=yes</c> and a proxy for each connection: one proxy that listens stands in for all of them, for only a client that
/// nobody has accepted yet waits where it can't be lost.
/// </summary>
internal sealed class MigrationAccept
{
    private readonly MigrationTrio _trio;
    private readonly MigrationFiles _files;

    /// <exception cref="NotUnderstoodException">The template makes use of what it is told about the connection.</exception>
    internal MigrationAccept(MigrationTrio trio, MigrationFiles files)
    {
        _trio = trio;
        _files = files;
        Unit socket = trio.Sockets[0];
        IsConverted = socket.IsTrue("Socket", "Accept");
        Service = trio.Service.Name;
        if (!IsConverted)
            return;
        UnitItem? personal = trio.Service.Sources.SelectMany(source => source.Assignments).Select(a => a.Item)
            .FirstOrDefault(item => item.Value.Contains("%i", StringComparison.Ordinal) || item.Value.Contains("%I", StringComparison.Ordinal)
                || item.Value.Contains("REMOTE_", StringComparison.Ordinal));
        if (personal is not null)
        {
            throw new NotUnderstoodException($"{trio.Service.Path}:{personal.Line}: {personal.Name}= wants to know the connection (Accept=yes),"
                + " and one proxy serves them all");
        }
        if (trio.Service.Sources.Count > 1)
            throw new NotUnderstoodException($"{trio.Service.Name} has drop-ins ({trio.Service.Sources[1].Path}), and it would get another name (Accept=yes)");
        string stem = trio.Service.Parts.Prefix;
        Service = trio.Find($"{stem}.service") is null ? $"{stem}.service" : $"{stem}-proxy.service";
        if (trio.Find(Service) is not null)
            throw new NotUnderstoodException($"{stem}.service and {Service} are there already, and the proxy of {socket.Name} (Accept=yes) needs such a name");
        if (socket.Last("Socket", "MaxConnections") is { } maximum && trio.Options["connections-max"] is null)
            Options = [$"--connections-max={maximum.Value}"];
        Notes.Add($"Accept= of {socket.Name} is gone: one proxy in {Service} serves all connections, and holds those that wait");
    }

    internal bool IsConverted { get; }

    /// <summary>What the proxy's unit is called afterwards.</summary>
    internal string Service { get; }

    /// <summary>Options that stand for the socket's settings for single connections.</summary>
    internal IReadOnlyList<string> Options { get; } = [];

    internal List<string> Notes { get; } = [];

    /// <summary>Renames the edited service, and opens the socket for it.</summary>
    internal void Finish()
    {
        if (!IsConverted)
            return;
        // The connection was its standard input, and by default its output then; a listening socket there would swallow the log.
        foreach (string key in (string[])["StandardInput", "StandardOutput", "StandardError"])
        {
            foreach (Setting setting in _trio.Service.All("Service", key).Where(setting => setting.Value == "socket"))
                _files.Remove(_trio.Service, setting);
        }
        UnitFile template = _trio.Service.Sources[0];
        UnitFile edited = _files.Editable(template);
        string folder = edited.Path[..edited.Path.LastIndexOf('/')];
        string text = edited.ToText();
        _files.Add($"{folder}/{Service}", text);
        _files.Remove(template);
        foreach (Unit socket in _trio.Sockets)
        {
            foreach (string key in (string[])["Accept", "MaxConnections", "MaxConnectionsPerSource"])
            {
                foreach (Setting setting in socket.All("Socket", key))
                    _files.Remove(socket, setting);
            }
            if (new UnitName(Service).Stem != socket.Parts.Stem)
                _files.Set(socket, "Socket", "Service", Service);
        }
    }
}
