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

    /// <summary>From the moment at which systemd started the process to its first answer.</summary>
    public static TimeSpan Start(Lab lab)
    {
        lab.Systemctl("start", Unit);
        Answer? answer = null;
        Wait.Until(() => (answer = TryGet(lab)) is not null, "the backend alone answers");
        // Both clocks are CLOCK_MONOTONIC: systemd's property, in microseconds, and Stopwatch.
        TimeSpan now = Stopwatch.GetElapsedTime(0);
        string started = lab.Property(Unit, "ExecMainStartTimestampMonotonic");
        lab.Systemctl("kill", "--signal=KILL", Unit);
        return now - TimeSpan.FromMicroseconds(long.Parse(started, CultureInfo.InvariantCulture));
    }

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
