using System.Globalization;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Rules;

/// <summary>A backend whose end or failure is passed on until the socket itself fails.</summary>
internal sealed class FailureKillsSocket()
    : TrioRule("PXD009", Severity.Warning, "a failing backend kills the socket", "systemd.unit(5), systemd.socket(5)")
{
    /// <summary>Starts within the default ten seconds that no backend reaches by coming and going.</summary>
    private const int AmpleBurst = 100;

    /// <summary>The first systemd that stops polling a socket for a while before its trigger limit is reached; systemd.socket(5).</summary>
    private const int PollLimitSince = 255;

    /// <summary>Types whose start can fail after the program was called; of Type=simple it cannot.</summary>
    private static readonly string[] s_failingTypes = ["exec", "notify", "notify-reload", "forking", "dbus", "oneshot"];

    internal override string Why => "the socket is started over and over, and fails: the public port stays dead until somebody starts it by hand";

    internal override string Fix =>
        "let proxyd hold the client instead: Upholds= (or Wants=) without After=, or no dependency at all and --backend-unit=";

    internal override string Story => """
        The client stays in the socket's queue until the proxy accepts it. If the proxy's start fails, or the proxy is taken down before
        it accepts, systemd sees a readable socket and starts the proxy again, at once. Two limits end that, and both make the .socket
        fail, which closes the public port for good:

        - StartLimitBurst= of the proxy or the backend: the sixth start within ten seconds. With BindsTo= the proxy ends each time the
          backend does, so five ordinary cold starts in ten seconds are enough.
        - TriggerLimitBurst= of the socket: 20 triggers in two seconds, when the start fails fast. Requires= with After= fails the
          proxy's start together with the backend's; so does BindsTo=. StartLimitIntervalSec=0 does not help against this one.
          systemd 255 has a limit before it, PollLimitBurst= (15 in two seconds), which only slows the socket down: then the tries go on,
          and no socket fails of them, unless PollLimitIntervalSec=0 or PollLimitBurst=0 switches it off.

        A backend of Type=simple without ExecStartPre= or ExecStartPost= cannot fail its start, so Requires= with After= is harmless there.

        proxyd needs neither dependency: with Upholds= systemd keeps the backend up while the proxy runs; with --backend-unit= proxyd
        starts it, and after a failure tries again with growing pauses, while the socket goes on listening.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        Unit[] sockets = [.. trio.Sockets.Where(socket => !socket.IsTrue("Socket", "Accept"))];
        if (sockets.Length == 0)
            yield break;
        bool hasNoTriggerLimit = sockets.All(socket => IsZero(socket, "Socket", "TriggerLimitIntervalSec", "TriggerLimitBurst")
            || (input.SystemdVersion >= PollLimitSince && !IsZero(socket, "Socket", "PollLimitIntervalSec", "PollLimitBurst")));
        foreach (Unit unit in trio.Hooks.Where(hook => !trio.IsPreparation(hook)).Concat(trio.Backends).Where(unit => unit.Name != trio.Proxy.Name))
        {
            if (trio.Proxy.Names(unit.Name, "BindsTo") is { } bound)
            {
                string[] limited = [.. new[] { trio.Proxy, unit }.Where(limited => !HasAmpleStarts(limited)).Select(limited => limited.Name)];
                if (limited.Length > 0)
                    yield return At(trio.Proxy, bound, $"each time {unit.Name} ends the proxy ends with it, and with six cold starts in ten seconds {Why}");
                else if (!hasNoTriggerLimit)
                    yield return AtTriggerLimit(trio, bound, unit, Severity.Note);
            }
            else if (!hasNoTriggerLimit && CanFail(unit) && trio.Proxy.Names(unit.Name, "Requires", "Requisite") is { } required
                && trio.Proxy.Names(unit.Name, "After") is not null)
            {
                bool isSeen = HasAmpleStarts(trio.Proxy) && HasAmpleStarts(unit);
                yield return AtTriggerLimit(trio, required, unit, isSeen ? Severity.Note : Severity.Warning);
            }
        }
    }

    private Finding AtTriggerLimit(Trio trio, Setting setting, Unit unit, Severity severity) =>
        At(trio.Proxy, setting, $"if {unit.Name} fails fast, the proxy's start fails with it: after 20 tries in two seconds {Why}", severity: severity);

    /// <summary>Whether its start can fail. Of a oneshot whose commands all have the prefix -, it can't.</summary>
    private static bool CanFail(Unit unit)
    {
        string? type = unit.Last("Service", "Type")?.Value;
        ExecCommand[] around = [.. ((string[])["ExecStartPre", "ExecStartPost"]).SelectMany(unit.Commands).Select(entry => entry.Command)];
        ExecCommand[] own = type == "oneshot" ? [.. unit.Commands("ExecStart").Select(entry => entry.Command)] : [];
        bool isForgiven = type == "oneshot" && own.Concat(around).All(command => command.Prefixes.Contains('-', StringComparison.Ordinal));
        return !isForgiven && (s_failingTypes.Contains(type) || around.Length > 0);
    }

    private static bool HasAmpleStarts(Unit unit) => StartLimit.Of(unit) is { IsOff: true } or { Burst: >= AmpleBurst };

    private static bool IsZero(Unit unit, string section, string interval, string burst) =>
        (TimeSpanParser.TryParse(unit.Last(section, interval)?.Value ?? "", out TimeSpan? span) && span == TimeSpan.Zero)
        || unit.Last(section, burst)?.Value == "0";
}

/// <summary>A limit on open files that the connection limit does not fit into.</summary>
internal sealed class TooFewFiles() : TrioRule("PXD016", Severity.Warning, "LimitNOFILE= below what --connections-max= needs", "systemd.exec(5)")
{
    internal override string Why => "clients beyond that are not served, although the connection limit admits them";

    internal override string Fix => "raise LimitNOFILE=, or lower --connections-max=";

    internal override string Story => """
        Each connection needs descriptors: two in proxyd (while much data flows, up to four more for pipes, which it does without if it must),
        six in systemd-socket-proxyd, always. With systemd's usual soft limit of 1024 systemd-socket-proxyd serves 169 connections, whatever
        --connections-max= says; the rest is accepted and closed, or waits.

        proxyd raises its soft limit up to the hard one when it needs to, but never under a filter of system calls, which might kill it for asking
        (setrlimit is in @resources). Each of these brings one: SystemCallFilter=, SystemCallArchitectures=, RestrictAddressFamilies=,
        RestrictNamespaces=, RestrictRealtime=, RestrictSUIDSGID=, MemoryDenyWriteExecute=, LockPersonality=, PrivateDevices=, ProtectClock=,
        ProtectHostname=, ProtectKernelLogs=, ProtectKernelModules=, ProtectKernelTunables=, DynamicUser=. So a hardened proxyd has the soft limit, 1024
        as a rule, which is enough for some 470 connections; for more it needs a LimitNOFILE= that says so. When it has to do with fewer than it needs, it
        says so at its start.
        """;

    protected override IEnumerable<Finding> Find(Trio trio, CheckInput input)
    {
        ProxyCommand command = trio.Command;
        bool isSocketProxyd = command.Kind == ProxyKind.SocketProxyd;
        Setting? limit = trio.Proxy.Last("Service", "LimitNOFILE");
        // Of nothing but defaults nobody has said what is needed.
        if (limit is null && command.Options["connections-max"] is null)
            yield break;
        long needed = DescriptorNeeds.Of(command.Kind, command.Options.ConnectionsMax);
        (long soft, long hard) = Read(limit?.Value);
        long allowed = isSocketProxyd || SandboxLists.HasCallFilter(trio.Proxy) ? soft : hard;
        if (allowed < needed)
        {
            string what = limit is null ? $"systemd's default limit of {allowed} files" : $"LimitNOFILE={limit.Value}";
            string why = $"{command.Options.ConnectionsMax} connections need {needed} files, {what} is less: {Why}";
            yield return At(trio.Proxy, limit ?? command.Setting, why, $"LimitNOFILE={DescriptorNeeds.Proposal(needed)}, or lower --connections-max=");
        }
    }

    /// <summary>SOFT:HARD, or one number for both; systemd.exec(5).</summary>
    private static (long Soft, long Hard) Read(string? value)
    {
        if (value is null)
            return (DescriptorNeeds.DefaultSoft, DescriptorNeeds.DefaultHard);
        string[] parts = value.Split(':');
        return (Number(parts[0]), Number(parts[^1]));
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : long.MaxValue;
}
