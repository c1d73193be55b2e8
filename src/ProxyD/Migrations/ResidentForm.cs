using System.Globalization;
using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>The recommended shape of a trio: the proxy stays, owns its backend over D-Bus, is nobody in particular, and no unit is tied to another.</summary>
internal sealed class ResidentForm
{
    /// <summary>For a backend that systemd stopped when the proxy was gone, and whose units name no time.</summary>
    private const string StandardIdleTime = "5min";

    private static readonly string[] s_proxyTies = [.. MigrationTrio.StartingTies, "After", "PartOf", "StopPropagatedFrom"];

    private readonly MigrationTrio _trio;
    private readonly MigrationWishes _wishes;
    private readonly MinimalForm _minimal;
    private readonly Unit _backend;
    private readonly Unit _service;

    /// <param name="minimal">With the guards and the hooks gone, and nothing else done yet.</param>
    /// <exception cref="NotUnderstoodException">Which unit the backend is can't be told, there are several destinations, or something may wait for
    /// a backend that nobody has started.</exception>
    internal ResidentForm(MigrationTrio trio, MigrationWishes wishes, MinimalForm minimal)
    {
        _trio = trio;
        _wishes = wishes;
        _minimal = minimal;
        _service = trio.Service;
        _backend = minimal.Backend ?? throw new NotUnderstoodException(trio.Backends.Count == 0
            ? $"{_service.Name} names no backend, and --resident needs the unit that it is to start"
            : $"which of {string.Join(", ", trio.Backends)} is the backend of {_service.Name} can't be told, and --resident needs one");
        if (trio.Options.Destinations.Count > 1)
        {
            throw new NotUnderstoodException($"{_service.Name} goes to several destinations, and a resident proxyd owns the backend of one;"
                + " the minimal form keeps them");
        }
        if (trio.Preparations.FirstOrDefault(site => !PlainCommands.Are(site.Reading)) is { } unclear)
        {
            throw new NotUnderstoodException($"{MigrationTrio.Where(unclear.Setting)}: {unclear.Key}= of {_service.Name} runs '"
                + $"{GuardRun.Shorten(unclear.Setting.Value)}'; if that waits for the backend, it waits in vain: a resident proxyd starts {_backend.Name}"
                + " only when it serves itself. Take the line out, or keep to the minimal form");
        }
    }

    internal Migration Build()
    {
        Swap();
        _minimal.FixSockets();
        _minimal.FixProxy();
        _minimal.FixBackend(_backend);
        Untie();
        string? user = Identify();
        Harden();
        FreeBackend();
        bool wasInstalled = RemoveInstall();
        AddRule(user);
        _minimal.Accept.Finish();
        return _minimal.Result(MigrationForm.Resident) with
        {
            RuleFor = user,
            Disables = wasInstalled ? [_backend.Name] : [],
        };
    }

    /// <summary>What the service is called, without what says that it is a proxy.</summary>
    private string Stem => _service.Parts.Prefix is { Length: > 6 } name && name.EndsWith("-proxy", StringComparison.Ordinal)
        ? name[..^"-proxy".Length]
        : _service.Parts.Prefix;

    private bool IsTemplate => _service.Parts.IsTemplate && !_minimal.Accept.IsConverted;

    private bool IsNewUser { get; set; }

    private string? IdleTime => _wishes.IdleStop ?? _trio.Options["backend-idle-stop"] ?? _trio.Options["exit-idle-time"]
        ?? (_backend.IsTrue("Unit", "StopWhenUnneeded") ? StandardIdleTime : null);

    private string? DestinationPath => _trio.Options.Addresses.FirstOrDefault()?.Path;

    private MigrationFiles Files => _minimal.Files;

