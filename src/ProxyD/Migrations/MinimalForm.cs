using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>
/// The trio as it is, with proxyd in it: <c>ExecStart=</c> swapped, guards turned into options, hooks dissolved, and gone what makes it fail.
/// Every other line stays as it was.
/// </summary>
internal sealed class MinimalForm
{
    /// <summary>How long the proxy of a converted <c>Accept=yes</c> socket stays without clients: each had one of its own, which went with it.</summary>
    private const string AcceptIdleTime = "5min";

    private static readonly string[] s_socketTies = ["PartOf", "BindsTo", "Requires", "Requisite", "StopPropagatedFrom"];

    /// <summary>Ties by which a backend that ends or fails takes the proxy with it.</summary>
    private static readonly string[] s_firmTies = ["Requires", "BindsTo", "Requisite"];

    private readonly MigrationTrio _trio;
    private readonly MigrationGuards _guards;
    private readonly MigrationWishes _wishes;

    /// <param name="trio">What was read.</param>
    /// <param name="wishes">What is asked for.</param>
    /// <param name="files">Where the edits go.</param>
    /// <exception cref="NotUnderstoodException">Something would be lost.</exception>
    internal MinimalForm(MigrationTrio trio, MigrationWishes wishes, MigrationFiles files)
    {
        _trio = trio;
        _wishes = wishes;
        Files = files;
        Hooks = new(trio, files);
        _guards = new(trio.Guards, trio.Options, trio.Backends);
        Notes.AddRange(_guards.Notes);
        Backend = FindBackend();
        RemoveGuards();
        Hooks.Dissolve(_guards.Taken, Backend);
        Notes.AddRange(Hooks.Notes);
        Notes.AddRange(trio.Preparations.Select(NoteOn));
        Accept = new(trio, files);
        Notes.AddRange(Accept.Notes);
    }

    internal MigrationFiles Files { get; }

    internal MigrationHooks Hooks { get; }

    internal MigrationAccept Accept { get; }

    internal List<string> Notes { get; } = [];

    /// <summary>The unit that serves what the proxy is asked for; null where none can be told.</summary>
    internal Unit? Backend { get; }

    internal string? WaitBind => _wishes.WaitBind ?? _guards.WaitBind;

    internal string? Ready => _trio.Options.Destinations.Count == 1 ? _guards.Ready : null;

    /// <summary>Finishes it as the minimal form.</summary>
    internal Migration Build()
    {
        List<string> added = [.. Accept.Options];
        if (Accept.IsConverted && Backend?.IsTrue("Unit", "StopWhenUnneeded") == true && _trio.Options["exit-idle-time"] is null)
            added.Add($"--exit-idle-time={AcceptIdleTime}");
        SwapProxy([.. added, .. GuardOptions()]);
        FixSockets();
        FixProxy();
        if (Backend is not null)
            FixBackend(Backend);
        Accept.Finish();
        return Result(MigrationForm.Minimal);
    }

    internal Migration Result(MigrationForm form) => new(form, _trio.Sockets[0].Name, Accept.Service, Backend?.Name)
    {
        Files = Files.Changes,
        Notes = Notes,
        WaitBind = WaitBind,
        Ready = Ready,
        Stops = [_trio.Service.Name, .. Hooks.Removed],
        IsSocketChanged = Accept.IsConverted,
    };

    /// <summary>What the guards have become, unless the proxy is told already.</summary>
    internal IEnumerable<string> GuardOptions()
    {
        if (WaitBind is { } wait)
            yield return $"--wait-bind={wait}";
        if (Ready is { } ready && _trio.Options["ready"] is null)
            yield return $"--ready={ready}";
    }

    /// <summary>What of the sockets makes the port go with the proxy.</summary>
    internal void FixSockets()
    {
        foreach (Unit socket in _trio.Sockets)
        {
            foreach (string key in s_socketTies)
            {
                if (Files.ReplaceWord(socket, key, word => IsOurs(word, socket), []))
                    Notes.Add($"{key}= on {socket.Name} took the port away with the proxy; it is gone");
            }
        }
    }

