using System.Globalization;

namespace ProxyD.EndToEnd;

/// <summary>The lab's file system: an overlay over this machine's root, all changes in a tmpfs.</summary>
internal sealed class LabFolder
{
    /// <summary>What the lab boots to: the system proper and D-Bus, none of the services installed on this machine.</summary>
    public const string Target = "lab.target";

    private const string Prefix = "/tmp/proxyd-lab-";

    private const string TargetUnit = """
        [Unit]
        Description=The lab is up
        Requires=sysinit.target
        Wants=dbus.socket
        After=sysinit.target dbus.socket

        """;

    private readonly string _path;

    private LabFolder(string path) => _path = path;

    public string Name => Path.GetFileName(_path);

    public string Root => $"{_path}/root";

    /// <summary>Mounts the overlay of this test process.</summary>
    public static LabFolder Mount()
    {
        LabFolder folder = new(Prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder._path);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=1g,mode=755", "tmpfs", folder._path).Expect();
        foreach (string name in (string[])["upper", "work", "root"])
            Directory.CreateDirectory($"{folder._path}/{name}");
        string layers = $"lowerdir=/,upperdir={folder._path}/upper,workdir={folder._path}/work";
        Command.Run("mount", "-t", "overlay", "-o", layers, "overlay", folder.Root).Expect();
        folder.CutTies();
        return folder;
    }

    /// <summary>Takes it all away; lazily, because a killed process may hold a file for a moment longer.</summary>
    public void Unmount()
    {
        Command.Run("umount", "-l", Root);
        Command.Run("umount", "-l", _path);
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: false);
    }

    /// <summary>Ends and unmounts labs whose test process died before it could.</summary>
    public static void RemoveLeftovers()
    {
        foreach (string path in Directory.EnumerateDirectories("/tmp", Path.GetFileName(Prefix) + "*"))
        {
            if (!int.TryParse(path[Prefix.Length..], CultureInfo.InvariantCulture, out int owner) || Directory.Exists($"/proc/{owner}"))
                continue;
            LabFolder folder = new(path);
            // systemd-nspawn carries the lab's unique folder in its command line, so this can only be the dead run's own.
            foreach (int nspawn in Processes.WithArgument($"--directory={folder.Root}"))
            {
                Native.Kill(Processes.FirstOfNamespaceBelow(nspawn));
                Native.Kill(nspawn);
            }
            folder.Unmount();
            new LabCgroups(folder.Name).Remove();
        }
    }

    /// <summary>Cuts what ties the view to the machine it is a view of.</summary>
    private void CutTies()
    {
        File.WriteAllText($"{Root}/etc/systemd/system/{Target}", TargetUnit);
        // This machine's disks are not the lab's,
        File.WriteAllText($"{Root}/etc/fstab", "");
        // and its journal is not either: copied up at the first write, it could fill the memory.
        string journal = $"{Root}/var/log/journal";
        if (Directory.Exists(journal))
            Directory.Delete(journal, recursive: true);
        Directory.CreateDirectory($"{Root}/etc/systemd/journald.conf.d");
        File.WriteAllText($"{Root}/etc/systemd/journald.conf.d/lab.conf", "[Journal]\nStorage=volatile\n");
    }
}
