using ProxyD.Rules;

namespace ProxyD.Tests.Rules;

/// <summary>PXD025, PXD029, PXD031, PXD032, PXD033 and PXD039: names, and how proxy and backend live.</summary>
public sealed class BackendUnitRuleTests
{
    private const string Refusing = "--- web-backend.service\n[Unit]\nRefuseManualStart=yes";

    [Theory]
    [InlineData("Service=wep.service", "", "", "web.socket:3")]
    [InlineData("", "", "--backend-unit=wep-backend", "web.service:4")]
    [InlineData("", "Requires=wep-backend.service", "", "web.service:2")]
    [InlineData("", "Wants=wep-backend.service", "", "web.service:2")]
    [InlineData("", "Upholds=web-backend.service", "", null)]
    [InlineData("", "", "--backend-unit=web-backend", null)]
    [InlineData("", "", "--backend-unit=room@1", null)]
    [InlineData("", "", "--backend-unit=room@%i", null)]
    [InlineData("", "", "--backend-unit=rom@%i", "web.service:4")]
    [InlineData("", "", "--backend-unit=%i", null)]
    [InlineData("", "", "--backend-unit=${B}", null)]
    [InlineData("", "", "--backend-unit=${B}\nEnvironment=B=web-backend.service", null)]
    [InlineData("", "", "--backend-unit=${B}\nEnvironment=B=wep-backend.service", "web.service:4")]
    [InlineData("", "", "$OPTIONS\nEnvironment='OPTIONS=-c 9 --backend-unit=wep-backend'", "web.service:4")]
    [InlineData("", "", "--backend-unit=${B}\nEnvironment=B=wep-backend.service\nEnvironmentFile=/etc/default/web", null)]
    [InlineData("", "Requires=%i.service", "", null)]
    [InlineData("Service=%H.service", "", "", null)]
    public void A_name_that_nobody_has_is_found(string inSocket, string tie, string option, string? found) =>
        // Goal: PXD025 for the socket's service and for each way to a backend; a template stands for its instances, variables of the unit's own are put
        // in, and what only the manager knows is not judged.
        Assert.Equal(found is null ? [] : [found], Fixture.Findings("PXD025", Named(inSocket, tie, option), exists: _ => false));

    [Fact]
    public void What_the_machine_has_is_not_missing() =>
        // Goal: PXD025 asks beyond the units at hand.
        Assert.Empty(Fixture.Findings("PXD025", Named("", "Requires=postgresql.service", ""), exists: name => name == "postgresql.service"));

    [Theory]
    [InlineData("/usr/lib/systemd/system/web.socket", 0)]
    [InlineData("/etc/systemd/system/web.socket", 1)]
    public void A_packages_socket_without_a_proxy_is_nobodys_business(string path, int count) =>
        // Goal: no PXD025 for packages whose socket and service come apart; of one's own it is what is wrong, proxy or not.
        Assert.Equal(count, Fixture.Findings("PXD025", $"--- {path}\n[Socket]\nListenStream=80\n", exists: _ => false).Length);