    /// <summary>What of the proxy's unit doesn't fit a proxy.</summary>
    internal void FixProxy()
    {
        Unit service = _trio.Service;
        if (service.Last("Service", "Type") is { Value: "forking" or "oneshot" or "dbus" or "idle" } type)
        {
            Files.Replace(service, type, "notify");
            Notes.Add($"Type={type.Value} of {service.Name} is none for a proxy: notify now");
        }
        foreach (string key in (string[])["PIDFile", "RemainAfterExit", "LimitAS"])
        {
            if (service.Last("Service", key) is null or { Value: "infinity" or "no" })
                continue;
            foreach (Setting setting in service.All("Service", key))
                Files.Remove(service, setting);
            Notes.Add($"{key}= of {service.Name} is gone{(key == "LimitAS" ? ": the runtime reserves address space that it never uses" : "")}");
        }
        if (service.Last("Service", "Restart") is { Value: "always" or "on-success" } restart && _trio.Options["exit-idle-time"] is not null)
        {
            Files.Replace(service, restart, "on-failure");
            Notes.Add($"Restart={restart.Value} of {service.Name} would undo its idle exit: on-failure now");
        }
    }

    /// <summary>What of the backend's unit works against sleeping and waking.</summary>
    internal void FixBackend(Unit backend)
    {
        if (backend.Last("Service", "Restart") is { Value: "always" or "on-success" } restart)
        {
            Files.Replace(backend, restart, "on-failure");
            Notes.Add($"Restart={restart.Value} of {backend.Name} would undo each idle exit: on-failure now");
        }
        if (Files.ReplaceWord(backend, "After", word => IsProxy(word, backend), []))
            Notes.Add($"After={_trio.Service.Name} of {backend.Name} made each wait for the other; it is gone");
        // A proxyd that is there already was tied on purpose.
        if (!_wishes.IsResident && (!_trio.IsProxydAlready || _guards.Taken.Count > 0))
            TieBackend(backend);
    }

    /// <summary>Puts proxyd where the proxy or its wrapper was.</summary>
    internal void SwapProxy(IReadOnlyList<string> added)
    {
        Setting setting = _trio.ExecStart.Setting;
        ExecCommand command = _trio.ExecStart.Command;
        bool replacesWait = _trio.Options["wait-bind"] is not null
            && (WaitBind is not null || _trio.Options.Time("wait-bind", null) == TimeSpan.Zero);
        if (!_trio.IsWrapped && !replacesWait && !_wishes.IsResident)
        {
            Files.Replace(_trio.Service, setting, WithProxyd(setting.Item, command, added));
            return;
        }
        List<string> words = [.. _trio.Written];
        int at = words.FindIndex(GuardCommands.IsProxy);
        IEnumerable<string> options = words.Skip(at + 1);
        if (replacesWait)
            options = Without(options, "--wait-bind");
        string line = ProxydLine([.. words.Take(at), _wishes.Proxyd, .. options], added, _trio.Service.Parts.IsTemplate);
        Files.Replace(_trio.Service, setting, _trio.Prefixes + line);
        if (_trio.IsWrapped && command.Executable.StartsWith('/') && command.FileName is not ("sh" or "bash" or "dash" or "ash"))
            Notes.Add($"{command.Executable} is no longer used; it stays where it is");
    }

    /// <summary>Options without one of them, with its value.</summary>
    internal static IEnumerable<string> Without(IEnumerable<string> words, string option)
    {
        bool isValue = false;
        foreach (string word in words)
        {
            bool isIt = word == option || word.StartsWith(option + "=", StringComparison.Ordinal);
            if (!isIt && !isValue)
                yield return word;
            isValue = word == option;
        }
    }

