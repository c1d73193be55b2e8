using ProxyD.Backend;
using ProxyD.Interop;

namespace ProxyD.Tests.Pure;

/// <summary>What systemd tells of a unit, in the words that a log line needs.</summary>
public sealed class UnitTests
{
    [Theory]
    [InlineData("exit-code", "1", "203", "exit-code, status 203/EXEC")]
    [InlineData("exit-code", "1", "1", "exit-code, status 1")]
    [InlineData("signal", "2", "11", "signal, 11/SEGV")]
    [InlineData("core-dump", "3", "6", "core-dump, 6/ABRT")]
    [InlineData("timeout", "2", "15", "timeout")]
    [InlineData("start-limit-hit", "0", "0", "start-limit-hit")]
    public void How_a_unit_ended_is_said_as_systemd_says_it(string result, string code, string status, string expected)
    {
        // Goal: result and exit status, with the names that systemctl status shows.
        Assert.Equal(expected, Failed(result, code, status).EndText());
    }

    [Theory]
    [InlineData("inactive", true, false)]
    [InlineData("failed", true, false)]
    [InlineData("active", false, true)]
    [InlineData("reloading", false, true)]
    [InlineData("activating", false, false)]
    [InlineData("deactivating", false, false)]
    [InlineData("", false, false)]
    public void A_unit_on_its_way_is_neither_up_nor_down(string activeState, bool isDown, bool isActive)
    {
        // Goal: a unit that restarts itself (activating, auto-restart) or stops is waited for.
        UnitStatus status = UnitStatus.Unheard with { ActiveState = activeState };
        Assert.Equal((isDown, isActive), (status.IsDown, status.IsActive));
    }

    [Fact]
    public void Only_what_changed_changes()
    {
        // Goal: PropertiesChanged brings some of the properties, and those of others not at all.
        UnitStatus before = Failed("exit-code", "1", "203");
        UnitStatus after = before.With(new() { ["ActiveState"] = "activating", ["Description"] = "x" });
        Assert.Equal(before with { ActiveState = "activating" }, after);
        Assert.Equal(before, before.With([]));
    }

    [Theory]
    [InlineData("org.freedesktop.systemd1.NoSuchUnit", "there is no unit web.service", false)]
    [InlineData("org.freedesktop.systemd1.UnitMasked", "systemctl unmask web.service", false)]
    [InlineData("org.freedesktop.systemd1.LoadFailed", "systemd-analyze verify web.service", false)]
    [InlineData("org.freedesktop.systemd1.BadUnitSetting", "systemd-analyze verify web.service", false)]
    [InlineData("org.freedesktop.systemd1.OnlyByDependency", "RefuseManualStart=", false)]
    [InlineData("org.freedesktop.DBus.Error.AccessDenied", "a polkit rule for web.service is missing; deploy/polkit/50-proxyd.rules", false)]
    [InlineData("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "a polkit rule for web.service is missing", false)]
    [InlineData("org.freedesktop.DBus.Error.ServiceUnknown", "systemd can't be reached on the bus", true)]
    [InlineData("org.freedesktop.DBus.Error.NoReply", "systemd can't be reached on the bus", true)]
    [InlineData("System.Error.ENOTCONN", "the system bus can't be reached", true)]
    [InlineData("", "the system bus can't be reached", true)]
    [InlineData("org.example.Other", "systemd would not start web.service: said so", false)]
    public void Each_error_of_the_bus_says_what_would_help(string name, string expected, bool isPassing)
    {
        // Goal: masked, missing, denied, away: each its own sentence, and only what passes is waited for.
        UnitProblem problem = UnitProblem.From(new BusException(name, "said so"), "start", "web.service", ofUser: false);
        Assert.Contains(expected, problem.Cause, StringComparison.Ordinal);
        Assert.Equal(isPassing, problem.IsPassing);
    }

    [Fact]
    public void What_cannot_be_frozen_says_what_it_takes()
    {
        // Goal: cgroup v1 and an old systemd are named as such.
        foreach (string name in (string[])["org.freedesktop.DBus.Error.NotSupported", "org.freedesktop.DBus.Error.UnknownMethod"])
        {
            UnitProblem problem = UnitProblem.From(new BusException(name, "Unit does not support freezing"), "freeze", "web.service", ofUser: false);
            Assert.Contains("it needs systemd 246 and a pure cgroup v2 tree", problem.Cause, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_advice_for_a_users_unit_is_for_the_user_manager()
    {
        // Goal: a command that can be copied.
        BusException masked = new("org.freedesktop.systemd1.UnitMasked", "");
        Assert.Contains("systemctl --user unmask", UnitProblem.From(masked, "start", "web.service", ofUser: true).Cause, StringComparison.Ordinal);
    }

    private static UnitStatus Failed(string result, string code, string status) => UnitStatus.Unheard with
    {
        ActiveState = "failed",
        Result = result,
        ExecMainCode = code,
        ExecMainStatus = status,
    };
}
