using System.Globalization;
using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>Where the clients of a plain service come, and the words that tell its daemon so.</summary>
internal sealed class PlainListener
{
    private readonly Unit _service;
    private readonly MigrationWishes _wishes;
    private readonly PlainService _seen;
    private readonly List<PortSetting> _settings;

    /// <exception cref="NotUnderstoodException">It can't be told.</exception>
    internal PlainListener(Unit service, MigrationWishes wishes, PlainService seen)
    {
        _service = service;
        _wishes = wishes;
        _seen = seen;
        HashSet<string> inFiles = [.. UnitEnvironment.NamesInFiles(service, seen.FileOf).Select(name => PortFinder.VariableName + name)];
        _settings = [.. PortFinder.Find(service).Where(setting => !inFiles.Contains(setting.Name))];
        List<PortSetting> ports = FindPorts(wishes.Public);
        IEnumerable<string> names = ports.Select(setting => setting.Name);
        Moved = [.. ports, .. PortFinder.HostsOf(_settings, wishes.PortVariable is { } own ? names.Append(own) : names)];
        string[] hosts = [.. Moved.Where(setting => setting.Host is not null).Select(setting => setting.Host!).Distinct()];
        Public = wishes.Public ?? Listening(ports[0].Port!.Value, hosts);
        Port = ports is [var first, ..] ? first.Port!.Value : Public.Address.Port;
        NoteUnreadFiles();
        NoteOthers();
    }

    /// <summary>The address that stays the clients'.</summary>
    internal PublicAddress Public { get; }

    /// <summary>Where the daemon listens now.</summary>
    internal int Port { get; }

    /// <summary>The words that tell it.</summary>
    internal IReadOnlyList<PortSetting> Moved { get; }

    internal List<string> Notes { get; } = [];

    /// <summary>At which address the kernel shows it now, as <c>ListenStream=</c> takes it; null when it doesn't.</summary>
    internal string? SeenAt(int port) => _seen.ListensAt.FirstOrDefault(address => IsAt(address, port));

    /// <summary>Whether an address, as <c>ListenStream=</c> takes it, has that port.</summary>
    internal static bool IsAt(string address, int port)
    {
        string number = port.ToString(CultureInfo.InvariantCulture);
        return address == number || address.EndsWith($":{number}", StringComparison.Ordinal);
    }

    /// <summary>A file that may say otherwise, and is not to be seen; one that need not be there is taken to be none.</summary>
    private void NoteUnreadFiles()
    {
        PortSetting? word = Moved.FirstOrDefault(setting => setting.Name.StartsWith(PortFinder.VariableName, StringComparison.Ordinal));
        string? unread = _service.All("Service", "EnvironmentFile").Select(setting => setting.Value)
            .FirstOrDefault(path => path[0] != '-' && _seen.FileOf(path) is null);
        if (word is not null && unread is not null)
        {
            Notes.Add($"EnvironmentFile={unread} can't be read here: if it sets {word.Name[PortFinder.VariableName.Length..]}, that holds,"
                + " and the daemon stays where it is");
        }
    }

    /// <summary>What else the daemon serves sleeps with it.</summary>
    private void NoteOthers()
    {
        string[] others =
        [
            .. _seen.ListensAt.Where(address => !IsAt(address, Port)),
            .. ContainerRun.IsIn(_service) ? _settings.Where(word => word.Port is { } its && its != Port).Select(word => $"{word.Port}") : [],
        ];
        if (others.Length > 0)
            Notes.Add($"it serves {string.Join(" and ", others)}, too; whoever comes there finds nobody while it sleeps, and wakes nobody");
    }

