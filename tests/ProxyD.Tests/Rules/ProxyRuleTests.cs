namespace ProxyD.Tests.Rules;

/// <summary>PXD013 to PXD015: how the proxy itself is run.</summary>
public sealed class ProxyRuleTests
{
    [Theory]
    [InlineData("/srv/wrap.sh", "#!/bin/sh\nsystemd-socket-proxyd 127.0.0.1:8080\n", true)]
    [InlineData("/srv/wrap.sh", "#!/bin/bash\n# comment\nset -eu\nsleep 1\n/usr/bin/proxyd 127.0.0.1:8080\n", true)]
    [InlineData("/srv/wrap.sh", "#!/bin/sh\nexec systemd-socket-proxyd 127.0.0.1:8080\n", false)]
    [InlineData("/srv/wrap.sh", "#!/bin/sh\nexec env A=b \\\n  /usr/bin/proxyd 127.0.0.1:8080\n", false)]
    [InlineData("/bin/bash -eu /srv/wrap.sh", "#!/bin/bash\nproxyd 127.0.0.1:8080\n", true)]
    [InlineData("/bin/sh -c 'proxyd 127.0.0.1:8080'", "", true)]
    [InlineData("/bin/sh -c 'sleep 1; exec proxyd 127.0.0.1:8080'", "", false)]
    [InlineData("/bin/bash -c 'sleep 1; proxyd 127.0.0.1:8080'", "", false)]
    [InlineData("/bin/bash -c 'proxyd 127.0.0.1:8080; rm -f /run/x'", "", true)]
    [InlineData("/usr/bin/env A=b proxyd 127.0.0.1:8080", "", false)]
    [InlineData("/sbin/runuser -u nobody -- proxyd 127.0.0.1:8080", "", true)]
    [InlineData("/usr/bin/timeout 1h proxyd 127.0.0.1:8080", "", true)]
    [InlineData("/usr/bin/flock /run/l proxyd 127.0.0.1:8080", "", true)]
    [InlineData("/usr/bin/flock --no-fork /run/l proxyd 127.0.0.1:8080", "", false)]
    [InlineData("/bin/sh -c 'exec timeout 1h proxyd 127.0.0.1:8080'", "", true)]
    [InlineData("/bin/sh -c 'exec proxyd 127.0.0.1:8080 &'", "", true)]
    [InlineData("/bin/sh -c '(exec proxyd 127.0.0.1:8080)'", "", true)]
    [InlineData("/bin/sh -c 'exec proxyd 127.0.0.1:8080 2>&1 | logger'", "", true)]
    [InlineData("/bin/sh -c 'test -d /srv && (cd /srv; true) && exec proxyd 127.0.0.1:8080 2>&1'", "", false)]
    [InlineData("/bin/bash -c 'true || proxyd 127.0.0.1:8080'", "", false)]
    [InlineData("/srv/wrap.sh", "#!/bin/sh\npkill proxyd\nexec /usr/bin/other\n", false)]
    public void A_shell_that_stays_is_found(string command, string script, bool isFound) =>
        // Goal: PXD013 for scripts and texts behind -c, as bash 5.2 and dash 0.5.12 run them.
        Assert.Equal(isFound ? ["web.service:2"] : [], Fixture.Findings("PXD013", Trio(command) + $"\n--- /srv/wrap.sh\n{script}"));

    [Theory]
    [InlineData("systemd-socket-proxyd", "Accept=yes", "web.socket:3")]
    [InlineData("systemd-socket-proxyd", "Accept=no", "")]
    [InlineData("proxyd", "Accept=yes", "")]
    public void An_accepting_socket_is_found(string program, string accept, string expected) =>
        // Goal: PXD014; proxyd serves a connection as well.
        Assert.Equal(expected, string.Join(' ', Fixture.Findings("PXD014", $"""
            --- web.socket
            [Socket]
            ListenStream=80
            {accept}
            --- web{(accept.EndsWith("yes", StringComparison.Ordinal) ? "@" : "")}.service
            [Service]
            ExecStart=/usr/bin/{program} 127.0.0.1:8080
            """)));

    [Theory]
    [InlineData("proxyd", "Type=forking", true)]
    [InlineData("proxyd", "Type=oneshot", true)]
    [InlineData("proxyd", "Type=notify", false)]
    [InlineData("proxyd", "Type=notify\nNotifyAccess=none", false)]
    [InlineData("proxyd", "Type=exec", false)]
    [InlineData("systemd-socket-proxyd", "Type=simple", false)]
    [InlineData("bash /srv/wrap.sh", "Type=notify", true)]
    [InlineData("bash /srv/wrap.sh", "Type=notify\nNotifyAccess=all", false)]
    public void A_type_that_does_not_fit_is_found(string program, string type, bool isFound) =>
        // Goal: PXD015; NotifyAccess=none is main for Type=notify (tried with systemd 252).
        Assert.Equal(isFound, Fixture.Findings("PXD015", $"""
            --- web.service
            [Service]
            {type}
            ExecStart=/usr/bin/{program} 127.0.0.1:8080
            --- /srv/wrap.sh
            #!/bin/bash
            proxyd 127.0.0.1:8080
            """).Length > 0);

    private static string Trio(string command) => $"""
        --- web.socket
        [Socket]
        ListenStream=80
        --- web.service
        [Service]
        ExecStart={command}
        """;
}