    [Theory]
    [InlineData("--backend-unit=web-backend --backend-idle-stop=1min", "--backend-unit=web-backend.service", "a.service:2")]
    [InlineData("--backend-unit=web-backend --backend-idle-freeze=1min", "--backend-unit=web-backend --backend-idle-stop=1h", "a.service:2 b.service:2")]
    [InlineData("--backend-unit=web-backend --backend-idle-stop=1min", "--backend-unit=other", "")]
    [InlineData("--backend-unit=web-backend --backend-idle-stop=infinity", "--backend-unit=web-backend", "")]
    [InlineData("--backend-unit=%i --backend-idle-stop=1min", "--backend-unit=%i", "")]
    public void A_backend_that_sleeps_under_anothers_clients_is_found(string one, string other, string expected) =>
        // Goal: PXD039 at each proxy that would stop what another needs.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD039", $"""
            --- a.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:1 {one}
            --- b.service
            [Service]
            ExecStart=/usr/bin/proxyd 127.0.0.1:1 {other}
            """)));

    [Theory]
    [InlineData("--backend-unit=web-backend", "", true)]
    [InlineData("", "Upholds=web-backend.service", false)]
    public void A_backend_that_refuses_a_start_by_name_is_found(string option, string tie, bool isFound) =>
        // Goal: PXD031 where it is started by its name.
        Assert.Equal(
            isFound ? ["web-backend.service:2"] : [],
            Fixture.Findings("PXD031", Named("", tie, option).Replace("--- web-backend.service", Refusing, StringComparison.Ordinal)));

    [Theory]
    [InlineData("--exit-idle-time=5min", "Restart=always", true)]
    [InlineData("--exit-idle-time=5min", "Restart=on-success", true)]
    [InlineData("--exit-idle-time=5min", "Restart=on-failure", false)]
    [InlineData("--exit-idle-time=infinity", "Restart=always", false)]
    [InlineData("", "Restart=always", false)]
    public void A_proxy_that_may_not_sleep_is_found(string option, string restart, bool isFound) =>
        // Goal: PXD029 for the two values that follow an exit with 0.
        Assert.Equal(isFound ? ["web.service:3"] : [], Fixture.Findings("PXD029", Service($"proxyd 127.0.0.1:80 {option}", restart)));

    [Theory]
    [InlineData("--exec=/usr/bin/web", "", "web.service:2")]
    [InlineData("--exec=/usr/bin/web", "KillMode=control-group", "web.service:3")]
    [InlineData("--exec=/usr/bin/web", "KillMode=mixed", null)]
    [InlineData("", "", null)]
    public void A_child_that_is_killed_first_is_found(string option, string line, string? found) =>
        // Goal: PXD032 unless systemd leaves the child to its parent.
        Assert.Equal(found is null ? [] : [found], Fixture.Findings("PXD032", Service($"proxyd 127.0.0.1:80 {option}", line)));

    [Theory]
    [InlineData("systemd-socket-proxyd 127.0.0.1:80", "Type=notify", true)]
    [InlineData("systemd-socket-proxyd 127.0.0.1:80", "Type=simple", false)]
    [InlineData("systemd-socket-proxyd 127.0.0.1:80", "", false)]
    [InlineData("proxyd 127.0.0.1:80", "Type=notify", false)]
    public void Readiness_that_is_never_said_is_found(string command, string type, bool isFound) =>
        // Goal: PXD033 for the proxy that doesn't say it everywhere; a note where nobody knows which systemd it is.
        Assert.Equal(isFound ? ["note web.service:3"] : [], Fixture.Findings("PXD033", Service(command, type)));

    [Theory]
    [InlineData(253, true), InlineData(254, false)]
    public void Readiness_is_said_from_some_version_on(int version, bool isFound)
    {
        // Goal: PXD033 is an error before systemd 254, and nothing from then on.
        CheckInput known = Fixture.Read(Service("systemd-socket-proxyd 127.0.0.1:80", "Type=notify"));
        CheckInput input = new(known.Units, _ => null, _ => true, [], version);
        Assert.Equal(isFound ? [Severity.Error] : [], RuleTable.Find("PXD033")!.Find(input).Select(finding => finding.Severity));
    }

    private static string Service(string command, string line) => $"--- web.service\n[Service]\nExecStart=/usr/bin/{command}\n{line}\n";

    private static string Named(string inSocket, string tie, string option) => $"""
        --- web.socket
        [Socket]
        ListenStream=80
        {inSocket}
        --- web.service
        [Unit]
        {tie}
        [Service]
        ExecStart=/usr/bin/proxyd 127.0.0.1:80 {option}
        --- web-backend.service
        [Service]
        ExecStart=/usr/bin/web
        --- room@.service
        [Service]
        ExecStart=/usr/bin/room
        """;
}
