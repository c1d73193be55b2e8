using ProxyD.Migrations;
using ProxyD.Units;

namespace ProxyD.Tests.Migrations;

/// <summary>Where a plain service is told to listen, and what moving it makes of its lines.</summary>
public sealed class PlainFormTests
{
    private static readonly PlainService s_seen = new([], _ => false);

    [Theory]
    [InlineData("Environment=PORT=8080", "/usr/bin/app", "127.0.0.1:8080", "Environment=PORT=18080")]
    [InlineData("Environment=A=1 \"APP_PORT=3000\" B=2", "/usr/bin/app", "127.0.0.1:3000", "Environment=A=1 \"APP_PORT=13000\" B=2")]
    [InlineData("Environment=OLLAMA_HOST=0.0.0.0:11434", "/usr/bin/app", "0.0.0.0:11434", "Environment=OLLAMA_HOST=127.0.0.1:21434")]
    [InlineData("Environment=ASPNETCORE_URLS=http://*:5000/", "/usr/bin/app", "5000", "Environment=ASPNETCORE_URLS=http://127.0.0.1:15000/")]
    [InlineData("", "/usr/bin/app --port 8080 -v", "127.0.0.1:8080", "ExecStart=/usr/bin/app --port 18080 -v")]
    [InlineData("", "/usr/bin/app --webui-port=8090", "127.0.0.1:8090", "ExecStart=/usr/bin/app --webui-port=18090")]
    [InlineData("", "/usr/bin/app --listen :8080", "8080", "ExecStart=/usr/bin/app --listen 127.0.0.1:18080")]
    [InlineData("", "/usr/bin/app -p 8080 --host 0.0.0.0", "0.0.0.0:8080", "ExecStart=/usr/bin/app -p 18080 --host 127.0.0.1")]
    [InlineData("Environment=DB_PORT=5432 PORT=80", "/usr/bin/app", "127.0.0.1:80", "Environment=DB_PORT=5432 PORT=10080")]
    [InlineData("", "/usr/bin/python3 -m http.server --bind ::1 8000", "[::1]:8000", "ExecStart=/usr/bin/python3 -m http.server --bind ::1 18000")]
    public void A_daemon_is_moved_where_it_is_told_its_port(string environment, string command, string open, string line)
    {
        // Goal: the public address stays, the daemon's own goes to a free port of loopback, and no other word changes.
        Migration made = Build($"[Service]\n{environment}\nExecStart={command}\n", new("/opt/proxyd"));

        Assert.Contains($"ListenStream={open}\n", Text(made, "web.socket"), StringComparison.Ordinal);
        Assert.Contains(line + "\n", Text(made, "web-backend.service"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PORT=8080 API_URL=http://10.0.0.5:9000/", "", "127.0.0.1:8080", "PORT=18080 API_URL=http://10.0.0.5:9000/")]
    [InlineData("PORT=8080 API_URL=http://localhost:9000", "8080", "8080", "PORT=18080 API_URL=http://localhost:9000")]
    [InlineData("PORT=8080 API_HOST=10.0.0.5", "", "127.0.0.1:8080", "PORT=18080 API_HOST=10.0.0.5")]
    [InlineData("PORT=8080 SEARCH_ADDR=10.0.0.5:8080", "8080", "8080", "PORT=18080 SEARCH_ADDR=10.0.0.5:8080")]
    [InlineData("PORT=3000 ORIGIN=http://localhost:3000", "", "127.0.0.1:3000", "PORT=13000 ORIGIN=http://localhost:3000")]
    [InlineData("PUBLIC_PORT=443 PORT=3000 BASE_ADDR=a:3000 ROOT_URL=http://x:3000/", "", "127.0.0.1:3000", "PUBLIC_PORT=443 PORT=13000 BASE_ADDR=a:3000")]
    [InlineData("PORT=3000 PUBLIC_PORT=3000 ROOT_ADDR=localhost:3000", "", "127.0.0.1:3000", "PORT=13000 PUBLIC_PORT=3000 ROOT_ADDR=localhost:3000")]
    [InlineData("APP_PORT=3000 APP_HOST=10.0.0.5 DB_HOST=10.0.0.9", "", "10.0.0.5:3000", "APP_PORT=13000 APP_HOST=127.0.0.1 DB_HOST=10.0.0.9")]
    [InlineData("PORT=3000 BIND_ADDRESS=10.0.0.5 HOST=localhost", "10.0.0.5:3000", "10.0.0.5:3000", "PORT=13000 BIND_ADDRESS=127.0.0.1 HOST=localhost")]
    [InlineData("PORT=8080 HOST=0.0.0.0", "127.0.0.1:8080", "127.0.0.1:8080", "PORT=18080 HOST=127.0.0.1")]
    [InlineData("PORT=8080 HOST=0.0.0.0", "8080", "0.0.0.0:8080", "PORT=18080 HOST=127.0.0.1")]
    public void Whom_a_daemon_goes_to_and_what_clients_see_stays(string words, string seen, string open, string line)
    {
        // Goal: only the port's own word and what is plainly the daemon's host count, and what the kernel shows counts more.
        Migration made = Build(
            $"[Service]\nEnvironment={words}\nExecStart=/usr/bin/app\n", new("/opt/proxyd"), s_seen with { ListensAt = seen.Length > 0 ? [seen] : [] });

        Assert.Contains($"ListenStream={open}\n", Text(made, "web.socket"), StringComparison.Ordinal);
        Assert.Contains($"Environment={line}", Text(made, "web-backend.service"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_that_is_told_no_host_keeps_its_own()
    {
        // Goal: only its port moves, so that the proxy finds it at the address that its own file of settings names.
        Migration made = Build(
            "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/app\n", new("/opt/proxyd"), s_seen with { ListensAt = ["9090", "10.0.0.5:8080"] });

        Assert.Contains("ListenStream=10.0.0.5:8080\n", Text(made, "web.socket"), StringComparison.Ordinal);
        Assert.Contains("ExecStart=/opt/proxyd 10.0.0.5:18080 ", Text(made, "web.service"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/usr/bin/app --quiet", "doesn't say where it listens")]
    [InlineData("/usr/bin/app --http-port 8080 --grpc-port 9090", "names several ports (--http-port 8080, --grpc-port 9090)")]
    [InlineData("/bin/sh -c 'PORT=8080 exec app'", "doesn't say where it listens")]
    public void Who_says_no_port_or_several_is_left_alone(string command, string why)
    {
        // Goal: it says what is missing, and the option that gives it.
        NotUnderstoodException e = Assert.Throws<NotUnderstoodException>(() => Build($"[Service]\nExecStart={command}\n", new("/opt/proxyd")));

        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Contains("--public=", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-/usr/bin/app", "-/usr/bin/env PORT=18080 /usr/bin/app")]
    [InlineData("/usr/bin/app --port ${PORT} --url=http://a:${PORT}/x", "/usr/bin/env PORT=18080 /usr/bin/app --port 18080 --url=http://a:18080/x")]
    [InlineData("/usr/bin/app $PORT $PORTAL ${PORTAL} $${PORT} $PORT", "/usr/bin/env PORT=18080 /usr/bin/app 18080 $PORTAL ${PORTAL} $${PORT} 18080")]
    public void A_variable_of_an_environment_file_is_put_in_by_env(string command, string expected)
    {
        // Goal: EnvironmentFile= comes after Environment=, so that only the command line can say otherwise; what systemd fills in there is the file's.
        MigrationWishes wishes = new("/opt/proxyd") { Public = MigrationWorld.Public("127.0.0.1:8080"), PortVariable = "PORT" };
        PlainService seen = s_seen with { FileOf = _ => "# port\nPORT=8080\n" };
        Migration made = Build($"[Service]\nEnvironmentFile=/etc/default/app\nExecStart={command}\nExecStop=/usr/bin/stop ${{PORT}}\n", wishes, seen);

        string text = Text(made, "web-backend.service");
        Assert.Contains($"ExecStart={expected}\n", text, StringComparison.Ordinal);
        Assert.Contains("ExecStop=/usr/bin/stop 18080\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3111", "--public=3111 --port-variable=PORT", "--backend=127.0.0.1:3111")]
    [InlineData("[::1]:3111", "--public=[::1]:3111 --port-variable=PORT", "--backend=[::1]:3111")]
    public void What_is_expected_can_be_typed_as_it_stands(string seen, string first, string second)
    {
        // Goal: a lone port is a public address, and no backend's.
        PlainService service = s_seen with { ListensAt = [seen] };
        string why = Assert.Throws<NotUnderstoodException>(() => Build("[Service]\nExecStart=/usr/bin/app\n", new("/opt/proxyd"), service)).Message;

        Assert.Contains(first, why, StringComparison.Ordinal);
        Assert.Contains(second, why, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_called_by_the_units_name_goes_on_being_called_so()
    {
        // Goal: folders of state named by %N or %p are found again; %% and other specifiers stay.
        Migration made = Build("[Service]\nStateDirectory=%N\nEnvironment=PORT=80 A=%%n B=%H-%p\nExecStart=/usr/bin/app %n\n", new("/opt/proxyd"));

        string text = Text(made, "web-backend.service");
        Assert.Contains("StateDirectory=web\n", text, StringComparison.Ordinal);
        Assert.Contains("A=%%n B=%H-web\nExecStart=/usr/bin/app web.service\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_taken_port_is_passed_over()
    {
        // Goal: the daemon gets a port that nobody listens on.
        PlainService seen = s_seen with { IsTaken = port => port == 18080 };
        Migration made = Build("[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/app\n", new("/opt/proxyd"), seen);

        Assert.Contains("PORT=28080\n", Text(made, "web-backend.service"), StringComparison.Ordinal);
    }

    private static string Text(Migration made, string name) =>
        UnitText.Decode(made.Files.Single(file => file.Path == $"/etc/systemd/system/{name}").After!).Text;

    private static Migration Build(string text, MigrationWishes wishes, PlainService? seen = null)
    {
        Unit service = new("web.service", [UnitFile.Parse(text, "/etc/systemd/system/web.service")]);
        return new PlainForm(service, new([service]), wishes, seen ?? s_seen).Build(new("/etc/systemd/system", _ => false));
    }
}