    /// <summary>A command line of words as a unit file has them, and of options that are plain text; in a template but for its instance.</summary>
    internal static string ProxydLine(IEnumerable<string> words, IEnumerable<string> added, bool isTemplate)
    {
        IEnumerable<string> escaped = added.Select(option => option.Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal));
        if (isTemplate)
            escaped = escaped.Select(option => option.Replace("%%i", "%i", StringComparison.Ordinal).Replace("%%I", "%I", StringComparison.Ordinal));
        return ExecLine.Join([.. words, .. escaped]);
    }

    /// <summary>The words of the line as they are, with one program for another and options at the end.</summary>
    private UnitItem WithProxyd(UnitItem item, ExecCommand command, IReadOnlyList<string> added)
    {
        string program = command.Words.First(GuardCommands.IsProxy);
        int at = item.Raw.IndexOf(program, StringComparison.Ordinal);
        string body = item.Raw.TrimEnd('\r', '\n');
        string text = string.Concat(body.AsSpan(0, at), _wishes.Proxyd, body.AsSpan(at + program.Length));
        string options = added.Count == 0 ? "" : " " + ProxydLine([], added, _trio.Service.Parts.IsTemplate);
        return item with { Raw = text.TrimEnd() + options + item.Raw[body.Length..] };
    }

    private static string NoteOn(GuardSite site)
    {
        string why = PlainCommands.Are(site.Reading) ? "" : "; whether it waits for the backend can't be told";
        return $"{site.Key}= of {site.Unit.Name} stays: '{GuardRun.Shorten(site.Setting.Value)}'{why}";
    }

    private void RemoveGuards()
    {
        foreach (GuardSite site in _guards.Taken.Where(site => site.Setting != _trio.ExecStart.Setting && !Hooks.IsHook(site.Unit)))
        {
            // Without it, units that are ordered after the backend would find it started, and not yet serving.
            if (site.Unit != _trio.Service && _trio.OthersAfter(site.Unit).FirstOrDefault() is { } other)
                Notes.Add($"{site.Key}= of {site.Unit.Name} stays: {other} waits for it, too");
            else
                Files.Remove(site.Unit, site.Setting);
        }
    }

    /// <summary>A backend that ends, or is stopped, must be started again for the next client.</summary>
    private void TieBackend(Unit backend)
    {
        Unit service = _trio.Service;
        bool isUpheld = service.List("Unit", "Upholds").Any(entry => IsNamed(entry.Word, backend));
        bool isBound = s_firmTies.Any(key => service.List("Unit", key).Any(entry => IsNamed(entry.Word, backend))) || Hooks.TiesFirmly;
        bool isWanted = service.List("Unit", "Wants").Any(entry => IsNamed(entry.Word, backend));
        if (!isBound && !isUpheld && (isWanted || Hooks.Started.Contains(backend.Name)))
        {
            string tie = _trio.Options["exit-idle-time"] is not null ? "Upholds" : "BindsTo";
            Files.ReplaceWord(service, "Wants", word => IsNamed(word, backend), []);
            MigrationFiles.SetNew(Files.Editable(service.Sources[0]), "Unit", tie, NameFor(backend));
            Notes.Add($"{tie}={NameFor(backend)} in {service.Name}: with Wants= alone, nobody starts a backend again that ended while the proxy runs");
            isBound = tie == "BindsTo";
            if (isBound)
            {
                Notes.Add($"as long as {NameFor(backend)} can't be started at all, the port closes after twenty tries within two seconds (check: PXD009);"
                    + " TriggerLimitIntervalSec=0 in the socket keeps it open, and --resident needs no tie at all");
            }
        }
        if (!isBound)
            return;
        foreach (Unit unit in (Unit[])[service, backend])
        {
            if (unit.Last("Unit", "StartLimitIntervalSec") is null && unit.Last("Unit", "StartLimitBurst") is null)
                Files.Set(unit, "Unit", "StartLimitIntervalSec", "0");
        }
        Notes.Add("StartLimitIntervalSec=0: the sixth cold start within ten seconds would have closed the port");
    }

    /// <summary>A backend's name as the proxy's unit writes it.</summary>
    private string NameFor(Unit backend) =>
        backend.Parts.IsTemplate && _trio.Service.Parts.IsTemplate ? backend.Parts.With("%i") : backend.Name;

    private bool IsOurs(string word, Unit socket) =>
        IsProxy(word, socket) || _trio.Tied.Any(unit => IsNamed(Specifiers.Expand(word, socket.Parts), unit) || IsNamed(word, unit));

    private bool IsProxy(string word, Unit from) =>
        IsNamed(Specifiers.Expand(word, from.Parts), _trio.Service) || IsNamed(word, _trio.Service);

    /// <summary><c>x@%i.service</c> is the template.</summary>
    internal static bool IsNamed(string word, Unit unit)
    {
        UnitName name = new(word);
        return word == unit.Name || (name.Instance is "%i" or "%I" && name.With("") == unit.Name);
    }

    private Unit? FindBackend()
    {
        List<Unit> candidates = [.. _trio.Backends.Select(_trio.Find).OfType<Unit>().DistinctBy(unit => unit.Name)];
        if (candidates.Count < 2)
            return candidates.FirstOrDefault();
        string[] destinations = [.. _trio.Options.Destinations.Select(text => text[(text.LastIndexOf(':') + 1)..])];
        List<Unit> named = [.. candidates.Where(unit => unit.Sources.SelectMany(source => source.Assignments)
            .Any(assignment => assignment.Section == "Service" && destinations.Any(d => assignment.Item.Value.Contains(d, StringComparison.Ordinal))))];
        return named is [var only] ? only : null;
    }
}
