using ProxyD.Rules;

namespace ProxyD.Tests.Rules;

/// <summary>PXD017, PXD018 and PXD023: what a sandbox must leave to a proxy.</summary>
public sealed class SandboxRuleTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", "AF_INET AF_INET6", false)]
    [InlineData("127.0.0.1:8080", "AF_UNIX", true)]
    [InlineData("127.0.0.1:8080", "none", true)]
    [InlineData("127.0.0.1:8080", "~AF_NETLINK AF_PACKET", false)]
    [InlineData("127.0.0.1:8080", "~AF_INET", true)]
    [InlineData("[::1]:8080", "AF_INET AF_UNIX", true)]
    [InlineData("web=[::1]:8080", "AF_INET6", false)]
    [InlineData("127.0.0.1:1%i", "AF_INET6", true)]
    [InlineData("backend.example:80", "AF_INET6", false)]
    [InlineData("/run/web.sock", "AF_INET AF_INET6", true)]
    [InlineData("@web", "AF_INET AF_INET6", true)]
    [InlineData("/run/web.sock", "AF_UNIX", false)]
    public void The_destinations_family_must_be_allowed(string destination, string families, bool isFound) =>
        // Goal: PXD017 for lists that allow and lists that forbid; nothing for a name, whose family nobody knows.
        Assert.Equal(isFound ? ["web.service:3"] : [], Fixture.Findings("PXD017", Proxy(destination, $"RestrictAddressFamilies={families}")));

    [Theory]
    [InlineData("127.0.0.1:8080", "", false)]
    [InlineData("127.0.0.1:8080 --backend-unit=web-backend", "", true)]
    [InlineData("127.0.0.1:8080", "Type=notify", true)]
    [InlineData("127.0.0.1:8080", "Type=exec", false)]
    public void The_bus_and_READY_need_AF_UNIX(string command, string type, bool isFound) =>
        // Goal: PXD017 for what a proxy needs beside its destination.
        Assert.Equal(isFound ? ["web.service:3"] : [], Fixture.Findings("PXD017", Proxy(command, $"RestrictAddressFamilies=AF_INET\n{type}")));

    [Fact]
    public void A_Unix_listener_needs_no_family() =>
        // Goal: PXD017 knows that a socket that is passed on is not made.
        Assert.Empty(Fixture.Findings(
            "PXD017", "--- web.socket\n[Socket]\nListenStream=/run/web.sock\n" + Proxy("127.0.0.1:80", "RestrictAddressFamilies=AF_INET")));

    [Theory]
    [InlineData("RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=AF_UNIX", false)]
    [InlineData("RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET", true)]
    [InlineData("RestrictAddressFamilies=AF_UNIX AF_INET\nRestrictAddressFamilies=~AF_UNIX", true)]
    [InlineData("RestrictAddressFamilies=~AF_UNIX\nRestrictAddressFamilies=AF_UNIX", false)]
    public void Lists_add_up(string lines, bool isFound) =>
        // Goal: PXD017 over several assignments, resets and exceptions.
        Assert.Equal(isFound, Fixture.Findings("PXD017", Proxy("/run/web.sock", lines)).Length > 0);

    [Theory]
    [InlineData("@system-service", false)]
    [InlineData("@system-service\nSystemCallFilter=~@privileged @resources", false)]
    [InlineData("@system-service\nSystemCallFilter=~@process", true)]
    [InlineData("~@privileged @resources @mount @swap @reboot @debug", false)]
    [InlineData("~@network-io", true)]
    [InlineData("~splice", true)]
    [InlineData("~splice:EPERM", true)]
    [InlineData("~madvise:EPERM", false)]
    [InlineData("~madvise\nSystemCallErrorNumber=EPERM", false)]
    [InlineData("~madvise\nSystemCallErrorNumber=kill", true)]
    [InlineData("~@default", true)]
    [InlineData("@basic-io @file-system @io-event @ipc @network-io @process @signal", true)]
    [InlineData("@basic-io @file-system @io-event @ipc @network-io @process @signal\nSystemCallFilter=splice ioctl madvise sysinfo", true)]
    [InlineData("@basic-io @file-system @io-event @ipc @network-io @process @signal\nSystemCallFilter=splice ioctl madvise sysinfo get_mempolicy", false)]
    [InlineData("~get_mempolicy", true)]
    [InlineData("~get_mempolicy:EPERM", false)]
    [InlineData("~membarrier:EPERM", true)]
    [InlineData("~rseq", true)]
    [InlineData("@known", false)]
    [InlineData("\nSystemCallFilter=", false)]
    public void The_calls_that_move_bytes_must_be_allowed(string filter, bool isFound) =>
        // Goal: PXD018 for what a proxy dies of, and not for what it never calls or can do without.
        Assert.Equal(isFound, Fixture.Findings("PXD018", Proxy("127.0.0.1:80", $"SystemCallFilter={filter}")).Length > 0);

    [Theory]
    [InlineData("~splice", "the proxy dies of SIGSYS")]
    [InlineData("~splice:EPERM", "it fails, and answers are cut short or none comes")]
    [InlineData("~splice\nSystemCallErrorNumber=EPERM", "it fails, and answers are cut short or none comes")]
    public void What_a_forbidden_call_does_is_told(string filter, string end) =>
        // Goal: PXD018 tells an error number from a signal.
        Assert.EndsWith(end, RuleTable.Run(Fixture.Read(Proxy("127.0.0.1:80", $"SystemCallFilter={filter}"))).Single(f => f.RuleId == "PXD018").Why,
            StringComparison.Ordinal);

    [Fact]
    public void The_assignment_that_takes_a_call_away_is_named() =>
        // Goal: PXD018 points to the line to change.
        Assert.Equal(["web.service:4"], Fixture.Findings("PXD018", Proxy("127.0.0.1:80", "SystemCallFilter=@system-service\nSystemCallFilter=~@ipc")));

    [Theory]
    [InlineData("256M", true), InlineData("3G:16G", true), InlineData("1000000000", true)]
    [InlineData("4G", false), InlineData("16G", false), InlineData("infinity", false), InlineData("1T:2T", false)]
    public void Little_address_space_is_found(string limit, bool isFound) =>
        // Goal: PXD023 below what the runtime needs, by the soft limit.
        Assert.Equal(isFound ? ["web.service:3"] : [], Fixture.Findings("PXD023", Proxy("127.0.0.1:80", $"LimitAS={limit}")));

    [Fact]
    public void Little_address_space_is_enough_for_the_other_proxy() =>
        // Goal: PXD023 is about the runtime in proxyd.
        Assert.Empty(Fixture.Findings("PXD023", Proxy("127.0.0.1:80", "LimitAS=256M").Replace("/proxyd", "/systemd-socket-proxyd", StringComparison.Ordinal)));

    private static string Proxy(string command, string lines) => $"""

        --- web.service
        [Service]
        ExecStart=/usr/local/bin/proxyd {command}
        {lines}
        """;
}
