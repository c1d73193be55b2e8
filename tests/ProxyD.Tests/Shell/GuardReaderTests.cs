using ProxyD.Shell;

namespace ProxyD.Tests.Shell;

/// <summary>Guards as people write them: what they ask, and how long they would wait.</summary>
public sealed class GuardReaderTests
{
    private const string Tcp18080 = "Tcp 18080";

    [Theory]
    [InlineData("for i in {1..50}; do ss -tln | grep -q \"127.0.0.1:18080 \" && exit 0; sleep 0.1; done; exit 1", 5000, Tcp18080)]
    [InlineData("for i in {1..50..2}; do nc -z 127.0.0.1 18080 && break; sleep 0.1; done", 2500, Tcp18080)]
    [InlineData("for i in $(seq 60); do nc -z 127.0.0.1 25575 && exit 0; sleep 1; done; exit 1", 60_000, "Tcp 25575")]
    [InlineData("for i in `seq 1 30`; do nc -zw1 localhost 18080 && exit 0 || sleep 1s; done; exit 1", 30_000, Tcp18080)]
    [InlineData(
        "for i in 1 2 3 4 5; do curl -sf http://127.0.0.1:18080/health >/dev/null && exit 0; sleep 2; done; exit 1",
        10_000, "Http 127.0.0.1:18080/health")]
    [InlineData("for ((i=0;i<20;i++)); do (echo > /dev/tcp/127.0.0.1/18080) 2>/dev/null && exit 0; sleep 0.25; done; exit 1", 5000, Tcp18080)]
    [InlineData("for i in $(seq 600); do [ -S /run/app/web.sock ] && exit 0; sleep 0.1; done; exit 1", 60_000, "Unix /run/app/web.sock")]
    [InlineData("i=0; while ! nc -z localhost 18080; do i=$((i+1)); [ $i -gt 50 ] && exit 1; sleep 0.2; done", 10_000, Tcp18080)]
    [InlineData("n=0; until ss -ltn 'sport = :18080' | grep -q LISTEN; do n=$((n+1)); if [ \"$n\" -ge 30 ]; then exit 1; fi; sleep 1; done", 29_000, Tcp18080)]
    [InlineData("end=$((SECONDS+45)); while [ $SECONDS -lt $end ]; do </dev/tcp/localhost/18080 && exit 0; sleep 1; done; exit 1", 45_000, Tcp18080)]
    [InlineData("t=$(( $(date +%s) + 20 )); until nc -z ::1 18080; do [ $(date +%s) -ge $t ] && exit 1; sleep 1; done", 20_000, Tcp18080)]
    [InlineData("timeout 30 bash -c 'until nc -z 127.0.0.1 18080; do sleep 0.5; done'", 30_000, Tcp18080)]
    [InlineData("timeout 15s sh -c 'while ! </dev/tcp/127.0.0.1/18080; do :; done'", 15_000, Tcp18080)]
    [InlineData(
        "PORT=18080\nwait_for() {\n  for i in $(seq $2); do\n    nc -z 127.0.0.1 $1 && return 0\n    sleep 1\n  done\n  return 1\n}\nwait_for $PORT 12",
        12_000, Tcp18080)]
    [InlineData(
        "until [ \"$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:18080/api)\" = 401 ]; do ((++n < 8)) || exit 1; sleep 1; done",
        7000, "Http 127.0.0.1:18080/api 401")]
    [InlineData("for i in $(seq 10); do test -n \"$(ss -Hltn sport = :18080)\" && exit 0; sleep 1; done", 10_000, Tcp18080)]
    [InlineData("for i in $(seq 10); do grep -q ':46A0 00000000:0000 0A' /proc/net/tcp && exit 0; sleep 0.5; done", 5000, Tcp18080)]
    [InlineData("curl --retry 20 --retry-delay 1 --retry-connrefused -fsS http://127.0.0.1:18080/", 20_000, "Http 127.0.0.1:18080/")]
    [InlineData("curl --retry 5 --retry-connrefused -sf http://localhost:18080/up", 31_000, "Http localhost:18080/up")]
    [InlineData("curl --retry 90 --retry-delay 1 --retry-max-time 40 --retry-all-errors -sf http://localhost:18080/up", 40_000, "Http localhost:18080/up")]
    [InlineData("for i in $(seq 10); do curl -m 2 -sf http://localhost:18080/up && exit 0; sleep 1; done", 30_000, "Http localhost:18080/up")]
    [InlineData("wget -q --tries=5 --waitretry=2 --retry-connrefused -O /dev/null http://127.0.0.1:18080/", 7000, "Http 127.0.0.1:18080/")]
    [InlineData("wait-for-it.sh 127.0.0.1:18080 -t 25", 25_000, Tcp18080)]
    [InlineData("/usr/bin/wait-for-it --timeout=5 localhost:18080 -- true", 5000, Tcp18080)]
    [InlineData("for i in $(seq 20); do curl -s --unix-socket /run/a.sock http://x/ping && exit 0; sleep 1; done", 20_000, "Http /run/a.sock:/ping any")]
    [InlineData("for i in $(seq 9); do pg_isready -q -p 5433 && exit 0; sleep 1; done", 9000, "Command pg_isready -q -p 5433")]
    [InlineData(
        "for i in $(seq 9); do curl -s http://[::1]:9/h | grep -q '\"ok\"' && exit 0; sleep 1; done",
        9000, "Command curl -s 'http://[::1]:9/h' | grep -q '\"ok\"'")]
    [InlineData("for i in $(seq 5); do systemctl is-active --quiet app.service && exit 0; sleep 1; done", 5000, "Unit app.service")]
    [InlineData("while ! netstat -ltn | grep -q ':18080\\b'; do [ $((c+=1)) -gt 10 ] && exit 1; sleep 1; done", 10_000, Tcp18080)]
    [InlineData("sleep 5", 5000, "")]
    [InlineData("sleep 1m 30s", 90_000, "")]
    public void A_guard_is_known_by_what_it_asks_and_how_long(string script, long budgetMs, string probes)
    {
        // Goal: budgets however the script counts, and the address that it asks.
        GuardReading reading = GuardReader.Read(script);

        Assert.Equal((ReadingKind.Guard, (string?)null), (reading.Kind, reading.Other));
        Assert.Equal(budgetMs, reading.Guard!.BudgetMs);
        Assert.Equal(probes, string.Join("; ", reading.Guard.Probes.Select(Text)));
    }