    private void Swap()
    {
        Setting setting = _trio.ExecStart.Setting;
        List<string> words = [.. _trio.Written];
        int at = words.FindIndex(GuardCommands.IsProxy);
        IEnumerable<string> options = words.Skip(at + 1);
        string[] wait = _minimal.WaitBind is null ? [] : ["--wait-bind"];
        foreach (string replaced in (string[])["--exit-idle-time", "--backend-unit", "--backend-idle-stop", .. wait])
            options = MinimalForm.Without(options, replaced);
        List<string> added = [.. _minimal.Accept.Options, .. _minimal.GuardOptions()];
        string unit = _backend.Parts.IsTemplate && IsTemplate ? _backend.Parts.With("%i") : _backend.Name;
        string owner = $"--backend-unit={unit}";
        if (IdleTime is { } idle)
            added.Add($"--backend-idle-stop={idle}");
        string line = MinimalForm.ProxydLine([.. words.Take(at), _wishes.Proxyd, .. options, owner], added, _service.Parts.IsTemplate);
        // Of those that give rights away (+, !) a proxy with a user of its own has none.
        Files.Replace(_service, setting, string.Concat(_trio.Prefixes.Where(prefix => prefix is not ('+' or '!'))) + line);
        _minimal.Notes.Add(IdleTime is null
            ? $"{_backend.Name} sleeps when it ends by itself; --backend-idle-stop=TIME would stop it"
            : $"{_backend.Name} is stopped after {IdleTime} without connections; the proxy stays");
    }

    /// <summary>No unit pulls, stops or waits for another.</summary>
    private void Untie()
    {
        foreach (string key in s_proxyTies)
            Files.ReplaceWord(_service, key, word => MinimalForm.IsNamed(word, _backend), []);
        // Who starts first makes the namespace; from now on that is the proxy.
        if (_service.List("Unit", "JoinsNamespaceOf").Any(entry => MinimalForm.IsNamed(entry.Word, _backend)))
            Files.Set(_backend, "Unit", "JoinsNamespaceOf", _service.Name);
        foreach (string key in s_proxyTies)
            Files.ReplaceWord(_backend, key, word => MinimalForm.IsNamed(word, _service), []);
        if (_service.Last("Service", "Type")?.Value != "notify")
            Files.Set(_service, "Service", "Type", "notify");
        Files.Set(_service, "Unit", "StartLimitIntervalSec", "0");
    }

    /// <summary>As whom the proxy runs. Null for root and for a user manager's.</summary>
    private string? Identify()
    {
        // systemd makes such a user only for the time that the unit runs, and the bus knows it by a number.
        bool wasFleeting = _service.IsTrue("Service", "DynamicUser");
        foreach (Setting fleeting in _service.All("Service", "DynamicUser"))
            Files.Remove(_service, fleeting);
        if (_wishes.IsUser)
            return null;
        string? given = _service.Last("Service", "User")?.Value;
        if (given is not null and not ("root" or "0"))
        {
            IsNewUser = wasFleeting;
            return given;
        }
        // connect(2) to a Unix socket takes the right to write to it, which its owner has.
        string? owner = _backend.Last("Service", "User")?.Value;
        if (DestinationPath is not null && owner is null)
        {
            _minimal.Notes.Add($"{_minimal.Accept.Service} stays root: {_backend.Name} has no User=, and only its owner may connect to {DestinationPath}");
            return null;
        }
        IsNewUser = DestinationPath is null;
        string user = DestinationPath is null ? TrioRequest.UserName(Stem) : owner!;
        Files.Set(_service, "Service", "User", user);
        return user;
    }

    private void Harden()
    {
        bool isRootWithSocket = DestinationPath is not null && _service.Last("Service", "User") is null;
        UnitFile file = Files.Editable(_service.Sources[0]);
        foreach (IGrouping<string, string> setting in ProxyHardening.Settings(_wishes.IsUser).GroupBy(pair => pair.Key, pair => pair.Value))
        {
            bool hidesHome = setting.Key == "ProtectHome" && DestinationPath is not null;
            // Root without capabilities could not reach a socket in a folder of somebody else's.
            bool isNeeded = setting.Key == "CapabilityBoundingSet" && isRootWithSocket;
            if (_service.Sources.SelectMany(source => source.Assignments).Any(a => a.Item.Name == setting.Key) || hidesHome || isNeeded)
                continue;
            foreach (string value in setting)
                AddLast(file, setting.Key, value);
        }
        AllowBus();
        // Under a filter of system calls proxyd does not raise its limit, for asking might be its end.
        int connectionsMax = Math.Max(_trio.Options.ConnectionsMax, new ProxyOptions(_minimal.Accept.Options).ConnectionsMax);
        long files = DescriptorNeeds.Of(ProxyKind.Proxyd, connectionsMax);
        if (files > DescriptorNeeds.DefaultSoft && _service.Last("Service", "LimitNOFILE") is null)
            AddLast(file, "LimitNOFILE", DescriptorNeeds.Proposal(files).ToString(CultureInfo.InvariantCulture));
        if (_service.Last("Service", "RuntimeDirectory") is null)
            AddLast(file, "RuntimeDirectory", RuntimeFolder());
    }

