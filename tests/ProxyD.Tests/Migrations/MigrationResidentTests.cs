using ProxyD.Migrations;
using ProxyD.Trios;
using ProxyD.Units;
using static ProxyD.Tests.Migrations.MigrationWorld;

namespace ProxyD.Tests.Migrations;

/// <summary>What of a proxy's unit stands against a proxy that stays, is nobody in particular, and starts its backend itself.</summary>
public sealed class MigrationResidentTests
{
    [Theory]
    [InlineData("ExecStartPre=/usr/local/bin/wait_ready.py 18080", "/usr/local/bin/wait_ready.py 18080")]
    [InlineData("ExecCondition=-/bin/zsh -c 'until ztcp 127.0.0.1 18080; do done'", "-/bin/zsh -c ")]
    [InlineData("ExecStartPre=/bin/sh -c 'mkdir -p /run/x && check-app'", "mkdir -p /run/x")]
    [InlineData("ExecStartPre=/bin/sh -c 'case $1 in a) check;; esac'", "case")]
    [InlineData("ExecStartPre=/usr/bin/nc -z 127.0.0.1 18080", "nc -z")]
    [InlineData("ExecStartPre=/usr/bin/test -S /run/app.sock", "test -S")]
    [InlineData("ExecStartPre=/bin/mkdir /run/x ; /usr/bin/app-ready", "app-ready")]
    public void What_may_wait_for_a_backend_that_nobody_started_is_not_made_resident(string line, string shown)
    {
        // Goal: with --resident each start would fail and the port would be dead; the minimal form keeps the line and says so.
        (string, string)[] files = Trio(line);

        string why = Refusal(() => Resident(files));
        Assert.StartsWith($"{Folder}/web.service:4: ", why, StringComparison.Ordinal);
        Assert.Contains(shown, why, StringComparison.Ordinal);
        Migration minimal = Minimal(files);
        Assert.Contains(line, minimal.Text("web.service"), StringComparison.Ordinal);
        Assert.Single(minimal.Notes, note => note.Contains(shown, StringComparison.Ordinal) && note.EndsWith("can't be told", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("+", "")]
    [InlineData("-+", "-")]
    [InlineData("!!", "")]
    [InlineData(":", ":")]
    public void A_command_that_keeps_roots_rights_gives_them_up(string prefixes, string kept)
    {
        // Goal: ExecStart=+ would be root whatever User= says.
        Migration made = Resident(
            ("web.socket", Socket), ("web.service", $"[Unit]\nRequires=app.service\n[Service]\nExecStart={prefixes}{SocketProxyd} 127.0.0.1:18080\n"),
            ("app.service", AppUnit));
        Assert.StartsWith($"{kept}/opt/proxyd ", made.Line("web.service", "ExecStart"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ExecStartPre=/bin/mkdir -p /run/x")]
    [InlineData("ExecStartPre=+/usr/bin/chown web /run/x ; /bin/rm -f /run/x/pid")]
    [InlineData("ExecStartPre=/bin/sh -c 'for f in a b; do [ -d /run/$f ] || mkdir /run/$f; done'")]
    [InlineData("ExecCondition=/usr/bin/test -f /etc/web.conf")]
    public void What_only_prepares_the_start_stays(string line)
    {
        // Goal: it is kept in both forms, and named.
        foreach (Migration made in (Migration[])[Minimal(Trio(line)), Resident(Trio(line))])
        {
            Assert.Contains(line, made.Text("web.service"), StringComparison.Ordinal);
            Assert.Single(made.Notes, note => note.StartsWith($"{line.Split('=')[0]}= of web.service stays: '", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("DynamicUser=yes\nUser=webproxy", "webproxy", true)]
    [InlineData("DynamicUser=yes", "web-proxy", true)]
    [InlineData("DynamicUser=no\nUser=webproxy", "webproxy", false)]
    [InlineData("User=webproxy", "webproxy", false)]
    public void A_user_that_only_systemd_made_is_made_for_good(string lines, string user, bool isMade)
    {
        // Goal: User= names somebody who is there: whom sysusers.d makes, or who was there before.
        Migration made = Resident(Trio(lines));

        Assert.Equal((user, null), (made.Line("web.service", "User"), made.Line("web.service", "DynamicUser")));
        Assert.Equal(isMade, made.Files.Any(file => file.Path == $"/etc/sysusers.d/{user}.conf"));
        Assert.Contains(made.Files, file => file.Path.EndsWith(".rules", StringComparison.Ordinal)
            && UnitText.Decode(file.After!).Text.Contains($"\"{user}\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-c 4000 ", "", "8192")]
    [InlineData("-c 480 ", "", null)]
    [InlineData("-c 481 ", "", "2048")]
    [InlineData("", "", null)]
    [InlineData("--connections-max=4000 ", "LimitNOFILE=65536\n", "65536")]
    public void A_hardened_proxy_gets_the_files_that_its_connections_need(string option, string lines, string? limit)
    {
        // Goal: a proxy under a filter of system calls stays at its soft limit, so the unit must grant what the connections need; what the user says counts.
        Assert.Equal(limit, Resident(Trio(lines, option)).Line("web.service", "LimitNOFILE"));
    }

    [Fact]
    public void So_does_one_that_takes_its_limit_from_the_socket()
    {
        // Goal: MaxConnections= of an Accept=yes socket becomes --connections-max=, and counts as that.
        Migration made = Resident(
            ("web.socket", Socket + "Accept=yes\nMaxConnections=2000\n"),
            ("web@.service", $"[Unit]\nRequires=app.service\n[Service]\nExecStart={SocketProxyd} 127.0.0.1:18080\n"), ("app.service", AppUnit));

        Assert.Equal("4096", made.Line("web.service", "LimitNOFILE"));
    }

    [Theory]
    [InlineData("AF_INET AF_INET6", "AF_INET AF_INET6 AF_UNIX")]
    [InlineData("AF_INET AF_UNIX", "AF_INET AF_UNIX")]
    [InlineData("~AF_PACKET AF_NETLINK", "~AF_PACKET AF_NETLINK")]
    [InlineData("~AF_PACKET AF_UNIX", "~AF_PACKET")]
    [InlineData("~AF_UNIX", null)]
    [InlineData("AF_INET\nRestrictAddressFamilies=AF_UNIX AF_INET6\nRestrictAddressFamilies=~AF_UNIX AF_NETLINK", "~AF_NETLINK")]
    public void The_bus_can_be_reached_whatever_families_are_listed(string families, string? last)
    {
        // Goal: a list that allows gets Unix sockets, one that forbids loses them, and no list is turned around.
        Migration made = Resident(Trio($"RestrictAddressFamilies={families}"));

        Assert.Equal(last, made.Line("web.service", "RestrictAddressFamilies"));
        Unit service = new("web.service", [UnitFile.Parse(made.Text("web.service"), "/web.service")]);
        Assert.True(SandboxLists.AllowsFamily(service, "AF_UNIX", out _));
        Assert.True(SandboxLists.AllowsFamily(service, "AF_INET", out _));
    }

    private static (string Name, string Text)[] Trio(string lines, string options = "") =>
    [
        ("web.socket", Socket), ("web.service", $"[Unit]\nRequires=app.service\n[Service]\n{lines}\nExecStart={SocketProxyd} {options}127.0.0.1:18080\n"),
        ("app.service", AppUnit),
    ];
}
