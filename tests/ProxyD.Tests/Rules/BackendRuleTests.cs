using ProxyD.Rules;
using ProxyD.Units;

namespace ProxyD.Tests.Rules;

/// <summary>PXD005, PXD010, PXD011, PXD012: what a backend on demand must not have.</summary>
public sealed class BackendRuleTests
{
    [Theory]
    [InlineData("Restart=always", "", "web-backend.service:5")]
    [InlineData("Restart=on-success", "", "web-backend.service:5")]
    [InlineData("Restart=always", "StopWhenUnneeded=yes", "note web-backend.service:5")]
    [InlineData("Restart=on-failure", "", "")]
    [InlineData("Restart=no", "", "")]
    [InlineData("Restart=always\nRestart=no", "", "")]
    public void Restart_of_a_backend_on_demand_is_found(string restart, string inUnit, string expected) =>
        // Goal: PXD005 where systemd undoes the backend's own exit; a stop of systemd's own is final, so that is only worth a note.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD005", Trio("proxyd 127.0.0.1:8080", "Upholds=web-backend.service", inUnit, restart))));

    [Theory]
    [InlineData("web.service", "Environment=PORT=8080", "note web.service:3")]
    [InlineData("web.service", "ExecStart=/usr/bin/web --port 8080", "note web.service:3")]
    [InlineData("web.service", "ExecStart=/usr/bin/web --listen=:8080", "note web.service:3")]
    [InlineData("web.service", "Environment=REPORT=8080", "")]
    [InlineData("web.service", "ExecStart=/usr/bin/docker run --port 8080 web", "")]
    [InlineData("/usr/lib/systemd/system/web.service", "Environment=PORT=8080", "")]
    public void A_plain_service_that_could_sleep_is_a_note(string path, string line, string expected) =>
        // Goal: PXD005 points out what could be migrated, where a port is plain, and never in a package's unit.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD005", $"""
            --- {path}
            [Service]
            {line}
            Restart=always
            """)));

    [Fact]
    public void A_service_with_a_socket_of_its_own_is_no_plain_service() =>
        // Goal: PXD005's note is not for what is socket-activated already.
        Assert.Empty(Fixture.Findings("PXD005", """
            --- web.socket
            [Socket]
            ListenStream=8080
            --- web.service
            [Service]
            Environment=PORT=8080
            Restart=always
            """));

    [Theory]
    [InlineData("WantedBy=multi-user.target", "", "web-backend.service:7")]
    [InlineData("WantedBy=web.service", "", "")]
    [InlineData("WantedBy=multi-user.target", "PrivateNetwork=yes", "")]
    [InlineData("Alias=w.service", "", "")]
    public void An_install_section_of_the_backend_is_found(string install, string inService, string expected) =>
        // Goal: PXD010, unless the proxy itself wants it, or is only a bridge into a namespace.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings(
            "PXD010", Trio("proxyd 127.0.0.1:8080", "Upholds=web-backend.service", "", $"{inService}\n[Install]\n{install}"))));

    [Theory]
    [InlineData("/etc/systemd/system/daemon.service", "enabled", "Warning remove [Install]")]
    [InlineData("/usr/lib/systemd/system/daemon.service", "enabled", "Warning systemctl disable daemon.service")]
    [InlineData("/lib/systemd/system/daemon.service", "enabled-runtime", "Warning systemctl disable daemon.service")]
    [InlineData("/usr/lib/systemd/system/daemon.service", "disabled", null)]
    [InlineData("/etc/systemd/system/daemon.service", "disabled", null)]
    [InlineData("/etc/systemd/system/daemon.service", "indirect", null)]
    [InlineData("/etc/systemd/system/daemon.service", "", "Warning remove [Install]")]
    [InlineData("/usr/lib/systemd/system/daemon.service", null, "Note systemctl disable daemon.service")]
    public void An_install_section_is_judged_by_whether_it_is_in_force(string path, string? state, string? expected)
    {
        // Goal: PXD010 as the manager has it; a package's unit is disabled, never edited, and is no fault where nothing is known of it.
        UnitSet read = Fixture.Read($"""
            --- web.socket
            [Socket]
            ListenStream=80
            --- web.service
            [Service]
            ExecStart=/usr/bin/proxyd --backend-unit=daemon 127.0.0.1:8080
            --- {path}
            [Service]
            ExecStart=/usr/bin/web
            [Install]
            WantedBy=multi-user.target
            """).Units;
        UnitSet asked = new(read.Units.Select(unit => new Unit(unit.Name, unit.Sources) { FileState = state }));
        Finding[] findings = [.. RuleTable.Find("PXD010")!.Find(new(asked, _ => null, _ => true))];
        Assert.Equal(expected is null ? 0 : 1, findings.Length);
        Assert.All(findings, finding => Assert.StartsWith(expected!, $"{finding.Severity} {finding.Fix}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("proxyd --backend-unit=web-backend 127.0.0.1:8080", "", true)]
    [InlineData("proxyd --backend-unit=web-backend 127.0.0.1:8080", "Wants=web-backend.service", false)]
    [InlineData("proxyd 127.0.0.1:8080", "Upholds=web-backend.service", false)]
    [InlineData("sh -c 'systemctl start web-backend; exec proxyd 127.0.0.1:8080'", "", true)]
    public void StopWhenUnneeded_without_a_need_is_found(string command, string inProxy, bool isFound) =>
        // Goal: PXD011 where a start over D-Bus is all that starts it.
        Assert.Equal(isFound ? ["web-backend.service:2"] : [], Fixture.Findings("PXD011", Trio(command, inProxy, "StopWhenUnneeded=yes", "")));

    [Theory]
    [InlineData("ExecStartPre=/bin/sh -c 'until nc -z 127.0.0.1 8080; do sleep 1; done'", "After=web.service", true)]
    [InlineData("Type=simple", "After=web.service", false)]
    [InlineData("ExecStartPre=/bin/sh -c 'until nc -z 127.0.0.1 8080; do sleep 1; done'", "After=network.target", false)]
    [InlineData("[Unit]\nAfter=web-backend.service\n[Service]", "After=web.service", true)]
    public void A_deadlock_between_proxy_and_backend_is_found(string inProxy, string inBackend, bool isFound) =>
        // Goal: PXD012 when the proxy's start waits, by a guard or by its order; proxyd's own wait is no part of its start.
        Assert.Equal(isFound ? ["web-backend.service:2"] : [], Fixture.Findings("PXD012", $"""
            --- web.service
            [Unit]
            Wants=web-backend.service
            [Service]
            {inProxy}
            ExecStart=/usr/bin/proxyd 127.0.0.1:8080
            --- web-backend.service
            [Unit]
            {inBackend}
            [Service]
            ExecStart=/usr/bin/web
            """));

    [Fact]
    public void A_hook_that_waits_for_a_backend_behind_the_proxy_is_found() =>
        // Goal: PXD012 through a unit between them.
        Assert.Equal(["web-backend.service:2"], Fixture.Findings("PXD012", """
            --- web.service
            [Unit]
            Requires=web-hook.service
            After=web-hook.service
            [Service]
            ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080
            --- web-hook.service
            [Service]
            Type=oneshot
            ExecStart=/bin/systemctl start --no-block web-backend.service
            ExecStartPost=/bin/sh -c 'while ! nc -z 127.0.0.1 8080; do sleep 1; done'
            --- web-backend.service
            [Unit]
            After=web.service
            [Service]
            ExecStart=/usr/bin/web
            """));

    private static string Trio(string command, string inProxy, string inBackendUnit, string inBackendService) => $"""
        --- web.socket
        [Socket]
        ListenStream=80
        --- web.service
        [Unit]
        {inProxy}
        [Service]
        ExecStart=/usr/bin/{command}
        --- web-backend.service
        [Unit]
        {inBackendUnit}
        [Service]
        ExecStart=/usr/bin/web
        {inBackendService}
        """;
}
