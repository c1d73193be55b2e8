using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>The folders in which systemd looks for units, the most important first; systemd.unit(5), table "load path".</summary>
internal sealed class UnitFolders(bool isUser)
{
    private static readonly string[] s_system =
    [
        "/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system", "/run/systemd/generator.late",
    ];

    private static readonly string[] s_user =
    [
        "/etc/systemd/user", "/run/systemd/user", "/usr/local/share/systemd/user", "/usr/share/systemd/user", "/usr/local/lib/systemd/user",
        "/usr/lib/systemd/user", "/lib/systemd/user",
    ];

    private readonly string[] _folders = [.. (isUser ? OwnFolders().Concat(s_user) : s_system).Where(Directory.Exists)];

    /// <summary>A unit's file and the drop-ins for it, as far as they can be read; an instance's are its template's.</summary>
    internal IEnumerable<UnitFile> FilesOf(string name)
    {
        UnitName parts = new(name);
        string[] names = parts.Template is { } template ? [name, template] : [name];
        foreach (string folder in _folders)
        {
            foreach (string path in names.Select(its => Path.Combine(folder, its)).Where(File.Exists))
                yield return UnitLoader.ReadFile(path);
            foreach (string dropIns in names.Select(its => Path.Combine(folder, its + ".d")).Where(Directory.Exists))
            {
                foreach (string path in Directory.GetFiles(dropIns, "*.conf").Order(StringComparer.Ordinal))
                    yield return UnitLoader.ReadFile(path);
            }
        }
    }

    /// <summary>Whether there is such a unit, as a file of its own or of its template.</summary>
    internal bool Has(string name)
    {
        UnitName parts = new(name);
        return _folders.Any(folder => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, parts.Template ?? name)));
    }

    private static IEnumerable<string> OwnFolders()
    {
        string home = Environment.GetEnvironmentVariable("HOME") ?? "/";
        string config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") ?? Path.Combine(home, ".config");
        string data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") ?? Path.Combine(home, ".local/share");
        return [Path.Combine(config, "systemd/user"), Path.Combine(data, "systemd/user")];
    }
}
