using ProxyD.Migrations;
using ProxyD.Shell;
using ProxyD.Units;
using static ProxyD.Tests.Migrations.MigrationWorld;

namespace ProxyD.Tests.Migrations;

/// <summary>Variables that a unit's commands take from files, or from somewhere that nobody can see.</summary>
public sealed class MigrationVariableTests
{
    private const string File = "# where it is\nPORT = \"18080\"\n";

    private const string Wrapper = "#!/bin/sh\nuntil nc -z 127.0.0.1 \"$PORT\"; do sleep 1; done\nexec " + SocketProxyd + " \"127.0.0.1:$PORT\"\n";

    private const string Service = "[Service]\nEnvironmentFile=-/etc/default/web\nExecStart=/opt/wrap\n";

    [Theory]
    [InlineData("exec " + SocketProxyd + " 127.0.0.1:\"$PORT\"")]
    [InlineData("exec " + SocketProxyd + " 127.0.0.1:${PORT:-8080}")]
    [InlineData("PORT=${PORT:-8080}; exec " + SocketProxyd + " 127.0.0.1:$PORT")]
    public void What_an_environment_file_sets_a_wrapper_finds(string script)
    {
        // Goal: the file's value, not nothing and not the script's default.
        Migration made = Minimal(
            ("web.socket", Socket), ("web.service", Service), ("/etc/default/web", File), ("/opt/wrap", $"#!/bin/sh\n{script}\n"));

        Assert.Equal("/opt/proxyd 127.0.0.1:18080", made.Line("web.service", "ExecStart"));
    }

    [Theory]
    [InlineData("exec " + SocketProxyd + " 127.0.0.1:\"$PORT\"")]
    [InlineData("exec " + SocketProxyd + " 127.0.0.1:${PORT:-8080}")]
    [InlineData("ADDRESS=127.0.0.1:${PORT:-8080}; exec " + SocketProxyd + " $ADDRESS")]
    [InlineData("until nc -z 127.0.0.1 18080; do sleep ${PORT:-1}; done; exec " + SocketProxyd + " 127.0.0.1:18080")]
    public void What_a_file_sets_that_cant_be_read_is_not_guessed(string script)
    {
        // Goal: neither an empty port nor the default is proposed, and the variable is named.
        string why = Refusal(() => Minimal(("web.socket", Socket), ("web.service", Service), ("/opt/wrap", $"#!/bin/sh\n{script}\n")));

        Assert.StartsWith($"{Folder}/web.service:3: $PORT is not set in the unit", why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PassEnvironment=PORT", "exec " + SocketProxyd + " 127.0.0.1:${PORT:-8080}")]
    [InlineData("Nice=1", "exec " + SocketProxyd + " 127.0.0.1:$PORT")]
    public void A_variable_from_elsewhere_is_not_guessed_either(string setting, string script) =>
        // Goal: what the manager passes on, and what nobody sets.
        Assert.Contains(
            "$PORT is not set",
            Refusal(() => Minimal(("web.socket", Socket), ("web.service", $"[Service]\n{setting}\nExecStart=/bin/sh -c '{script}'\n"))),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("exec " + SocketProxyd + " 127.0.0.1:${PORT:-8080}", "127.0.0.1:8080")]
    [InlineData("[ -n \"$DEBUG\" ] && set -x; exec " + SocketProxyd + " ${DEBUG:+-c 1} \"$@\"", "127.0.0.1:9090")]
    public void What_is_set_nowhere_counts_as_nothing_where_that_is_safe(string script, string destination)
    {
        // Goal: a default is taken when no file and no manager can give another; tests of an empty variable go on.
        Migration made = Minimal(
            ("web.socket", Socket), ("web.service", "[Service]\nExecStart=/opt/wrap 127.0.0.1:9090\n"), ("/opt/wrap", $"#!/bin/sh\n{script}\n"));

        Assert.Equal($"/opt/proxyd {destination}", made.Line("web.service", "ExecStart"));
    }

    [Fact]
    public void A_wrappers_guard_and_proxy_ask_the_same_port()
    {
        // Goal: the guard's variable is filled in from the file as well.
        Migration made = Minimal(("web.socket", Socket), ("web.service", Service), ("/etc/default/web", File), ("/opt/wrap", Wrapper));

        Assert.Equal("/opt/proxyd 127.0.0.1:18080 --wait-bind=infinity", made.Line("web.service", "ExecStart"));
    }

    [Theory]
    [InlineData("nc -z 127.0.0.1 $PORT", "--wait-bind=90s")]
    [InlineData("ss -tln | grep -q \":${PORT} \"", "--wait-bind=90s")]
    [InlineData("curl -sf http://127.0.0.1:$PORT/health", "--wait-bind=90s --ready=http:/health,200-399")]
    public void A_guard_that_names_the_proxys_own_variable_is_the_proxys(string question, string options)
    {
        // Goal: nobody here knows the port, but both mean the same, and systemd goes on filling it in.
        Migration made = Minimal(
            ("web.socket", Socket),
            ("web.service", $"[Service]\nEnvironmentFile=/etc/default/web\nExecStartPre=/bin/sh -c 'until {question}; do sleep 1; done'\n"
                + $"ExecStart={SocketProxyd} 127.0.0.1:${{PORT}}\n"));

        Assert.Equal($"/opt/proxyd 127.0.0.1:${{PORT}} {options}", made.Line("web.service", "ExecStart"));
        Assert.Null(made.Line("web.service", "ExecStartPre"));
    }

    [Theory]
    [InlineData("nc -z 127.0.0.1 $DB_PORT", "waits for port $DB_PORT, and $DB_PORT is not set")]
    [InlineData("redis-cli -p $PORT ping", "waits for 'redis-cli -p '$PORT' ping', and $PORT is not set")]
    [InlineData("nc -z 127.0.0.1", "waits for port 127.0.0.1, and whether that is the backend can't be told")]
    public void A_guard_for_somebody_who_cant_be_told_leaves_everything_alone(string question, string why)
    {
        // Goal: it is neither taken for the backend's nor said to wait for somebody else.
        string message = Refusal(() => Minimal(
            ("web.socket", Socket),
            ("web.service", $"[Service]\nExecStartPre=/bin/sh -c 'until {question}; do sleep 1; done'\nExecStart={SocketProxyd} 127.0.0.1:${{PORT}}\n")));

        Assert.StartsWith($"{Folder}/web.service:2: ExecStartPre= of web.service ", message, StringComparison.Ordinal);
        Assert.Contains(why, message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_environment_file_is_read_as_systemd_reads_it()
    {
        // Goal: comments, quotes, escapes, continued lines; a later file and a file before Environment= in the unit both win (systemd.exec(5)).
        Unit unit = new("a.service", [UnitFile.Parse(
            "[Service]\nPassEnvironment=P Q\nEnvironmentFile=/1\nEnvironmentFile=-/2\nEnvironment=A=unit B=unit Q=unit\n", "/a.service")]);
        Dictionary<string, string> variables = UnitEnvironment.Of(unit, path => path switch
        {
            "/1" => "; no 'comment\nA='one # two'\nC=\"a\\\nb\" \r\nD=x\\\ny\n",
            "/2" => "A=last\n\n  E=1",
            _ => null,
        });

        IEnumerable<string> all = variables.OrderBy(variable => variable.Key).Select(variable => $"{variable.Key}={ShellUnset.Plain(variable.Value)}");
        Assert.Equal("A=last B=unit C=ab D=xy E=1 P= Q=unit", string.Join(' ', all));
        Assert.Equal("P", ShellUnset.NameIn(variables["P"]));
    }
}
