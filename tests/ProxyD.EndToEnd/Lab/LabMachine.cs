using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ProxyD.EndToEnd;

/// <summary>
/// A throw-away Linux host: systemd as PID 1, booted by systemd-nspawn over a copy-on-write view of this machine's root.
/// What happens in it stays in memory and goes with it; its network is private and has only a loopback.
/// </summary>
internal sealed class LabMachine : IDisposable
{
    private readonly LabFolder _folder;
    private readonly LabCgroups _cgroups;
    private readonly Process _nspawn;
    private readonly StringBuilder _console = new();

    private LabMachine(LabFolder folder)
    {
        _folder = folder;
        _cgroups = new LabCgroups(folder.Name);
        // Its own session: Ctrl-C in a terminal must reach the tests, which then take the lab down, and not PID 1.
        ProcessStartInfo start = Command.Prepare("setsid", [
            "/bin/sh", "-c", _cgroups.Create() + "exec \"$@\"", "sh",
            "systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--link-journal=no", $"--directory={folder.Root}",
            $"--machine={folder.Name}", "--bind=/dev/null:/dev/kmsg", "--console=pipe", "--boot", $"systemd.unit={LabFolder.Target}",
        ]);
        // A pure cgroup v2 tree whatever the machine itself has.
        start.Environment["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1";
        _nspawn = Process.Start(start)!;
        _nspawn.OutputDataReceived += (_, line) => Note(line.Data);
        _nspawn.ErrorDataReceived += (_, line) => Note(line.Data);
        _nspawn.BeginOutputReadLine();
        _nspawn.BeginErrorReadLine();
        _nspawn.StandardInput.Close();
    }

    /// <summary>PID 1 of the lab, as this machine numbers it.</summary>
    public int Leader { get; private set; }

    /// <summary>The lab's file system, with its own /run and /tmp, as this machine sees it.</summary>
    public string Root => $"/proc/{Leader}/root";

    /// <summary>Boots a lab; about a second.</summary>
    public static LabMachine Boot()
    {
        LabFolder.RemoveLeftovers();
        LabMachine machine = new(LabFolder.Mount());
        try
        {
            Wait.Until(machine.IsUp, () => $"the lab boots; its console says\n{machine.Console()}");
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Runs a program inside the lab.</summary>
    public CommandResult Run(params IEnumerable<string> command) =>
        Command.Run("nsenter", [
            "-t", Leader.ToString(CultureInfo.InvariantCulture), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", .. command,
        ]);

    /// <summary>This machine's number of a process that the lab knows as <paramref name="pidInside"/>.</summary>
    public int HostPid(int pidInside) => Processes.InsideOf(Leader).FirstOrDefault(process => process.PidInside == pidInside).Pid;

    /// <summary>Takes the lab down, with everything that runs in it.</summary>
    /// <remarks>Nothing in it is worth an orderly shutdown, and the kernel ends every process of a PID namespace with its PID 1.</remarks>
    public void Dispose()
    {
        if (Leader != 0)
            Native.Kill(Leader);
        if (!_nspawn.WaitForExit(TimeSpan.FromSeconds(5)))
            _nspawn.Kill();
        _nspawn.WaitForExit();
        _nspawn.Dispose();
        _folder.Unmount();
        _cgroups.Remove();
    }

    private bool IsUp()
    {
        if (_nspawn.HasExited)
            throw new InvalidOperationException($"systemd-nspawn exited {_nspawn.ExitCode}:\n{Console()}");
        if (Leader == 0)
            Leader = Processes.FirstOfNamespaceBelow(_nspawn.Id);
        // "degraded" is up too: some unit of the distribution may dislike a container.
        return Leader != 0 && Run("systemctl", "is-system-running").Output.Trim() is "running" or "degraded";
    }

    private void Note(string? line)
    {
        lock (_console)
            _console.AppendLine(line);
    }

    private string Console()
    {
        lock (_console)
            return _console.ToString();
    }
}