    /// <summary>The bus is a Unix socket: lists of families that allow must name those, and lists that forbid (<c>~</c>) must not.</summary>
    private void AllowBus()
    {
        const string Family = "AF_UNIX";
        bool isAllowed = false;
        Setting? allowing = null;
        foreach (Setting list in _service.All("Service", "RestrictAddressFamilies"))
        {
            bool forbids = list.Value[0] == '~';
            List<string> names = Words.Split(list.Value.TrimStart('~'));
            isAllowed |= !forbids && names.Contains(Family);
            allowing ??= forbids ? null : list;
            if (!forbids || !names.Remove(Family))
                continue;
            if (names.Count == 0)
                Files.Remove(_service, list);
            else
                Files.Replace(_service, list, $"~{string.Join(' ', names)}");
        }
        // Where the first list forbids, what none names is allowed.
        bool startsAllowing = _service.All("Service", "RestrictAddressFamilies") is [{ Value: not ['~', ..] }, ..];
        if (startsAllowing && !isAllowed)
            Files.Replace(_service, allowing!, $"{allowing!.Value} {Family}");
    }

    /// <summary>Never the folder of a socket: it goes when the proxy stops, with all that is in it.</summary>
    private string RuntimeFolder()
    {
        string folder = IsTemplate ? $"{Stem}-proxy-%i" : $"{Stem}-proxy";
        bool isTaken = _trio.Sockets.SelectMany(socket => socket.All("Socket", "ListenStream")).Select(setting => setting.Value).Append(DestinationPath ?? "")
            .Any(path => path.StartsWith($"/run/{folder}/", StringComparison.Ordinal));
        return isTaken ? $"{Stem}-proxyd" : folder;
    }

    private void FreeBackend()
    {
        foreach (string key in (string[])["StopWhenUnneeded", "RefuseManualStart"])
        {
            foreach (Setting setting in _backend.All("Unit", key))
                Files.Remove(_backend, setting);
        }
    }

    /// <summary>Nothing but proxyd starts the backend.</summary>
    private bool RemoveInstall()
    {
        bool isThere = false;
        foreach (UnitFile source in _backend.Sources.Where(source => source.Items.Any(item => item is { Kind: UnitItemKind.Section, Name: "Install" })))
        {
            UnitFile file = Files.Editable(source);
            InstallSection.Remove(file);
            isThere = true;
        }
        if (isThere)
            _minimal.Notes.Add($"[Install] of {_backend.Name} is gone: its first client starts it");
        return isThere;
    }

    private void AddRule(string? user)
    {
        if (user is null)
            return;
        if (IsNewUser)
            Files.Add($"{_wishes.FolderOf(FileHome.Sysusers)}/{user}.conf", SysusersText.Text(user, Stem));
        string rule = PolkitRuleText.Text(user, _backend.Name, IdleTime is not null);
        if (_backend.Parts.IsTemplate)
        {
            string any = $"String(action.lookup(\"unit\")).indexOf(\"{_backend.Parts.Prefix}@\") !== 0";
            rule = rule.Replace($"action.lookup(\"unit\") !== \"{_backend.Name}\"", any, StringComparison.Ordinal)
                .Replace(_backend.Name, $"{_backend.Parts.Prefix}@*.service", StringComparison.Ordinal);
        }
        Files.Add($"{_wishes.FolderOf(FileHome.Polkit)}/{TrioFiles.RuleName(Stem)}", rule);
        _minimal.Notes.Add($"{_minimal.Accept.Service} runs as {user}, whom a polkit rule allows {_backend.Name} and nothing else");
    }

    private static void AddLast(UnitFile file, string key, string value)
    {
        UnitItem? last = file.Assignments.LastOrDefault(a => a.Section == "Service").Item;
        if (last is null)
            file.Set("Service", key, value);
        else
            file.InsertAfter(last, UnitFile.Assignment(key, value));
    }
}
