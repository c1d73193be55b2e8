using ProxyD.Migrations;
using ProxyD.Units;
using static ProxyD.Tests.Migrations.MigrationWorld;

namespace ProxyD.Tests.Migrations;

/// <summary>What a trio or a plain service becomes, as texts; that it then runs, the end-to-end tests show.</summary>
public sealed class MigrationTests
{
    private const string Folder = "/etc/systemd/system";
    private const string Proxy = "/lib/systemd/systemd-socket-proxyd 127.0.0.1:18080";
    private const string Socket = "[Socket]\nListenStream=8080\n";
    private const string Backend = "[Service]\nExecStart=/usr/bin/app --port 18080\n";
    private const string Guard = "ExecStartPre=/bin/sh -c 'for i in $(seq 30); do nc -z 127.0.0.1 18080 && exit 0; sleep 1; done'\n";

    [Fact]
    public void Only_what_has_to_change_changes()
    {
        // Goal: comments, order, odd spacing and line ends of every other line stay byte for byte.
        const string Unit = "; odd\r\n[Unit]\r\nBindsTo = app.service\r\nStartLimitIntervalSec=0\r\n[Service]\r\n  # guard\r\n"
            + "ExecStartPre=/bin/sleep 9\r\nExecStart=-" + Proxy + "\r\nX-Mine=1\r\n";
        Migration made = Minimal(("web.socket", Socket), ("web.service", Unit), ("app.service", "[Unit]\nStartLimitIntervalSec=0\n" + Backend));

        MigratedFile file = Assert.Single(made.Files);
        Assert.Equal(
            Unit.Replace("ExecStartPre=/bin/sleep 9\r\n", "", StringComparison.Ordinal)
                .Replace(Proxy, "/opt/proxyd 127.0.0.1:18080 --wait-bind=9s", StringComparison.Ordinal),
            Text(file));
    }

    [Theory]
    [InlineData("", "--wait-bind=30s")]
    [InlineData("ExecStartPre=/bin/sleep 9\n", "--wait-bind=30s")]
    public void A_client_waits_as_long_as_is_asked_for(string guard, string option)
    {
        // Goal: --wait-bind counts more than what a guard took, in each form.
        (string, string)[] files =
        [
            ("web.socket", Socket), ("web.service", $"[Unit]\nRequires=app.service\n[Service]\n{guard}ExecStart={Proxy}\n"), ("app.service", Backend),
        ];
        foreach (bool isResident in (bool[])[false, true])
        {
            Migration made = MigrationWorld.Build(new("/opt/proxyd") { WaitBind = "30s", IsResident = isResident }, files);
            Assert.Contains($" {option}", made.Line("web.service", "ExecStart"), StringComparison.Ordinal);
            Assert.Equal("30s", made.WaitBind);
        }
    }

    [Theory]
    [InlineData("service.d/every.conf", "[Service]\nTimeoutStopSec=9\n", null)]
    [InlineData("service.d/every.conf", "[Unit]\nAfter=network.target\n", null)]
    [InlineData("web-.service.d/every.conf", "[Service]\nExecStartPre=/bin/sleep 9\n", "web-.service.d/every.conf is for several units")]
    [InlineData("web-x.service.d/own.conf", "[Service]\nExecStartPre=/bin/sleep 9\n", null)]
    public void A_drop_in_for_several_units_is_left_alone(string path, string text, string? refusal)
    {
        // Goal: what other units live by neither changes nor goes, with a hook that is dissolved either; where a line of it is in the way, that is said.
        (string, string)[] files =
        [
            ("web-x.socket", Socket), ("web-x.service", $"[Unit]\nRequires=wait.service\nAfter=wait.service\n[Service]\nExecStart={Proxy}\n"),
            ("wait.service", "[Unit]\nRequires=app.service\nAfter=app.service\n[Service]\nType=oneshot\n" + Guard.Replace("Pre", "", StringComparison.Ordinal)),
            ("app.service", Backend), (path, text),
        ];
        if (refusal is not null)
            Assert.Contains(refusal, Refusal(() => Minimal(files)), StringComparison.Ordinal);
        else
            Assert.DoesNotContain(Minimal(files).Files, file => DropIn.IsShared(file.Path));
    }

