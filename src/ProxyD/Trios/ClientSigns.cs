using System.Net;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>What in a command line says that its port is where it goes, not where it listens.</summary>
internal static class ClientSigns
{
    /// <summary>Programs whose -p, --host and the like speak of somebody else.</summary>
    private static readonly string[] s_programs =
    [
        "ssh", "autossh", "sshfs", "psql", "mysql", "mariadb", "mongosh", "redis-cli", "valkey-cli", "mosquitto_pub", "mosquitto_sub", "curl", "wget",
        "telnet", "socat", "sshpass", "zabbix_sender", "rsync", "vncviewer", "kubectl", "cloudflared", "frpc", "ngrok", "pg_receivewal", "pg_recvlogical",
        "pg_dump", "mysqldump",
    ];

    /// <summary>Options that name a server, where they don't name an address of one's own.</summary>
    private static readonly string[] s_hosts = ["--host", "-h", "-H", "--broker", "--remote-host"];

    /// <summary>Words for an address of one's own.</summary>
    private static readonly string[] s_everywhere = ["any", "all", "local", "loopback", "true", "false", "yes", "no"];

    /// <summary>Schemes of URLs by which daemons are told where to listen; one of a database or a queue is whom they go to.</summary>
    private static readonly string[] s_listenSchemes = ["http", "https", "tcp", "tcp4", "tcp6", "ws", "wss", "h2c", "grpc", "rtsp", "fastcgi", "uwsgi"];

    /// <summary>Whether no port that a command names is one where it listens itself. What systemd-nspawn's <c>--port=</c> names is forwarded by the
    /// kernel.</summary>
    internal static bool IsClient(ExecCommand command) => command.FileName == "systemd-nspawn" || s_programs.Contains(command.FileName);

    /// <summary>Whether a text is a URL of a kind on which nobody listens.</summary>
    internal static bool IsOthersUrl(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && !s_listenSchemes.Contains(text[..scheme].ToLowerInvariant());
    }

    /// <summary>Why a service looks like a client, in a few words; null for no reason.</summary>
    /// <param name="isOwn">Whether an address is the machine's; null when that can't be told, and any may be.</param>
    internal static string? Of(Unit service, Func<IPAddress, bool>? isOwn)
    {
        foreach ((ExecCommand command, Setting _) in service.Commands("ExecStart"))
        {
            string program = LaunchedProgram.Of(command).Command.FileName;
            if (s_programs.Contains(program))
                return $"{program} is a client, or relays for others";
            for (int i = 0; i < command.Arguments.Count; i++)
            {
                string[] parts = command.Arguments[i].Split('=', 2);
                string? value = parts.Length == 2 ? parts[1] : command.Arguments.ElementAtOrDefault(i + 1);
                if (value is not null && s_hosts.Contains(parts[0]) && (IsElsewhere(value, isOwn) || (parts[0].Length > 2 && IsName(value))))
                    return $"{parts[0]} {value} may be another machine";
            }
        }
        return null;
    }

    /// <summary>One word, as the hosts of /etc/hosts and of containers have it.</summary>
    private static bool IsName(string value) =>
        value.Length > 0 && char.IsAsciiLetter(value[0]) && value.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
        && !PortFinder.IsLocal(value) && !s_everywhere.Contains(value);

    /// <summary>A name with a dot, as hosts of a network have, or an address that the machine hasn't got.</summary>
    private static bool IsElsewhere(string value, Func<IPAddress, bool>? isOwn)
    {
        string host = PortText.HostOf(PortText.AuthorityOf(value)).Trim('[', ']');
        if (IPAddress.TryParse(host, out IPAddress? address))
            return !PortFinder.IsLocal(host) && isOwn is not null && !isOwn(address);
        return host.Contains('.', StringComparison.Ordinal) && host[0] is not ('.' or '/' or '$' or '%') && host != "localhost.localdomain"
            && host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-');
    }
}
