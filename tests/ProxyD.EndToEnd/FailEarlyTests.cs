using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace ProxyD.EndToEnd;

/// <summary>A backend that cannot come: nobody waits for it longer than it takes to know.</summary>
public sealed class FailEarlyTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8002";
    private const string Proxy = "early.service";
    private const string Backend = "early-backend.service";
    private const string User = "early";
    private const int Warning = 4;
    private const double KnownToResetMsMax = 100;

    // Goal: the unit starts and fails: from its failure to the client's reset it is 100 ms at most, and the log tells result and status.
    [Theory]
    [InlineData("/bin/false", "exit-code", "status 1")]
    [InlineData("/bin/sh -c 'kill -KILL $$$$'", "signal", "9/KILL")]
    [InlineData("/usr/bin/no-such-program", "exit-code", "203/EXEC")]
    public void A_client_of_a_unit_that_fails_is_reset_when_it_has_failed(string command, string result, string status)
    {
        Trio trio = Install(Units($"ExecStart={command}"));
        Lab.Systemctl("start", Proxy);
        List<double> lateMs = [];
        for (int i = 0; i < 3; i++)
        {
            OutwaitBackOff(i);
            Lab.HeldUntilReset(PublicAddress);
            // CLOCK_MONOTONIC, as systemd's.
            TimeSpan now = Stopwatch.GetElapsedTime(0);
            string failedAt = Lab.Property(Backend, "StateChangeTimestampMonotonic");
            lateMs.Add((now - TimeSpan.FromMicroseconds(long.Parse(failedAt, CultureInfo.InvariantCulture))).TotalMilliseconds);
        }

        MustHaveLogged(trio, [Backend, result, status, $"journalctl -u {Backend}"]);
        Say($"reset {string.Join(", ", lateMs.Select(ms => ms.ToString("F1", CultureInfo.InvariantCulture)))} ms after the failure");
        Assert.InRange(lateMs.Median(), 0, KnownToResetMsMax);
    }

    // Goal: systemd says no at once, whatever its reason: the client is reset as soon, and the log tells the reason.
    [Theory]
    [InlineData("masked", "is masked", "systemctl unmask")]
    [InlineData("missing", "there is no unit", Backend)]
    [InlineData("forbidden", "polkit", "50-proxyd.rules")]
    public void A_client_of_a_unit_that_may_not_start_is_reset_at_once(string obstacle, string reason, string advice)
    {
        UnitFiles files = Units("ExecStart=/bin/sleep infinity");
        if (obstacle == "forbidden")
        {
            Lab.AddUser(User);
            files = files.WithService(Proxy, $"User={User}");
        }
        else
            files = files.Without(Backend);
        if (obstacle == "masked")
            Keep(new Mask(Lab, Backend));
        // On a machine that uses polkit it runs long before.
        Lab.Systemctl("start", "polkit.service");
        Trio trio = Install(files);
        Lab.Systemctl("start", Proxy);
        List<double> heldMs = [];
        for (int i = 0; i < 3; i++)
        {
            OutwaitBackOff(i);
            heldMs.Add(Lab.HeldUntilReset(PublicAddress).TotalMilliseconds);
        }

        MustHaveLogged(trio, [Backend, reason, advice]);
        Say($"held {string.Join(", ", heldMs.Select(ms => ms.ToString("F1", CultureInfo.InvariantCulture)))} ms");
        Assert.InRange(heldMs.Median(), 0, KnownToResetMsMax);
    }

    // Goal: who comes while proxyd backs off is reset with the next attempt: a hundred of them, and it neither falls nor works hard.
    [Fact]
    public async Task A_hundred_clients_of_a_unit_that_fails_cost_next_to_nothing()
    {
        Trio trio = Install(Units("ExecStart=/bin/false"));
        Lab.Systemctl("start", Proxy);
        string process = Lab.Property(Proxy, "MainPID");
        long start = Stopwatch.GetTimestamp();
        double cpuMs = CpuMs();

        List<Task<bool>> clients = [];
        for (int i = 0; i < 100; i++)
        {
            clients.Add(IsReset());
            await Task.Delay(60, TestContext.Current.CancellationToken);
        }
        bool[] areReset = await Task.WhenAll(clients);

        double spanMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        cpuMs = CpuMs() - cpuMs;
        Say($"{cpuMs:F0} ms of processor time in {spanMs:F0} ms");
        Assert.All(areReset, Assert.True);
        Assert.Equal(process, Lab.Property(Proxy, "MainPID"));
        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
        Assert.InRange(cpuMs / spanMs, 0, 0.01);
    }

    // Goal: whoever mends the unit and starts it by hand need not wait for proxyd's next try, nor need the client.
    [Fact]
    public async Task A_unit_that_is_started_by_hand_ends_the_back_off()
    {
        const string Mended = "/run/early-is-mended";
        Install(UnitFiles.Resident("early", PublicAddress, "127.0.0.1:18002 --wait-bind=1min",
            $"Environment=PORT=18002\nExecStart=/bin/sh -c 'test -e {Mended} && exec /usr/bin/node /srv/brainstorm/server.cjs'"));
        // 6.4 s until the next try, then.
        for (int i = 0; i < 7; i++)
            Assert.True(await IsReset());
        Keep(new LabFile(Lab, Mended, ""));
        long start = Stopwatch.GetTimestamp();

        Task<Answer> answer = Lab.GetAsync(PublicAddress);
        Lab.Systemctl("reset-failed", Backend);
        Lab.Systemctl("start", Backend);

        Assert.Equal(200, (await answer).Status);
        // Below the back-off, which would be the time if the start by hand went unnoticed.
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5);
    }

    private static UnitFiles Units(string backend) => UnitFiles.Resident("early", PublicAddress, "127.0.0.1:18002", backend);

    // 100 ms after the first failure, 200 after the second: who comes later than that is not kept waiting for the next attempt.
    private static void OutwaitBackOff(int failures) => Wait.For(failures == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(150 << failures));

    private void MustHaveLogged(Trio trio, string[] parts)
    {
        bool Matches(JournalLine line) => line.Priority == Warning && parts.All(part => line.Message.Contains(part, StringComparison.Ordinal));
        Wait.Until(
            () => trio.Journal.LinesOf(Proxy).Any(Matches),
            () => $"a warning with \"{string.Join("\", \"", parts)}\"; there is\n{string.Join('\n', trio.Journal.LinesOf(Proxy))}");
    }

    private async Task<bool> IsReset()
    {
        try
        {
            await Lab.GetAsync(PublicAddress);
            return false;
        }
        catch (SocketException end)
        {
            return end.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    private double CpuMs() => long.Parse(Lab.Property(Proxy, "CPUUsageNSec"), CultureInfo.InvariantCulture) / 1e6;

    private sealed class Mask : IDisposable
    {
        private readonly Lab _lab;
        private readonly string _unit;

        public Mask(Lab lab, string unit)
        {
            (_lab, _unit) = (lab, unit);
            lab.Systemctl("mask", unit);
        }

        public void Dispose() => _lab.Systemctl("unmask", _unit);
    }
}