    [Theory]
    [InlineData("Requires=app.service\nAfter=app.service", "")]
    [InlineData("Wants=app.service", "BindsTo=app.service")]
    [InlineData("Upholds=app.service", "")]
    public void A_backend_that_ended_is_started_again(string ties, string added)
    {
        // Goal: Wants= alone starts it once; what binds or upholds is left as it is.
        Migration made = Minimal(("web.socket", Socket), ("web.service", $"[Unit]\n{ties}\n[Service]\nExecStart={Proxy}\n"), ("app.service", Backend));

        string text = Text(made, "web.service");
        Assert.Equal(added.Length > 0, text.Contains(added.Length > 0 ? added : "BindsTo", StringComparison.Ordinal));
        Assert.DoesNotContain(made.Files, file => file.Path.EndsWith(".socket", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("curl -sf http://127.0.0.1:18080/health", "--wait-bind=90s --ready=http:/health,200-399")]
    [InlineData("curl -s http://localhost:18080/", "--wait-bind=90s")]
    [InlineData("[ \"$(curl -so /dev/null -w %%{http_code} http://127.0.0.1:18080/api)\" = 401 ]", "--wait-bind=90s --ready=http:/api,401")]
    [InlineData("redis-cli -p 18080 ping | grep -q PONG", "--wait-bind=90s \"--ready=exec:redis-cli -p 18080 ping | grep -q PONG\"")]
    [InlineData("nc -z 127.0.0.1 18080", "--wait-bind=90s")]
    [InlineData("curl -sf -o /dev/null http://127.0.0.1:18080/", "--wait-bind=90s --ready=http:/,200-399")]
    [InlineData("wget -qO- http://127.0.0.1:18080/up", "--wait-bind=90s --ready=http:/up,200-399")]
    [InlineData("curl -s http://127.0.0.1:18080/ping >/dev/null", "--wait-bind=90s")]
    [InlineData("[[ $(curl -so /dev/null -w \"%%{http_code}\" localhost:18080/login) =~ ^(200|302|401)$ ]]", "--wait-bind=90s --ready=http:/login,200,302,401")]
    [InlineData("[[ $(curl -so /dev/null -w %%{http_code} localhost:18080/x) =~ ^[23] ]]", "--wait-bind=90s --ready=http:/x,200-399")]
    [InlineData("c=$(curl -so /dev/null -w %%{http_code} localhost:18080/a); [ \"$c\" = 200 ] || [ \"$c\" = 401 ]", "--wait-bind=90s --ready=http:/a,200,401")]
    [InlineData("c=$(curl -so /dev/null -w %%{http_code} localhost:18080/a); [ \"$c\" != 000 ]", "--wait-bind=90s")]
    [InlineData("c=$(curl -so /dev/null -w %%{http_code} localhost:18080/a); [ $c = 401 ] || [[ $c =~ ^2+ ]]", "--wait-bind=90s --ready=http:/a,401")]
    [InlineData("c=$(curl -so /dev/null -w %%{http_code} localhost:18080/a); (( c >= 200 && c < 500 ))", "--wait-bind=90s --ready=http:/a,200-499")]
    public void What_a_guard_asked_proxyd_asks(string question, string options)
    {
        // Goal: a URL that could say no, a status, another protocol; a port is asked for by connecting. Without an end: systemd's 90 s.
        Migration made = Minimal(
            ("web.socket", Socket), ("web.service", $"[Service]\nExecStartPre=/bin/sh -c 'until {question}; do sleep 1; done'\nExecStart={Proxy}\n"));

        Assert.Equal($"[Service]\nExecStart=/opt/proxyd 127.0.0.1:18080 {options}\n", Text(Assert.Single(made.Files)));
    }

    [Theory]
    [InlineData("PartOf")]
    [InlineData("BindsTo")]
    [InlineData("Requires")]
    public void What_takes_the_port_away_with_the_proxy_goes(string key)
    {
        // Goal: only the word goes, not what else the line names.
        Migration made = Minimal(
            ("web.socket", $"[Unit]\n{key}=web.service other.target\n{Socket}"), ("web.service", $"[Service]\nExecStart={Proxy}\n"));

        Assert.Contains($"[Unit]\n{key}=other.target\n[Socket]", Text(made, ".socket"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nc -z 127.0.0.1 5432", "port 5432")]
    [InlineData("nc -z -w 1 db.example.com 18080", "db.example.com:18080")]
    [InlineData("curl -sf http://10.0.0.5:18080/", "http://10.0.0.5:18080/")]
    [InlineData("echo > /dev/tcp/10.0.0.5/18080", "10.0.0.5:18080")]
    [InlineData("pg_isready -h db", "'pg_isready -h db'")]
    [InlineData("redis-cli -h 10.0.0.5 -p 18080 ping", "'redis-cli -h 10.0.0.5 -p 18080 ping'")]
    [InlineData("wait-for-it -t 1 db.lan:18080", "db.lan:18080")]
    [InlineData("nc -z 127.0.0.1 18080 || [ -e /run/maintenance ]", "/run/maintenance")]
    public void A_guard_for_somebody_else_stays(string asks, string whom)
    {
        // Goal: who waits for another machine, or another port of this one, goes on waiting for it.
        string unit = $"[Service]\nExecStartPre=/bin/bash -c 'for i in 1 2; do {asks} && exit 0; sleep 1; done; exit 1'\nExecStart={Proxy}\n";
        Migration made = Minimal(("web.socket", Socket), ("web.service", unit));

        Assert.Equal(unit.Replace("/lib/systemd/systemd-socket-proxyd", "/opt/proxyd", StringComparison.Ordinal), Text(Assert.Single(made.Files)));
        Assert.Null(made.WaitBind);
        Assert.Single(made.Notes, note => note.Contains($"stays: it waits for {whom}, which is not where the proxy goes", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nc -z localhost 18080", "127.0.0.1:18080")]
    [InlineData("nc -z localhost 18080 && logger up", "127.0.0.1:18080")]
    [InlineData("nc -z $HOST 18080", "127.0.0.1:18080")]
    [InlineData("echo > /dev/tcp/::1/18080", "[::1]:18080")]
    [InlineData("curl -sf http://10.0.0.5:18080/", "10.0.0.5:18080")]
    [InlineData("nc -z app.lan 18080", "app.lan:18080")]
    [InlineData("ss -ltn | grep -q :18080", "10.0.0.5:18080")]
    [InlineData("redis-cli -h 10.0.0.5 -p 18080 ping", "10.0.0.5:18080")]
    public void A_guard_for_the_destination_goes(string asks, string destination)
    {
        // Goal: however the host is written, and wherever the backend is.
        string proxy = Proxy.Replace("127.0.0.1:18080", destination, StringComparison.Ordinal);
        Migration made = Minimal(
            ("web.socket", Socket),
            ("web.service", $"[Service]\nExecStartPre=/bin/bash -c 'for i in 1 2; do {asks} && exit 0; sleep 1; done; exit 1'\nExecStart={proxy}\n"));

        Assert.DoesNotContain("ExecStartPre", Text(Assert.Single(made.Files)), StringComparison.Ordinal);
        Assert.Equal("2s", made.WaitBind);
        Assert.Equal(asks.EndsWith("logger up", StringComparison.Ordinal), made.Notes.Any(note => note.StartsWith("its line in", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("ExecStartPre=/bin/sh -c 'until nc -z 127.0.0.1 18080; do sleep 1; done; chown www /run/x'", "it runs chown")]
    [InlineData("ExecStartPre=/usr/bin/curl -sf --max-time 3 -X POST http://127.0.0.1:18080/warm", "it sends POST to http://127.0.0.1:18080/warm")]
    [InlineData("ExecStartPre=/bin/sh -c 'while sleep 1; do case $x in a) exit;; esac; done'", "not understood")]
    public void A_guard_that_does_more_leaves_everything_alone(string line, string why)
    {
        // Goal: never half a rewrite; the line says where and why.
        NotUnderstoodException e = Assert.Throws<NotUnderstoodException>(
            () => Minimal(("web.socket", Socket), ("web.service", $"[Service]\n{line}\nExecStart={Proxy}\n")));

        Assert.StartsWith($"{Folder}/web.service:2: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_proxy_for_each_connection_had_as_its_input_is_not_the_listeners()
    {
        // Goal: with StandardInput=socket output goes there too by default (systemd.exec(5)), and a listening socket takes no log.
        const string Lines = "StandardInput=socket\nStandardOutput=socket\nStandardError=journal\n";
        Migration made = Minimal(("web.socket", Socket + "Accept=yes\n"), ("web@.service", $"[Service]\n{Lines}ExecStart={Proxy}\n"));

        Assert.Equal("[Service]\nStandardError=journal\nExecStart=/opt/proxyd 127.0.0.1:18080\n", Text(made, "web.service"));
    }

    [Theory]
    [InlineData("other.service", "[Unit]\nAfter=app.service\n[Service]\nExecStart=/usr/bin/other\n", true)]
    [InlineData("other.service", $"[Unit]\nRequires=app.service\nAfter=app.service\n[Service]\nExecStart={Proxy}\n", true)]
    [InlineData("other.service", "[Unit]\nAfter=app.service\n[Service]\nExecStart=/usr/local/bin/proxyd 127.0.0.1:18080\n", false)]
    [InlineData("other.service", "[Unit]\nWants=app.service\n[Service]\nExecStart=/usr/bin/other\n", false)]
    [InlineData("other.target", "[Unit]\nAfter=app.service\n", false)]
    public void A_guard_of_the_backend_that_others_wait_for_stays(string name, string unit, bool isNeeded)
    {
        // Goal: a service that comes after the backend still finds it serving; the proxy holds its clients as long either way.
        string guard = Guard.Replace("ExecStartPre", "ExecStartPost", StringComparison.Ordinal);
        foreach (Func<(string, string)[], Migration> migrate in (Func<(string, string)[], Migration>[])[Minimal, Resident])
        {
            Migration made = migrate([
                ("web.socket", Socket),
                ("web.service", $"[Unit]\nRequires=app.service\nAfter=app.service\n[Service]\nExecStart={Proxy}\n"),
                ("app.service", Backend + guard), (name, unit)]);

            bool isKept = !made.Files.Any(file => file.Path == $"{Folder}/app.service") || Text(made, "app.service").Contains(guard, StringComparison.Ordinal);
            Assert.Equal(isNeeded, isKept);
            Assert.Equal(isNeeded, made.Notes.Contains("ExecStartPost= of app.service stays: other.service waits for it, too"));
            Assert.Equal("30s", made.WaitBind);
        }
    }

    [Fact]
    public void A_hook_that_does_more_than_start_and_wait_keeps_what_it_does()
    {
        // Goal: its guard goes, its own work stays, and nobody loses the unit.
        string hook = $"[Service]\nType=oneshot\nExecStart=/usr/bin/mount-data\n{Guard.Replace("ExecStartPre", "ExecStartPost", StringComparison.Ordinal)}";
        Migration made = Minimal(
            ("web.socket", Socket),
            ("web.service", $"[Unit]\nRequires=hook.service\nAfter=hook.service\n[Service]\nExecStart={Proxy}\n"),
            ("hook.service", hook));

        Assert.Equal("[Service]\nType=oneshot\nExecStart=/usr/bin/mount-data\n", Text(made, "hook.service"));
        Assert.Equal("30s", made.WaitBind);
    }

    [Fact]
    public void The_files_of_a_package_are_copied_and_not_changed()
    {
        // Goal: the copy in /etc wins over the package's file, and nothing below /usr is touched.
        MigrationFiles files = new(Folder, path => path.StartsWith("/usr/", StringComparison.Ordinal));
        string unit = $"[Service]\n{Guard}ExecStart={Proxy}\n";
        Migration made = Build(files, new("/opt/proxyd"), "/usr/lib/systemd/system", ("web.socket", Socket), ("web.service", unit));

        MigratedFile file = Assert.Single(made.Files);
        Assert.Equal(($"{Folder}/web.service", true), (file.Path, file.Before is null));
    }

    [Fact]
    public void The_resident_form_needs_one_backend()
    {
        // Goal: with two candidates it says so, and names them.
        string unit = $"[Unit]\nWants=a.service b.service\n[Service]\nExecStart={Proxy}\n";
        string other = "[Service]\nExecStart=/usr/bin/x\n";

        NotUnderstoodException e = Assert.Throws<NotUnderstoodException>(
            () => Resident(("web.socket", Socket), ("web.service", unit), ("a.service", other), ("b.service", other)));

        Assert.Contains("a.service, b.service", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_resident_form_ties_no_unit_to_another()
    {
        // Goal: proxyd owns the backend: its time, its start, and a user with a rule for exactly that.
        Migration made = Resident(
            ("web.socket", Socket),
            ("web.service", $"[Unit]\nBindsTo=app.service\nAfter=app.service\n[Service]\n{Guard}"
                + "ExecStart=/lib/systemd/systemd-socket-proxyd --exit-idle-time 10min 127.0.0.1:18080\n"),
            ("app.service", $"[Unit]\nStopWhenUnneeded=yes\nPartOf=web.service\n{Backend}\n[Install]\nWantedBy=multi-user.target\n"));

        string proxy = Text(made, "web.service");
        Assert.DoesNotContain("app.service\n", proxy.Split("ExecStart=")[0], StringComparison.Ordinal);
        const string Line = "ExecStart=/opt/proxyd 127.0.0.1:18080 --backend-unit=app.service --wait-bind=30s --backend-idle-stop=10min\n";
        Assert.Contains(Line, proxy, StringComparison.Ordinal);
        Assert.Contains("User=web-proxy\n", proxy, StringComparison.Ordinal);
        Assert.Equal("[Unit]\n" + Backend, Text(made, "app.service"));
        Assert.Contains(made.Files, f => f.Path == "/etc/polkit-1/rules.d/50-proxyd-web.rules" && Text(f).Contains("app.service", StringComparison.Ordinal));
        Assert.Equal(["app.service"], made.Disables);
    }

    private static string Text(Migration made, string end) => Text(made.Files.Single(file => file.Path.EndsWith(end, StringComparison.Ordinal)));

    private static string Text(MigratedFile file) => UnitText.Decode(file.After!).Text;

    private static Migration Build(MigrationFiles files, MigrationWishes wishes, string folder, params (string Name, string Text)[] units)
    {
        UnitSet set = UnitSet.FromFiles(units.Select(unit => UnitFile.Parse(unit.Text, $"{folder}/{unit.Name}")));
        MigrationTrio trio = new(set.Units.First(unit => unit.Type == UnitType.Socket), set, _ => null);
        MinimalForm minimal = new(trio, wishes, files);
        return wishes.IsResident ? new ResidentForm(trio, wishes, minimal).Build() : minimal.Build();
    }
}
