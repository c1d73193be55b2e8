namespace ProxyD.EndToEnd;

/// <summary>The lab's own place in this machine's cgroup trees.</summary>
/// <remarks>
/// systemd-nspawn --keep-unit puts its payload below the caller's cgroup, under a fixed name. Two labs started from one cgroup
/// would share it, and each systemd would take the other's services for its own and kill them.
/// </remarks>
internal sealed class LabCgroups
{
    private readonly string[] _groups;

    public LabCgroups(string name) => _groups = [.. Trees().Select(tree => $"{tree}/{name}")];

    /// <summary>Makes the groups, and gives the shell commands by which a process moves itself into them.</summary>
    public string Create()
    {
        foreach (string group in _groups)
            Directory.CreateDirectory(group);
        return string.Concat(_groups.Select(group => $"echo $$ >{group}/cgroup.procs && "));
    }

    /// <summary>Removes the groups once their last process is gone.</summary>
    public void Remove()
    {
        foreach (string group in _groups.Where(Directory.Exists))
            Wait.Until(() => TryRemove(group), $"{group} is empty");
    }

    // Groups go one by one, the innermost first: the files in them are the kernel's and go with them.
    private static bool TryRemove(string group)
    {
        try
        {
            foreach (string inner in Directory.GetDirectories(group, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length))
                Directory.Delete(inner);
            Directory.Delete(group);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // The unified tree and, on a machine that still has the old kind, the one in which systemd keeps its services.
    private static IEnumerable<string> Trees() =>
        from mount in File.ReadAllLines("/proc/self/mounts")
        let fields = mount.Split(' ')
        where fields[2] == "cgroup2" || (fields[2] == "cgroup" && fields[3].Split(',').Contains("name=systemd"))
        select fields[1];
}