    [Theory]
    [InlineData("wait_for 18080; wait_for 5432", 10_000, "Tcp 18080; Tcp 5432")]
    [InlineData("wait_for 18080 && wait_for 5432", 5000, "Tcp 18080; Tcp 5432")]
    [InlineData("up() { nc -z 127.0.0.1 $1; return $?; }; for i in 1 2 3; do up 9; [ $? = 0 ] && exit; sleep 1; done", 3000, "Tcp 9")]
    [InlineData("both() { wait_for $2; wait_for $1; }; both 1 2", 10_000, "Tcp 2; Tcp 1")]
    public void A_function_ends_where_it_returns(string calls, long budgetMs, string probes)
    {
        // Goal: the script goes on behind the call, with the caller's own $1, and everything that it waits for is seen.
        const string Function = "wait_for() { for i in $(seq 50); do nc -z 127.0.0.1 $1 && return 0; sleep .1; done; return 1; }; ";
        GuardReading reading = GuardReader.Read(Function + calls);

        Assert.Equal((ReadingKind.Guard, (string?)null), (reading.Kind, reading.Other));
        Assert.Equal(budgetMs, reading.Guard!.BudgetMs);
        Assert.Equal(probes, string.Join("; ", reading.Guard.Probes.Select(Text)));
    }

    [Fact]
    public void A_wrapper_goes_on_to_its_proxy_behind_a_function()
    {
        // Goal: "return" doesn't end the wrapper, and its own arguments are still there after the call.
        const string Script = "#!/bin/sh\nup() { nc -z \"$1\" \"$2\" && return; return 1; }\n"
            + "for i in $(seq 10); do up localhost \"$1\" && break; sleep 1; done\nexec systemd-socket-proxyd \"127.0.0.1:$1\"\n";
        GuardReading reading = GuardReader.ReadExec("/opt/wrap 18080", _ => Script);

        Assert.Equal(["systemd-socket-proxyd", "127.0.0.1:18080"], reading.Proxy!);
        Assert.Equal("Tcp 18080", string.Join("; ", reading.Guard!.Probes.Select(Text)));
    }

    [Theory]
    [InlineData("until ss -tln | grep -q 127.0.0.1:18081; do sleep 0.2; done")]
    [InlineData("while ! nc -z localhost 18080; do :; done")]
    [InlineData("while true; do nc -z localhost 18080 && break; sleep 1; done")]
    public void A_guard_without_an_end_has_no_budget(string script)
    {
        // Goal: only a time-out of the unit ends it.
        GuardReading reading = GuardReader.Read(script);

        Assert.Equal(ReadingKind.Guard, reading.Kind);
        Assert.Null(reading.Guard!.BudgetMs);
    }

