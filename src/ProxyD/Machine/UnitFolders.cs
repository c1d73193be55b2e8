using ProxyD.Interop;
using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>The folders in which systemd looks for units, the most important first; systemd.unit(5), table "load path".</summary>
internal sealed class UnitFolders(bool isUser)
{
    private static readonly string[] s_system =
    [
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early", "/etc/systemd/system",
        "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached", "/run/systemd/generator", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
    ];

    /// <summary>More links than that lead round in a circle.</summary>
    private const int LinksMax = 8;

    private readonly string[] _folders = [.. (isUser ? OfUser() : s_system).Where(Directory.Exists)];

    /// <summary>A unit's file and the drop-ins for it, as far as they can be read; an instance's are its template's, and a masked one has none.</summary>
    internal IEnumerable<UnitFile> FilesOf(string name)
    {
        if (!Has(name))
            yield break;
        string[] names = WithTemplate(name);
        foreach (string folder in _folders)
        {
            foreach (string path in names.Select(its => Path.Combine(folder, its)).Where(path => File.Exists(path) && RegularFile.IsThere(path)))
                yield return UnitLoader.ReadFile(path);
            foreach (string dropIns in DropIn.FoldersFor(new(name)).Select(its => Path.Combine(folder, its)).Where(Directory.Exists))
            {
                foreach (string path in Directory.GetFiles(dropIns, "*.conf").Where(RegularFile.IsThere).Order(StringComparer.Ordinal))
                    yield return UnitLoader.ReadFile(path);
            }
        }
    }

    /// <summary>The dependencies that links beside a unit's file give it, wherever systemd looks for them.</summary>
    internal IEnumerable<UnitFile> TiesOf(string name) =>
        (from folder in _folders
         from its in WithTemplate(name)
         from suffix in DependencyFolder.Suffixes
         select Path.Combine(folder, its + suffix)).Where(Directory.Exists).SelectMany(TiesIn);

    /// <summary>The same of all units that have such folders in one place.</summary>
    /// <exception cref="ToolException">It can't be read.</exception>
    internal static IEnumerable<UnitFile> TiesBeside(string folder) => UnitLoader.Reading(folder, () =>
        Directory.GetDirectories(folder).Where(path => DependencyFolder.UnitOf(path + "/") is not null).SelectMany(TiesIn).ToArray());

    /// <summary>The links of such a folder. A file is none to systemd, nor is a link to /dev/null.</summary>
    internal static IEnumerable<UnitFile> TiesIn(string folder) => Directory.GetFiles(folder)
        .Where(path => UnitName.TypeOf(Path.GetFileName(path)) != UnitType.Unknown && new FileInfo(path).LinkTarget is { } target && target != "/dev/null")
        .Order(StringComparer.Ordinal).Select(DependencyFolder.Read);

    /// <summary>The links that a name leads through to its unit: each name, and the one behind it.</summary>
    internal IEnumerable<KeyValuePair<string, string>> LinksFrom(string name)
    {
        for (int step = 0; step < LinksMax && UnitBehindName(name) is { } behind; step++)
        {
            yield return new(name, behind);
            name = behind;
        }
    }

    private string? UnitBehindName(string name)
    {
        UnitName parts = new(name);
        string? path = FileOf(name);
        string? behind = path is null ? null : UnitBehind(path);
        return behind is not null && new UnitName(behind).IsTemplate && parts.Instance is { } instance ? new UnitName(behind).With(instance) : behind;
    }

    /// <summary>The name of the unit that a link leads to.</summary>
    /// <returns>Null for a file, for a link of the same name or from an instance to its template, and for what leads to no unit file, as a masked
    /// unit's does to /dev/null.</returns>
    internal static string? UnitBehind(string path)
    {
        UnitName name = new(Path.GetFileName(path));
        UnitName target = new(Path.GetFileName(new FileInfo(path).LinkTarget ?? path));
        return target != name && target.Full != name.Template && target.Type == name.Type && name.Type != UnitType.Unknown ? target.Full : null;
    }

    /// <summary>Whether a unit file is no link, or one whose target has the same name.</summary>
    internal static bool IsNamedAsItsFile(string path) =>
        new FileInfo(path).LinkTarget is not { } target || Path.GetFileName(target) == Path.GetFileName(path);

    /// <summary>Whether there is such a unit that can be started: a file of its own or of its template, and not masked.</summary>
    internal bool Has(string name)
    {
        string? path = FileOf(name);
        return path is not null && !RegularFile.IsDevice(path);
    }

    /// <summary>The file that counts for a unit: its own or its template's, in the most important folder that has one.</summary>
    private string? FileOf(string name) =>
        _folders.SelectMany(folder => WithTemplate(name).Select(its => Path.Combine(folder, its))).FirstOrDefault(File.Exists);

    /// <summary>The names under which a unit has files: an instance has its template's, too.</summary>
    private static string[] WithTemplate(string name) => new UnitName(name).Template is { } template ? [name, template] : [name];

    /// <summary>Whether a path is in one of the folders of user units, whosever they are.</summary>
    internal static bool IsOfUsers(string path) => (Path.GetFullPath(path) + "/").Contains("/systemd/user/", StringComparison.Ordinal);

    private static string[] OfUser()
    {
        string home = Environment.GetEnvironmentVariable("HOME") ?? "/";
        string config = Set("XDG_CONFIG_HOME", Path.Combine(home, ".config")) + "/systemd";
        string run = Set("XDG_RUNTIME_DIR", $"/run/user/{Libc.geteuid()}") + "/systemd";
        return
        [
            config + "/user.control", run + "/user.control", run + "/transient", run + "/generator.early", config + "/user",
            .. Set("XDG_CONFIG_DIRS", "/etc/xdg").Split(':').Select(folder => folder + "/systemd/user"), "/etc/systemd/user",
            run + "/user", "/run/systemd/user", run + "/generator", Set("XDG_DATA_HOME", Path.Combine(home, ".local/share")) + "/systemd/user",
            .. Set("XDG_DATA_DIRS", "/usr/local/share:/usr/share").Split(':').Select(folder => folder + "/systemd/user"),
            "/usr/local/lib/systemd/user", "/usr/lib/systemd/user", "/lib/systemd/user", run + "/generator.late",
        ];
    }

    private static string Set(string variable, string otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : otherwise;
}
