using ProxyD.Machine;

namespace ProxyD.Tools;

/// <summary>The way back from a migration: each step leaves alone what is as it was already, so that it can be gone again and from anywhere.</summary>
internal sealed class MigrateUndo(Systemctl systemctl, MigrateRecord record)
{
    /// <summary>What is new stops first, then come the files, what starts at boot, and what ran.</summary>
    /// <exception cref="ToolException">A step that can't be done; those after it are not.</exception>
    internal void Run()
    {
        if (record.IsInstalled)
            StopNew();
        foreach (RecordedFile file in record.Files.Reverse())
            file.PutBack();
        if (record.IsInstalled)
            Restore();
    }

    private void StopNew()
    {
        if (record.ReopensSocket)
            Stop([record.Socket, record.Service]);
        // The backend after them: a resident proxyd with a client that waits would start it again. Nobody else would ever stop it, and without
        // its file it would run on beside the daemon that it was made from.
        Stop(record.Made);
        string[] enabled = [.. record.Enabled.Where(systemctl.IsEnabled)];
        if (enabled.Length > 0)
            systemctl.Must(["disable", .. enabled]);
    }

    private void Restore()
    {
        systemctl.Must("daemon-reload");
        // One that failed when it was stopped would stay in systemctl's lists, without a file.
        if (record.Made.Count > 0)
            systemctl.Run(["reset-failed", .. record.Made]);
        foreach (string unit in record.Disabled)
            systemctl.Must("enable", unit);
        // The new form's proxy ends; the old units come up as they ran.
        Stop([record.Service]);
        foreach (string unit in record.Active)
        {
            systemctl.Run("reset-failed", unit);
            systemctl.Must("start", unit);
        }
    }

    /// <summary>systemctl waits until they have ended.</summary>
    private void Stop(IEnumerable<string> units)
    {
        string[] running = [.. units.SelectMany(systemctl.Running).Distinct()];
        if (running.Length > 0)
            systemctl.Must(["stop", .. running]);
    }
}
