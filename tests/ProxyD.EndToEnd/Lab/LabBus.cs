namespace ProxyD.EndToEnd;

/// <summary>The lab's system bus, which comes and goes. systemctl needs it as little as PID 1 does: as root they have a socket of their own.</summary>
internal static class LabBus
{
    private static readonly string[] s_units = ["dbus.socket", "dbus.service"];

    /// <summary>A new dbus-daemon in place of the old: all connections are cut, and systemd is back on the bus some 10 ms later.</summary>
    public static void RestartBus(this Lab lab)
    {
        lab.ForgetBusStarts();
        lab.Systemctl("restart", "dbus.service");
    }

    /// <summary>Takes the bus away. Its socket goes too, for with it the next one to connect would start the bus again.</summary>
    public static void StopBus(this Lab lab) => lab.Systemctl(["stop", .. s_units]);

    /// <summary>Brings the bus back.</summary>
    public static void StartBus(this Lab lab)
    {
        lab.ForgetBusStarts();
        lab.Systemctl(["start", .. s_units]);
    }

    // The sixth start within ten seconds would be refused, and take the socket with it.
    private static void ForgetBusStarts(this Lab lab) => lab.Run(["systemctl", "reset-failed", .. s_units]);
}
