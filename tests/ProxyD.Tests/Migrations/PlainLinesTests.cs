using ProxyD.Interop;
using ProxyD.Migrations;
using ProxyD.Units;

namespace ProxyD.Tests.Migrations;

/// <summary>What a plain service runs beside its daemon, and what other units say of it.</summary>
public sealed class PlainLinesTests
{
    private const string Daemon = "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/app\n";

    [Theory]
    [InlineData("ExecStop=/usr/bin/curl -X POST http://127.0.0.1:8080/shutdown", "ExecStop=/usr/bin/curl -X POST http://127.0.0.1:18080/shutdown")]
    [InlineData("ExecReload=/bin/sh -c 'echo r > /dev/tcp/localhost/8080'", "ExecReload=/bin/sh -c 'echo r > /dev/tcp/localhost/18080'")]
    [InlineData("ExecStartPre=-/bin/fuser -k 8080/tcp", "ExecStartPre=-/bin/fuser -k 18080/tcp")]
    [InlineData("ExecStopPost=/usr/bin/nc \\\n  -z 127.0.0.1 8080", "ExecStopPost=/usr/bin/nc \\\n  -z 127.0.0.1 18080")]
    [InlineData(
        "ExecStartPost=/bin/sh -c 'until nc -z localhost 8080; do sleep 1; done; touch /run/up'",
        "ExecStartPost=/bin/sh -c 'until nc -z localhost 18080; do sleep 1; done; touch /run/up'")]
    public void A_line_that_goes_to_the_daemon_goes_on_going_there(string line, string moved)
    {
        // Goal: at the old port is the proxy, which the daemon's own stop would have wake it again.
        Migration made = Build(Daemon + line + "\n");

        Assert.Contains(moved + "\n", Text(made, "web-backend.service"), StringComparison.Ordinal);
        string key = line.Split('=')[0];
        Assert.Single(made.Notes, note => note.StartsWith(key, StringComparison.Ordinal) && note.Contains("127.0.0.1:18080", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("curl http://127.0.0.1:8080", "curl http://127.0.0.1:18080")]
    [InlineData("curl http://[::1]:8080/x", "curl http://127.0.0.1:18080/x")]
    [InlineData("nc -z 0.0.0.0 8080", "nc -z 127.0.0.1 18080")]
    [InlineData("wait --port=8080 :8080", "wait --port=18080 :18080")]
    [InlineData("curl http://10.0.0.7:8080/", "curl http://127.0.0.1:18080/")]
    [InlineData("curl http://10.0.0.9:8080/", null)]
    [InlineData("nc -z 10.0.0.9 8080", null)]
    [InlineData("echo 18080 80800 v8080 8080.pid /run/8080 a-8080", null)]
    public void An_address_is_told_from_other_numbers(string text, string? moved)
    {
        // Goal: only the port as a word of its own, at this machine.
        PortWord word = new(8080, "10.0.0.7", Backend("127.0.0.1:18080"));

        Assert.Equal(moved ?? text, word.Replace(text));
        Assert.Equal(moved is not null, word.IsIn(text));
    }

    [Theory]
    [InlineData("sleep 80; curl http://localhost:80/", "sleep 80; curl http://localhost:10080/")]
    [InlineData("nc -z 127.0.0.1 80", "nc -z 127.0.0.1 10080")]
    public void A_small_number_is_a_port_behind_an_address(string text, string moved) =>
        // Goal: 80 may be anything.
        Assert.Equal(moved, new PortWord(80, null, Backend("127.0.0.1:10080")).Replace(text));

    [Theory]
    [InlineData("until nc -z 127.0.0.1 $PORT; do sleep 1; done", "--wait-bind=90s")]
    [InlineData(
        "for i in $(seq 40); do curl -sf http://127.0.0.1:8080/health && exit 0; sleep 1; done; exit 1",
        "--wait-bind=40s --ready=http:/health,200-399")]
    [InlineData(
        "for i in 1 2; do redis-cli -p 8080 ping && exit; sleep 1; done", "--wait-bind=2s \"--ready=exec:redis-cli -p 18080 ping\"")]
    public void A_wait_for_the_daemon_is_the_proxys(string script, string options)
    {
        // Goal: it would have asked through the proxy; its budget and its question stay, the line goes.
        Migration made = Build($"{Daemon}ExecStartPost=/bin/sh -c '{script}'\n");

        Assert.Contains($"/opt/proxyd 127.0.0.1:18080 {options} --exit-idle-time=5min\n", Text(made, "web.service"), StringComparison.Ordinal);
        Assert.DoesNotContain("ExecStartPost", Text(made, "web-backend.service"), StringComparison.Ordinal);
        Assert.Contains(made.Notes, note => note.StartsWith("ExecStartPost= of web.service was a guard", StringComparison.Ordinal));
    }

    [Fact]
    public void A_wait_for_somebody_else_stays_as_it_is()
    {
        // Goal: another port is another's.
        const string Line = "ExecStartPost=/bin/sh -c 'until nc -z 127.0.0.1 5432; do sleep 1; done'\n";
        Migration made = Build(Daemon + Line);

        Assert.Contains(Line, Text(made, "web-backend.service"), StringComparison.Ordinal);
        Assert.Contains("--wait-bind=5s", Text(made, "web.service"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_script_that_goes_to_the_old_port_is_named()
    {
        // Goal: no script is changed, but whoever runs it is told.
        Dictionary<string, string> scripts = new()
        {
            ["/opt/stop"] = "#!/usr/bin/env python3\nget('http://localhost:8080/stop')\n",
            ["/opt/run"] = "#!/bin/sh\nexport PORT=8080\nexec node web.js\n",
        };
        Migration made = Build(
            "[Service]\nEnvironment=PORT=8080\nExecStart=/opt/run\nRestart=always\nExecStop=/opt/stop now\n",
            new([], _ => false) { FileOf = scripts.GetValueOrDefault });

        Assert.Single(made.Notes, note => note.StartsWith("/opt/stop, which ExecStop= runs, goes to port 8080", StringComparison.Ordinal));
        Assert.Single(made.Notes, note => note.StartsWith("/opt/run, which ExecStart= runs, names port 8080", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("BindsTo", "BoundBy")]
    [InlineData("Requires", "RequiredBy")]
    [InlineData("PartOf", "ConsistsOf")]
    public void A_unit_that_goes_with_the_service_would_go_with_the_proxy(string key, string property)
    {
        // Goal: it is refused, from the files as from what systemd shows; a proxy that stays takes nobody with it, and the unit is named.
        PlainService seen = new([], _ => false) { NamedBy = [(property, "web-worker.service")] };
        Unit worker = new("web-worker.service", [UnitFile.Parse($"[Unit]\nAfter=web.service\n{key}=web.service\n", "/etc/systemd/system/web-worker.service")]);

        string shown = Assert.Throws<NotUnderstoodException>(() => Build(Daemon, seen)).Message;
        Assert.Equal(shown, Assert.Throws<NotUnderstoodException>(() => Build(Daemon, null, worker)).Message);
        Assert.StartsWith($"{key}=web.service of web-worker.service ", shown, StringComparison.Ordinal);
        Migration resident = Build(Daemon, seen with { NamedBy = [("Before", "web-worker.service"), .. seen.NamedBy] }, isResident: true);
        Assert.Single(resident.Notes, note => note.StartsWith($"{key}=web.service of web-worker.service ", StringComparison.Ordinal));
    }

    [Fact]
    public void Who_only_starts_or_comes_later_is_named()
    {
        // Goal: targets that the unit's own [Install] names, and their order, are no reason for a word.
        PlainService seen = new([], _ => false)
        {
            NamedBy = [("WantedBy", "multi-user.target"), ("Before", "multi-user.target"), ("WantedBy", "a.service"), ("Before", "b.service")],
        };
        Migration made = Build($"{Daemon}[Install]\nWantedBy=multi-user.target\n", seen);

        Assert.Equal(
            ["Wants=web.service of a.service", "After=web.service of b.service"],
            made.Notes.Where(note => note.Contains("=web.service of ", StringComparison.Ordinal)).Select(note => note.Split(" is ")[0]));
    }

    private static Address Backend(string text) =>
        Address.TryParse(text, null, out Address? address, out _) ? address : throw new ArgumentException(text, nameof(text));

    private static string Text(Migration made, string name) =>
        UnitText.Decode(made.Files.Single(file => file.Path == $"/etc/systemd/system/{name}").After!).Text;

    private static Migration Build(string text, PlainService? seen = null, Unit? other = null, bool isResident = false)
    {
        Unit service = new("web.service", [UnitFile.Parse(text, "/etc/systemd/system/web.service")]);
        UnitSet units = new(other is null ? [service] : [service, other]);
        MigrationWishes wishes = new("/opt/proxyd") { IsResident = isResident };
        return new PlainForm(service, units, wishes, seen ?? new([], _ => false)).Build(new("/etc/systemd/system", _ => false));
    }
}