    [Theory]
    [InlineData("for i in 1 2 3; do nc -z localhost 1 && break; sleep 1; done; chown www /run/x", "it runs chown")]
    [InlineData("until nc -z localhost 1; do docker start app; sleep 1; done", "it runs docker")]
    [InlineData("until nc -z localhost 1; do sleep 1; done; date > /run/ready", "it writes /run/ready")]
    [InlineData("until [ -f /run/ready ]; do sleep 1; done", "it looks for /run/ready")]
    [InlineData("for i in 1 2; do nc -z localhost 1 && exit 0; sleep 1; done; systemctl restart app", "it runs systemctl restart app")]
    [InlineData("until nc -z localhost 1; do sleep $(cat /etc/pause); done", "it runs cat")]
    [InlineData("while sleep 1; do case $x in a) exit 0;; esac; done", "its script is not understood")]
    [InlineData("for i in 1 2; do if nc -z localhost 1; then exit 0; else mkdir -p /run/app; fi; sleep 1; done", "it runs mkdir")]
    [InlineData("until [ \"$(curl -s http://localhost:1/state)\" = ready ]; do sleep 1; done", "it wants 'ready' in the answer of localhost:1/state")]
    [InlineData("sleep 1 & wait", "its script is not understood")]
    public void A_wait_that_does_more_is_not_taken_for_a_guard(string script, string other)
    {
        // Goal: nothing is thrown away that somebody may need, and the reason is named.
        GuardReading reading = GuardReader.Read(script);

        Assert.Equal((ReadingKind.Unclear, other), (reading.Kind, reading.Other));
        Assert.Null(reading.Guard);
    }

    [Theory]
    [InlineData("mkdir -p /run/app")]
    [InlineData("test -x /usr/bin/app")]
    [InlineData("for f in a b; do echo $f; done")]
    [InlineData("case $x in a) echo;; esac")]
    public void What_doesnt_wait_is_no_guard(string script) =>
        // Goal: other preparations are left alone.
        Assert.Equal(ReadingKind.None, GuardReader.Read(script).Kind);

    [Fact]
    public void A_wrapper_shows_the_proxy_it_runs()
    {
        // Goal: guard, started units and the proxy's command line, as far as the script itself says them.
        const string Script = """
            #!/bin/bash
            # waits, then relays
            set -euo pipefail
            BACKEND=127.0.0.1:18080
            systemctl start app-backend
            for i in $(seq 1 40); do
              if nc -z "${BACKEND%:*}" 18080; then break; fi
              sleep 0.5
            done
            exec /lib/systemd/systemd-socket-proxyd --exit-idle-time=5min "$BACKEND"
            """;
        GuardReading reading = GuardReader.ReadExec("/usr/local/bin/app-proxy", path => path == "/usr/local/bin/app-proxy" ? Script : null);

        Assert.Equal(ReadingKind.Guard, reading.Kind);
        Assert.Equal(20_000, reading.Guard!.BudgetMs);
        Assert.Equal(["app-backend.service"], reading.Starts);
        Assert.Equal(["/lib/systemd/systemd-socket-proxyd", "--exit-idle-time=5min", "127.0.0.1:18080"], reading.Proxy!);
        Assert.True(reading.IsExec);
    }

    [Theory]
    [InlineData("-/bin/bash -c 'for i in $$(seq 3); do nc -z 127.0.0.1 ${PORT} && exit 0; sleep 1; done'", 3000)]
    [InlineData("/bin/sh -ec \"until nc -z 127.0.0.1 $$PORT; do n=$$((n+1)); [ $$n = 4 ] && exit 1; sleep 1; done\"", 3000)]
    [InlineData("/usr/bin/timeout 10 /usr/bin/sh -c 'until nc -z localhost 18080; do sleep 1; done'", 10_000)]
    [InlineData("/bin/sleep 5", 5000)]
    [InlineData("+/usr/bin/curl -sf --retry 3 --retry-delay 2 --retry-connrefused http://localhost:${PORT}/", 6000)]
    public void A_line_of_a_unit_is_read_with_its_dollars_and_its_environment(string value, long budgetMs)
    {
        // Goal: systemd's own quoting and variables come first, then the shell's.
        Dictionary<string, string> environment = new() { ["PORT"] = "18080" };
        GuardReading reading = GuardReader.ReadExec(value, _ => null, environment);

        Assert.Equal(ReadingKind.Guard, reading.Kind);
        Assert.Equal(budgetMs, reading.Guard!.BudgetMs);
        Assert.All(reading.Guard.Probes, probe => Assert.Contains("18080", probe.Target, StringComparison.Ordinal));
    }

    private static string Text(GuardProbe probe) =>
        $"{probe.Kind} {probe.Target}{(probe.Status is { } status ? $" {status}" : "")}{(probe.TakesAnyStatus ? " any" : "")}";
}
