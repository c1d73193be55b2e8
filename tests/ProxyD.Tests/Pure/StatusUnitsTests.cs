using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>Which services run proxyd, from what systemctl show prints.</summary>
public sealed class StatusUnitsTests
{
    [Theory]
    [InlineData("{ path=/usr/local/bin/proxyd ; argv[]=/usr/local/bin/proxyd 127.0.0.1:18080 ; ignore_errors=no ; pid=0 }", true)]
    [InlineData("{ path=/bin/true ; argv[]=/bin/true ; pid=0 }\n{ path=/opt/proxyd ; argv[]=/opt/proxyd x ; pid=0 }", true)]
    [InlineData("{ path=/bin/sh ; argv[]=/bin/sh -c exec /usr/bin/proxyd x ; pid=0 }", false)]
    [InlineData("{ path=/usr/lib/systemd/systemd-socket-proxyd ; argv[]=x ; pid=0 }", false)]
    [InlineData("", false)]
    public void A_command_is_told_by_its_program(string execStart, bool expected) =>
        // Goal: systemd's own proxy is none of ours.
        Assert.Equal(expected, StatusUnits.RunsProxyd(execStart));

    [Fact]
    public void A_unit_is_found_with_its_control_socket_and_its_sockets()
    {
        // Goal: the first of several runtime directories; of the other units only the sockets that start it.
        Dictionary<string, string> service = new()
        {
            ["Id"] = "web.service",
            ["ActiveState"] = "active",
            ["RuntimeDirectory"] = "web other",
            ["TriggeredBy"] = "web-tls.socket web.socket web.timer",
            ["StatusText"] = "ready\t",
        };
        Dictionary<string, string>[] others =
        [
            new() { ["Id"] = "api.socket", ["ActiveState"] = "active" },
            new() { ["Id"] = "web.socket", ["ActiveState"] = "failed" },
            new() { ["Id"] = "web.timer", ["ActiveState"] = "active" },
            service,
        ];
        ProxyUnit unit = StatusUnits.ToProxy(service, [.. others], "/run/user/7");
        Assert.Equal(("web.service", "active", "ready?", "/run/user/7/web/control"), (unit.Name, unit.State, unit.Status, unit.ControlPath));
        Assert.Equal([("web.socket", "failed")], unit.Sockets);
        service["RuntimeDirectory"] = "";
        Assert.Null(StatusUnits.ToProxy(service, [], "/run").ControlPath);
    }

    [Theory]
    [InlineData("active", "active", true, false)]
    [InlineData("activating", "active", true, false)]
    [InlineData("deactivating", "active", true, false)]
    [InlineData("inactive", "active", false, true)]
    [InlineData("inactive", "failed", false, false)]
    [InlineData("failed", "active", false, false)]
    public void What_sleeps_is_told_from_what_is_down(string state, string socket, bool runs, bool sleeps)
    {
        // Goal: not running is well exactly when its socket would start it.
        ProxyUnit unit = new() { Name = "web.service", State = state, Sockets = [("web.socket", socket)] };
        Assert.Equal((runs, sleeps), (unit.Runs, unit.Sleeps));
    }
}
