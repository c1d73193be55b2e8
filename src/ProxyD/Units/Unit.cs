namespace ProxyD.Units;

/// <summary>An assignment that holds.</summary>
/// <param name="Value">With the specifiers put in that <see cref="Specifiers"/> knows; <see cref="UnitItem.Value"/> has it as written.</param>
/// <param name="Path">The file it stands in.</param>
internal sealed record Setting(string Value, string Path, UnitItem Item)
{
    /// <summary>The line in <see cref="Path"/>, counted from 1.</summary>
    internal int Line => Item.Line;
}

/// <summary>One unit as its manager sees it: the unit file, then its drop-ins, in order.</summary>
/// <param name="sources">In the order in which they are read; an instance's may be its template's.</param>
/// <param name="isUser">A user manager's unit.</param>
/// <param name="aliases">Its own other names, or those of all units that it was read with; none by default.</param>
internal sealed class Unit(string name, IReadOnlyList<UnitFile> sources, bool isUser = false, UnitAliases? aliases = null)
{
    /// <summary>Lists that an empty assignment does not clear: dependencies can only be added (systemd.unit(5), under drop-ins).</summary>
    private static readonly string[] s_dependencies =
    [
        "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After", "OnFailure", "OnSuccess",
        "PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom", "JoinsNamespaceOf",
    ];

    /// <summary>Old spellings that systemd still reads, and what they became.</summary>
    /// <remarks>Tried with systemd 252.</remarks>
    private static readonly Dictionary<(string Section, string Key), (string Section, string Key)> s_oldNames = new()
    {
        [("Service", "StartLimitInterval")] = ("Unit", "StartLimitIntervalSec"),
        [("Service", "StartLimitBurst")] = ("Unit", "StartLimitBurst"),
        [("Unit", "StartLimitInterval")] = ("Unit", "StartLimitIntervalSec"),
        [("Unit", "BindTo")] = ("Unit", "BindsTo"),
    };

    /// <summary>The full name; of a template that was read as itself, with nothing behind the @.</summary>
    internal string Name { get; } = name;

    internal UnitName Parts => new(Name);

    internal UnitType Type => Parts.Type;

    internal IReadOnlyList<UnitFile> Sources { get; } = sources;

    internal bool IsUser { get; } = isUser;

    internal UnitAliases Aliases { get; } = aliases ?? UnitAliases.None;

    /// <summary>What its manager says of [Install] (<c>UnitFileState=</c>, as systemctl is-enabled prints it); null when only files were read.</summary>
    internal string? FileState { get; init; }

    /// <summary>Whether [Install] is in force; null when that is not known.</summary>
    internal bool? IsEnabled => string.IsNullOrEmpty(FileState) ? null : IsInForce(FileState);

    /// <summary>Whether a <c>UnitFileState=</c> says that a unit starts at boot by a link of its own.</summary>
    internal static bool IsInForce(string? fileState) => fileState is "enabled" or "enabled-runtime";

    /// <summary>Whether a package brought the unit file: what is in it is its maintainers' choice, and comes back with the next update.</summary>
    internal bool IsShipped => Path.StartsWith("/usr/lib/", StringComparison.Ordinal) || Path.StartsWith("/lib/", StringComparison.Ordinal);

    /// <summary>The unit file itself; where a finding about something that is missing points to.</summary>
    internal string Path => Sources[0].Path;

    /// <summary>All values of a key that still hold, in order: an empty assignment drops what came before it, and is none itself.</summary>
    /// <returns>No empty ones: where a specifier leaves nothing (<c>%i</c> without an instance) systemd has no use for the line either.</returns>
    internal IReadOnlyList<Setting> All(string section, string key)
    {
        List<Setting> settings = [];
        bool isDependency = section == "Unit" && s_dependencies.Contains(key);
        foreach (UnitFile source in Sources)
        {
            foreach ((string itsSection, UnitItem item) in source.Assignments)
            {
                (string, string) itsName = s_oldNames.GetValueOrDefault((itsSection, item.Name), (itsSection, item.Name));
                if (itsName != (section, key) && !(IsListen(section, key) && IsListen(itsSection, item.Name) && item.Value.Length == 0))
                    continue;
                if (item.Value.Length == 0 && !isDependency)
                    settings.Clear();
                string value = Specifiers.Expand(item.Value, Parts, IsUser);
                if (value.Length > 0)
                    settings.Add(new(value, source.Path, item));
            }
        }
        return settings;
    }

    /// <summary>The value that holds for a key that takes one; null when none is set.</summary>
    internal Setting? Last(string section, string key) => All(section, key) is [.., Setting last] ? last : null;

    /// <summary>A boolean as systemd reads it.</summary>
    /// <param name="unset">What holds when it is missing or is no boolean.</param>
    internal bool IsTrue(string section, string key, bool unset = false) => Last(section, key)?.Value.ToLowerInvariant() switch
    {
        "1" or "yes" or "y" or "true" or "t" or "on" => true,
        "0" or "no" or "n" or "false" or "f" or "off" => false,
        _ => unset,
    };

    /// <summary>A list of names, as in <c>Requires=</c>: each word with the assignment it comes from.</summary>
    internal IEnumerable<(string Word, Setting Setting)> List(string section, string key) =>
        All(section, key).SelectMany(setting => Words.Split(setting.Value, keepsEscapes: true).Select(word => (word, setting)));

    /// <summary>Whether one of the keys of [Unit] names that unit, by whichever of its names; the first assignment that does.</summary>
    internal Setting? Names(string unit, params string[] keys) =>
        keys.SelectMany(key => List("Unit", key)).FirstOrDefault(entry => Meant(entry.Word) == Meant(unit)).Setting;

    /// <summary>The commands of an <c>Exec…=</c> key of [Service] or [Socket].</summary>
    internal IEnumerable<(ExecCommand Command, Setting Setting)> Commands(string key) =>
        All(Type == UnitType.Socket ? "Socket" : "Service", key)
            .SelectMany(setting => ExecLine.Parse(setting.Value).Select(command => (command, setting)));

    private UnitName Meant(string unit) => new UnitName(Aliases.IdOf(unit)).Resolved;

    /// <summary>The addresses of a socket are one list under several names: an empty one of any name clears all.</summary>
    private static bool IsListen(string section, string key) => section == "Socket" && key.StartsWith("Listen", StringComparison.Ordinal);

    public override string ToString() => Name;
}
