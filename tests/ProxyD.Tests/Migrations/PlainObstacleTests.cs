using ProxyD.Migrations;
using ProxyD.Units;

namespace ProxyD.Tests.Migrations;

/// <summary>What of a plain service can't follow its daemon, and what is said of the rest.</summary>
public sealed class PlainObstacleTests
{
    private static readonly PlainService s_seen = new([], _ => false);

    [Theory]
    [InlineData("ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --bind 10.0.0.5:8000 app", "more than once (--bind)")]
    [InlineData("ExecStart=/usr/bin/docker run -p 0.0.0.0:8080:80 -p [::]:8080:80 img", "more than once (--publish)")]
    [InlineData("ExecStart=/usr/bin/redis-server --port 6380 --bind 127.0.0.1 10.0.0.5", "several addresses to listen at (127.0.0.1 10.0.0.5)")]
    [InlineData("ExecStart=/usr/bin/mongod --port 27017 --bind_ip 127.0.0.1,10.0.0.5", "several addresses to listen at (127.0.0.1,10.0.0.5)")]
    [InlineData("Environment=PORT=80\nExecStart=/usr/bin/app\nSocketBindDeny=any\nSocketBindAllow=tcp:80", "has SocketBindDeny=")]
    [InlineData("Environment=PORT=80\nExecStart=/usr/bin/app\nIPAddressDeny=any\nIPAddressAllow=192.168.0.0/16", "IPAddressDeny= of web.service would hold")]
    [InlineData("Environment=PORT=80 HOST=0.0.0.0\nExecStart=/usr/bin/app\nIPAddressDeny=any\nIPAddressAllow=localhost", "IPAddressDeny= of web.service would")]
    public void What_a_proxy_could_not_keep_leaves_the_service_alone(string lines, string why) =>
        // Goal: no address is lost in silence, and no list of the daemon's is left to guard nothing.
        Assert.Contains(why, Refusal(lines, s_seen), StringComparison.Ordinal);

    [Theory]
    [InlineData("Environment=PORT=80\nExecStart=/usr/bin/app\nIPAddressDeny=any\nIPAddressAllow=localhost")]
    [InlineData("ExecStart=/usr/bin/app --port 80 --trusted-proxies 127.0.0.1,10.0.0.5")]
    [InlineData("Environment=PORT=80\nExecStart=/usr/bin/app --port 80")]
    public void What_it_can_keep_is_no_obstacle(string lines) =>
        // Goal: lists that let loopback in, addresses of others, and a port that two names tell.
        Assert.NotEmpty(Build(lines, s_seen).Files);

    [Fact]
    public void What_the_kernel_shows_beside_the_port_counts()
    {
        // Goal: a second address and UDP are refused; other ports are named; the two loopbacks are one.
        const string Lines = "Environment=PORT=8001\nExecStart=/usr/bin/app";
        PlainService twice = s_seen with { ListensAt = ["127.0.0.1:8001", "10.0.0.5:8001"] };
        Assert.Contains("listens on 127.0.0.1:8001 and 10.0.0.5:8001", Refusal(Lines, twice), StringComparison.Ordinal);
        Assert.Contains("has UDP port 8001", Refusal(Lines, s_seen with { ListensAt = ["8001"], DatagramPorts = [8001] }), StringComparison.Ordinal);
        Migration made = Build(Lines, s_seen with { ListensAt = ["127.0.0.1:8001", "[::1]:8001", "9001"] });
        Assert.Single(made.Notes, note => note.StartsWith("it serves 9001, too", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://10.0.0.5:2379", "--listen-client-urls")]
    [InlineData("--port 3306 --report-host 10.0.0.1 --report-port 3306", "--port")]
    public void What_is_advertised_stays(string options, string moved) =>
        // Goal: others go on being told where clients come.
        Assert.Equal([moved], new PlainListener(Service($"ExecStart=/usr/bin/app {options}"), new("/opt/proxyd"), s_seen).Moved.Select(word => word.Name));

    [Fact]
    public void A_variable_that_is_named_is_moved_where_it_is_set()
    {
        // Goal: the last word that is in force, whatever the variable is called; one that is no port is refused.
        MigrationWishes wishes = new("/opt/proxyd") { PortVariable = "PGPORT", Public = MigrationWorld.Public("127.0.0.1:8033") };

        Assert.Contains("Environment=PGPORT=18033\n", Text(Build("ExecStart=/usr/bin/app\nEnvironment=PGPORT=8033", s_seen, wishes)), StringComparison.Ordinal);
        string why = Assert.Throws<NotUnderstoodException>(() => Build("ExecStart=/usr/bin/app\nEnvironment=PGPORT=x", s_seen, wishes)).Message;
        Assert.StartsWith("PGPORT of web.service is set to no port", why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("@/usr/bin/node node s.js")]
    [InlineData("\"/srv/my app/node\" s.js")]
    public void Where_env_can_not_stand_nothing_is_written(string command)
    {
        // Goal: no program that can't be started.
        MigrationWishes wishes = new("/opt/proxyd") { PortVariable = "PORT", Public = MigrationWorld.Public("127.0.0.1:8080") };
        PlainService seen = s_seen with { FileOf = _ => "PORT=8080\n" };

        string why = Assert.Throws<NotUnderstoodException>(() => Build($"EnvironmentFile=/etc/app\nExecStart={command}", seen, wishes)).Message;
        Assert.Contains("env(1), which could put another in, can't stand before", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_firewalls_port_is_the_clients_and_a_size_is_none()
    {
        // Goal: they stay, and the firewall is pointed out.
        const string Lines = "ExecStartPre=+ufw allow 8080/tcp\nExecStartPre=/bin/dd if=/dev/zero of=/run/x bs=8080 count=1\n";
        Migration made = Build($"Environment=PORT=8080\n{Lines}ExecStart=/usr/bin/app", s_seen);

        Assert.Contains(Lines, Text(made), StringComparison.Ordinal);
        Assert.Single(made.Notes, note => note.StartsWith("ExecStartPre= is about a firewall and names port 8080", StringComparison.Ordinal));
    }

    [Fact]
    public void A_port_that_another_unit_names_is_passed_over()
    {
        // Goal: a backend that sleeps listens nowhere, and has its port all the same.
        Unit other = new("other-backend.service", [UnitFile.Parse("[Service]\nEnvironment=PORT=18080\n", "/etc/systemd/system/other-backend.service")]);

        Assert.Contains("PORT=28080\n", Text(Build("Environment=PORT=8080\nExecStart=/usr/bin/app", s_seen, other: other)), StringComparison.Ordinal);
    }

    private static string Refusal(string lines, PlainService seen) => Assert.Throws<NotUnderstoodException>(() => Build(lines, seen)).Message;

    private static string Text(Migration made) => made.Text("web-backend.service");

    private static Unit Service(string lines) => new("web.service", [UnitFile.Parse($"[Service]\n{lines}\n", "/etc/systemd/system/web.service")]);

    private static Migration Build(string lines, PlainService seen, MigrationWishes? wishes = null, Unit? other = null)
    {
        Unit service = Service(lines);
        UnitSet units = new(other is null ? [service] : [service, other]);
        return new PlainForm(service, units, wishes ?? new("/opt/proxyd"), seen).Build(new("/etc/systemd/system", _ => false));
    }
}