    private List<PortSetting> FindPorts(PublicAddress? wanted)
    {
        List<PortSetting> ports = [.. _settings.Where(setting => setting.Port is not null)];
        if (_wishes.PortVariable is { } variable)
            ports = [.. Variable(variable)];
        if (wanted is not null && wanted.Address.Port > 0 && ports.Exists(setting => setting.Port == wanted.Address.Port))
            ports.RemoveAll(setting => setting.Port != wanted.Address.Port);
        // Of several the kernel knows which is listened on.
        else if (ports.Exists(setting => SeenAt(setting.Port!.Value) is not null))
            ports.RemoveAll(setting => SeenAt(setting.Port!.Value) is null);
        ports.RemoveAll(setting => setting.Rank > ports[0].Rank
            && (setting.Port != ports[0].Port || (setting.Host is { } other && !PortFinder.IsLocal(other))));
        if (ports.Select(setting => setting.Port).Distinct().Count() > 1)
        {
            string all = string.Join(", ", ports.Select(setting => setting.Said));
            throw new NotUnderstoodException($"{_service.Name} names several ports ({all});"
                + " which of them is to sleep behind a proxy, --public=ADDRESS says");
        }
        if (ports.Count == 0 && (wanted is null || (_wishes.PortVariable is null && _wishes.Backend is null)))
            throw new NotUnderstoodException(NoPort());
        if (wanted is null && WhyNoServer(ports[0]) is { } why)
        {
            throw new NotUnderstoodException($"{_service.Name} says {ports[0].Said}, but {why};"
                + $" if clients come to that port all the same, --public={ports[0].Port} says so");
        }
        return ports;
    }

    /// <summary>The variable that the user names, whatever it is called.</summary>
    private IEnumerable<PortSetting> Variable(string name)
    {
        if (UnitEnvironment.NamesInFiles(_service, _seen.FileOf).Contains(name))
            return [];
        UnitFile? reset = _service.Sources.Skip(1)
            .FirstOrDefault(source => source.Assignments.Any(a => a is { Section: "Service", Item: { Name: "Environment", Value: "" } }));
        if (reset is not null)
            throw new NotUnderstoodException($"{reset.Path} takes Environment= back, and {name} with it; expected no line without a value there");
        if (PortFinder.Variable(_service, name, out bool isSet) is { } found)
            return [found];
        return isSet
            ? throw new NotUnderstoodException($"{name} of {_service.Name} is set to no port; expected --port-variable to name one that is, or isn't set")
            : [];
    }

    /// <summary>Why the port may be where it goes rather than where it listens; null for no reason.</summary>
    private string? WhyNoServer(PortSetting said)
    {
        if (SeenAt(said.Port!.Value) is not null || ContainerRun.IsIn(_service))
            return null;
        return _seen.IsSeen ? $"it runs and listens on {ListText("nothing yet")}" : ClientSigns.Of(_service, _seen.IsOwnAddress);
    }

    private string ListText(string nothing) => _seen.ListensAt.Count > 0 ? string.Join(" and ", _seen.ListensAt) : nothing;

    private string NoPort()
    {
        string seen = _seen.ListensAt.Count > 0 ? $" (it listens on {ListText("")})" : "";
        if (PortInFile() is { } inFile)
        {
            string at = SeenAt(inFile.Port) ?? $"127.0.0.1:{inFile.Port.ToString(CultureInfo.InvariantCulture)}";
            return $"{_service.Name} is told its port by {inFile.Variable} of an EnvironmentFile={seen}, which stays as it is;"
                + $" expected --public={at} --port-variable={inFile.Variable}, and the backend gets a port of its own";
        }
        string example = _seen.ListensAt.Count > 0 ? _seen.ListensAt[0] : "127.0.0.1:8080";
        string backend = example.All(char.IsAsciiDigit) ? $"127.0.0.1:{example}" : example;
        return $"{_service.Name} doesn't say where it listens{seen}; expected --public={example} --port-variable=PORT, if an environment variable tells it"
            + $" its port, or --public=ADDRESS --backend={backend}, if it can't be moved and clients are to come elsewhere";
    }

    /// <summary>A variable that a file sets to a port; where it runs, to one where it listens.</summary>
    private (string Variable, int Port)? PortInFile()
    {
        if (_service.Last("Service", "EnvironmentFile") is not { } file)
            return null;
        HashSet<string> names = UnitEnvironment.NamesInFiles(_service, _seen.FileOf);
        foreach ((string name, string value) in UnitEnvironment.Of(_service, _seen.FileOf).Where(variable => names.Contains(variable.Key)))
        {
            if (PortText.Read(name, "", value, file, 0)?.Port is { } port && (_seen.ListensAt.Count == 0 || SeenAt(port) is not null))
                return (name, port);
        }
        return null;
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
            Notes.Add($"whether others than this machine reached it can't be seen while it doesn't run; --public={number} listens on every address");
        }
        return PublicAddress.TryParse(text, out PublicAddress? address, out string? problem)
            ? address
            : throw new NotUnderstoodException($"{_service.Name} listens on {text}: {problem}; expected --public=ADDRESS");
    }

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;
}
