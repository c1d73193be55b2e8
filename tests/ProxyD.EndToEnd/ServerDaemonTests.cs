using System.Net.Sockets;
using System.Text;

namespace ProxyD.EndToEnd;

/// <summary>Real daemons that aren't HTTP servers, woken by their own clients.</summary>
public sealed class ServerDaemonTests(Lab lab) : EndToEndTest(lab)
{
    // Goal: redis answers its first client, and keeps state for those that follow.
    [Fact]
    public void Redis_serves_cold_warm_and_after_it_was_stopped()
    {
        Lab.RequireInside("/usr/bin/redis-server", "/usr/bin/redis-cli");
        Install(UnitFiles.Seed("redis-lab", "127.0.0.1:6379", "127.0.0.1:16379", """
            ExecStart=/usr/bin/redis-server --bind 127.0.0.1 --port 16379 --save "" --appendonly no
            """));

        Assert.Equal("PONG", Redis("PING"));
        Assert.Equal("OK", Redis("SET", "key", "value"));
        Assert.Equal("value", Redis("GET", "key"));
        StopBackend("redis-lab");
        Assert.Equal("PONG", Redis("PING"));
    }

    // Goal: psql through proxyd, cold and warm; PostgreSQL tells systemd when it accepts queries, as its manual advises.
    [Fact]
    public void PostgreSql_serves_psql_cold_warm_and_after_it_was_stopped()
    {
        string programs = PostgreSqlPrograms();
        const string Data = "/var/lib/postgresql-lab";
        Lab.Run("install", "-d", "-o", "postgres", "-m", "700", Data).Expect();
        Lab.Run("runuser", "-u", "postgres", "--", $"{programs}/initdb", "-D", Data, "--auth=trust", "--no-sync").Expect();
        Install(UnitFiles.Seed("postgresql-lab", "127.0.0.1:5432", "127.0.0.1:15432", $"""
            Type=notify
            User=postgres
            KillSignal=SIGINT
            ExecStart={programs}/postgres -D {Data} -p 15432 -c listen_addresses=127.0.0.1 -c unix_socket_directories=
            """));

        Assert.Equal("42", Psql("select 42"));
        Assert.Equal("43", Psql("select 43"));
        StopBackend("postgresql-lab");
        Assert.Equal("44", Psql("select 44"));
    }

    // Goal: a protocol in which the server speaks first: the banner reaches a client that says nothing, and a login works.
    [Fact]
    public void OpenSsh_greets_first_and_lets_in_cold_and_warm()
    {
        Lab.RequireInside("/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen");
        Lab.Run("/bin/sh", "-ec", """
            mkdir -p /srv/ssh /run/sshd
            for key in host client; do ssh-keygen -q -t ed25519 -N '' -f /srv/ssh/$key </dev/null; done
            cp /srv/ssh/client.pub /srv/ssh/authorized_keys
            # A locked account ("!") could not log in even with a key.
            usermod -p '*' root
            """).Expect();
        Install(UnitFiles.Seed("ssh-lab", "127.0.0.1:2222", "127.0.0.1:12222", """
            RuntimeDirectory=sshd
            ExecStart=/usr/sbin/sshd -D -e -f /dev/null -h /srv/ssh/host -p 12222 -o ListenAddress=127.0.0.1 -o UsePAM=no \
              -o PidFile=none -o StrictModes=no -o AuthorizedKeysFile=/srv/ssh/authorized_keys -o PermitRootLogin=prohibit-password
            """));

        Assert.StartsWith("SSH-2.0-", Banner("127.0.0.1:2222"), StringComparison.Ordinal);
        Assert.Equal("ok", SshEcho());
        StopBackend("ssh-lab");
        Assert.Equal("ok", SshEcho());
    }

    private void StopBackend(string name)
    {
        Lab.Systemctl("stop", $"{name}-backend.service");
        Lab.WaitForState($"{name}.service", "inactive (dead)");
        Lab.WaitForState($"{name}.socket", "active (listening)");
    }

    private string Redis(params string[] command) => Lab.Run(["redis-cli", "-h", "127.0.0.1", .. command]).Expect().Trim();

    private string Psql(string query) =>
        Lab.Run("psql", "-h", "127.0.0.1", "-U", "postgres", "-X", "-A", "-t", "-c", query).Expect().Trim();

    // Debian keeps the server's programs out of PATH, by major version.
    private string PostgreSqlPrograms()
    {
        const string Versions = "/usr/lib/postgresql";
        Lab.RequireInside("/usr/bin/psql", Versions);
        string? newest = Directory.GetDirectories(Lab.PathOf(Versions)).Max(StringComparer.Ordinal);
        string programs = $"{Versions}/{Path.GetFileName(newest)}/bin";
        Lab.RequireInside($"{programs}/postgres", $"{programs}/initdb");
        return programs;
    }

    private string SshEcho() => Lab.Run(
        "ssh", "-F", "/dev/null", "-i", "/srv/ssh/client", "-p", "2222", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15",
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1", "echo", "ok").Expect().Trim();

    private string Banner(string address)
    {
        using Socket client = Lab.Connect(address);
        client.ReceiveTimeout = (int)Wait.Bound.TotalMilliseconds;
        byte[] chunk = new byte[256];
        return Encoding.ASCII.GetString(chunk, 0, client.Receive(chunk));
    }
}
