using ProxyD.Migrations;
using ProxyD.Units;

namespace ProxyD.Tests.Migrations;

/// <summary>Whether a plain service's port is one where clients come, and which word of several says so.</summary>
public sealed class PlainListenerTests
{
    private static readonly PlainService s_seen = new([], _ => false);

    [Theory]
    [InlineData("/usr/bin/ssh -N -p 2222 -L 8080:localhost:80 user@host", "ssh is a client")]
    [InlineData("/usr/bin/mosquitto_sub -h 127.0.0.1 -p 1883 -t foo", "mosquitto_sub is a client")]
    [InlineData("/usr/bin/vncviewer -listen 5500 10.0.0.2:5901", "vncviewer is a client")]
    [InlineData("/usr/bin/python3 /opt/client.py --host broker.lan --port 1884", "--host broker.lan may be another machine")]
    [InlineData("/usr/bin/mysql_sync --interval 3600 --port=3306 --host=db.example.com", "--host db.example.com may be another machine")]
    [InlineData("/usr/bin/agent --host broker --port 1884", "--host broker may be another machine")]
    [InlineData("/usr/bin/uwsgi -p 4", "doesn't say where it listens")]
    [InlineData("/usr/bin/agent -h 10.9.9.9:1884 --port 1884", "-h 10.9.9.9:1884 may be another machine")]
    [InlineData("/usr/bin/wg-agent --endpoint-port 51820", "doesn't say where it listens")]
    [InlineData("/usr/bin/celery -A app worker -b redis://127.0.0.1:6379/0", "doesn't say where it listens")]
    [InlineData("/usr/bin/app --replicaof 10.0.0.1 6379", "doesn't say where it listens")]
    public void A_client_is_no_daemon(string command, string why)
    {
        // Goal: whom a command goes to is not moved; --public= is how the user says that clients come there all the same.
        PlainService seen = s_seen with { IsOwnAddress = _ => false };
        string said = Assert.Throws<NotUnderstoodException>(() => Find($"ExecStart={command}", seen)).Message;

        Assert.Contains(why, said, StringComparison.Ordinal);
        Assert.Contains("--public=", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:8471", "--public=127.0.0.1:8471 --port-variable=ROCKET_PORT")]
    [InlineData(null, "--public=127.0.0.1:8471 --port-variable=ROCKET_PORT")]
    [InlineData("127.0.0.1:9000", "doesn't say where it listens (it listens on 127.0.0.1:9000)")]
    public void A_port_in_a_file_is_named_with_what_to_say(string? seen, string said)
    {
        // Goal: no file of the user's is changed, and the very options are told that do it without.
        PlainService found = s_seen with
        {
            ListensAt = seen is null ? [] : [seen],
            FileOf = path => path == "/etc/app.env" ? "DB_PORT=5432\nROCKET_PORT=8471\n" : null,
        };
        Assert.Contains(said, Refusal("EnvironmentFile=/etc/app.env\nExecStart=/usr/bin/app", found), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/usr/bin/app --host 10.9.9.9 --port 3000", "10.9.9.9:3000")]
    [InlineData("/usr/bin/app -H 0.0.0.0 -p 3000", "0.0.0.0:3000")]
    [InlineData("/usr/bin/app --host any -p 80", "127.0.0.1:80")]
    [InlineData("/usr/bin/app --host ip6-localhost --port 3000", "127.0.0.1:3000")]
    [InlineData("/usr/bin/app --host $HOST --port 3000", "127.0.0.1:3000")]
    public void An_address_of_ones_own_is_where_clients_come(string command, string open) =>
        // Goal: --host is a daemon's as well.
        Assert.Equal(open, Find($"ExecStart={command}", s_seen with { IsOwnAddress = address => address.ToString() == "10.9.9.9" }).Public.Listen);

    [Fact]
    public void What_runs_and_does_not_listen_there_is_a_client()
    {
        // Goal: the kernel knows better than any name of an option; a user who knows better still says so.
        const string Line = "ExecStart=/usr/bin/python3 /opt/client.py --port 1884";
        PlainService idle = s_seen with { IsSeen = true };

        Assert.Contains("says --port 1884, but it runs and listens on nothing yet;", Refusal(Line, idle), StringComparison.Ordinal);
        Assert.Contains("listens on 9000;", Refusal(Line, idle with { ListensAt = ["9000"] }), StringComparison.Ordinal);
        Assert.Equal("1884", Find(Line, idle with { ListensAt = ["1884"] }).Public.Listen);
        Assert.Equal("1884", Find(Line, idle, new("/opt/proxyd") { Public = MigrationWorld.Public("1884") }).Public.Listen);
    }

    [Theory]
    [InlineData("ExecStart=/usr/bin/app --http-port 8080 --grpc-port 9090", "127.0.0.1:8080", "--http-port")]
    [InlineData("Environment=PORT=3000\nEnvironment=PORT=8080\nExecStart=/usr/bin/app", "8080", "Environment=PORT")]
    [InlineData("ExecStart=/usr/bin/redis-server --port 8080 --replicaof 10.0.0.1 8080", "8080", "--port")]
    [InlineData("ExecStart=/usr/bin/node --title x server.js 8080", "8080", "the argument 8080")]
    [InlineData("ExecStart=/usr/bin/app --urls \"http://0.0.0.0:8080;http://[::]:8080\"", "8080", "--urls")]
    [InlineData("Environment=ASPNETCORE_URLS=http://+:8080\nExecStart=/usr/bin/app --urls http://*:8080", "8080", "--urls Environment=ASPNETCORE_URLS")]
    public void Of_several_numbers_the_one_that_counts_is_found(string lines, string seen, string words)
    {
        // Goal: the last word of a variable, the named option before a lone number, and what the kernel shows.
        PlainListener found = Find(lines, s_seen with { ListensAt = [seen], IsSeen = true });

        Assert.Equal((8080, words), (found.Port, string.Join(' ', found.Moved.Select(word => word.Name).Order(StringComparer.Ordinal))));
    }

    [Theory]
    [InlineData("/usr/bin/calibre-server --port 8083 --listen-on 0.0.0.0 /srv/books", "0.0.0.0:8083", "18083 127.0.0.1")]
    [InlineData("/opt/j/bin/jupyter lab --ip=0.0.0.0 --port=8888", "0.0.0.0:8888", "--port=18888 --ip=127.0.0.1")]
    [InlineData("/usr/bin/transmission-daemon -f --port 9091 --rpc-bind-address ::", "9091", "19091 127.0.0.1")]
    [InlineData("/usr/bin/php -S 0.0.0.0:8000 -t /srv", "0.0.0.0:8000", "127.0.0.1:18000")]
    [InlineData("/srv/v/bin/python manage.py runserver 127.0.0.1:8000", "127.0.0.1:8000", "127.0.0.1:18000")]
    [InlineData("/usr/bin/http-server :8000", "8000", "127.0.0.1:18000")]
    [InlineData("/usr/bin/victoria-metrics -storageDataPath=/v -httpListenAddr=:8428", "8428", "-httpListenAddr=127.0.0.1:18428")]
    [InlineData("/usr/bin/app --http-port 8080 --http-host 127.0.0.1 --grpc-host 0.0.0.0", "127.0.0.1:8080", "18080 127.0.0.1")]
    public void A_daemon_says_it_in_many_ways(string command, string open, string words)
    {
        // Goal: as people write it; a host of another port's stays.
        PlainListener found = Find($"ExecStart={command}", s_seen);

        Assert.Equal(open, found.Public.Listen);
        Assert.Equal(words, string.Join(' ', found.Moved.Select(word => word.For("127.0.0.1", 10_000 + found.Port))));
    }

    [Theory]
    [InlineData("/usr/bin/caddy reverse-proxy --from example.org --to 127.0.0.1:9000")]
    [InlineData("/usr/bin/rclone mount r: /mnt --rc --rc-addr 127.0.0.1:5572")]
    [InlineData("/usr/bin/agent 127.0.0.1:9000")]
    [InlineData("/usr/bin/Xvfb :99")]
    public void Where_a_daemon_goes_is_not_where_it_listens(string command) =>
        // Goal: an address that stands alone may be anybody's.
        Assert.Contains("doesn't say where it listens", Refusal($"ExecStart={command}", s_seen), StringComparison.Ordinal);

    [Fact]
    public void What_an_environment_file_says_comes_after_the_unit()
    {
        // Goal: a word that is not in force is not moved.
        PlainService seen = s_seen with { FileOf = _ => "# port\nPORT=9000\n" };

        const string Lines = "Environment=PORT=3000\nEnvironmentFile=/etc/app\nExecStart=/usr/bin/app";
        Assert.Contains("--public=127.0.0.1:9000 --port-variable=PORT", Refusal(Lines, seen), StringComparison.Ordinal);
        const string Said = "EnvironmentFile=/etc/app can't be read here: if it sets PORT, ";
        Assert.Single(Find(Lines, s_seen).Notes, note => note.StartsWith(Said, StringComparison.Ordinal));
        string optional = Lines.Replace("=/etc", "=-/etc", StringComparison.Ordinal);
        Assert.DoesNotContain(Find(optional, s_seen).Notes, note => note.StartsWith("Env", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("docker run --rm --name web -p 8080:80 -e PORT=80 nginx --port 80", "8080", "127.0.0.1:18080:80")]
    [InlineData("podman run --rm -p 8080:8080 -e PORT=8080 --name foo img --port 8080", "8080", "127.0.0.1:18080:8080")]
    [InlineData("docker run -itp 127.0.0.1:8080:80/tcp img", "127.0.0.1:8080", "127.0.0.1:18080:80/tcp")]
    [InlineData("docker run --publish=8080:80 -p 53:53/udp img -p 9090:9090", "8080", "--publish=127.0.0.1:18080:80")]
    [InlineData("nerdctl --namespace x run -d -p8080:80 -v /srv:/srv img", "8080", "-p127.0.0.1:18080:80")]
    [InlineData("docker run --network host img --port 8080", "127.0.0.1:8080", "18080")]
    public void Of_a_container_the_machines_port_moves(string command, string open, string word)
    {
        // Goal: what its image is told, is about ports inside.
        PlainListener found = Find($"Environment=PORT=9090\nExecStart=/usr/bin/{command}", s_seen);

        Assert.Equal(open, found.Public.Listen);
        Assert.Equal(word, found.Moved.Single(setting => setting.Port is not null).For("127.0.0.1", 18080));
    }

    [Theory]
    [InlineData("docker run --rm -e PORT=8080 img --port 8080")]
    [InlineData("docker run --rm -p 80 img --port 8080")]
    [InlineData("docker start -a web")]
    [InlineData("docker run - img --port 8080")]
    [InlineData("docker compose -f /srv/c.yml up")]
    public void A_container_that_publishes_no_port_is_left_alone(string command) =>
        // Goal: not even its variables are ports of the machine.
        Assert.Contains("doesn't say where it listens", Refusal($"Environment=PORT=8080\nExecStart=/usr/bin/{command}", s_seen), StringComparison.Ordinal);

    private static string Refusal(string lines, PlainService seen) => Assert.Throws<NotUnderstoodException>(() => Find(lines, seen)).Message;

    private static PlainListener Find(string lines, PlainService seen, MigrationWishes? wishes = null) =>
        new(new("web.service", [UnitFile.Parse($"[Service]\n{lines}\n", "/etc/systemd/system/web.service")]), wishes ?? new("/opt/proxyd"), seen);
}
