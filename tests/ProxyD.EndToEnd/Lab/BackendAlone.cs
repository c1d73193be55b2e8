using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>server.cjs without any proxy, to tell how much of a cold start is the backend's own.</summary>
internal static class BackendAlone
{
    private const string Address = "127.0.0.1:18081";
    private const string Unit = "alone-backend.service";

    public static UnitFiles Units { get; } = UnitFiles
        .Seed("alone", "127.0.0.1:8081", Address, "Environment=PORT=18081\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs")
        .WithoutStartLimit(Unit);

    /// <summary>From the moment at which systemd began to start it to its first answer.</summary>
    public static TimeSpan Start(Lab lab)
    {
        lab.Systemctl("start", Unit);
        Answer? answer = null;
        Wait.Until(() => (answer = TryGet(lab)) is not null, "the backend alone answers");
        TimeSpan now = Stopwatch.GetElapsedTime(0);
        TimeSpan startedAt = StartedAt(lab, Unit);
        lab.Systemctl("kill", "--signal=KILL", Unit);
        return now - startedAt;
    }

    /// <summary>When systemd began to start a unit, by Stopwatch: both clocks are CLOCK_MONOTONIC.</summary>
    /// <remarks>
    /// The conditions, even if there are none, are what it looks at first. ExecMainStartTimestamp comes 1 to 16 ms later: that long the kernel
    /// takes to move a process into a new cgroup, whoever has ordered the start.
    /// </remarks>
    public static TimeSpan StartedAt(Lab lab, string unit) =>
        TimeSpan.FromMicroseconds(long.Parse(lab.Property(unit, "ConditionTimestampMonotonic"), CultureInfo.InvariantCulture));

    private static Answer? TryGet(Lab lab)
    {
        try
        {
            return lab.Get(Address);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
