using System.Globalization;
using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>
/// What a plain service runs beside its daemon. What waits for the daemon is proxyd's from now on; what else goes to its port would come to
/// the proxy there, and wake what it has just stopped, so that it goes to the new one.
/// </summary>
internal sealed class PlainLines
{
    private static readonly string[] s_keys = ["ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"];

    private static readonly string[] s_firewalls = ["ufw", "iptables", "ip6tables", "nft", "firewall-cmd"];

    private readonly PlainMove _move;
    private readonly MigrationGuards _guards;

    /// <param name="fileOf">The text of a script or an environment file by its path.</param>
    internal PlainLines(Unit service, PlainMove move, Func<string, string?> fileOf)
    {
        _move = move;
        Dictionary<string, string> variables = UnitEnvironment.Of(service, fileOf);
        GuardSite[] guards =
        [
            .. service.All("Service", "ExecStartPost")
                .Select(line => new GuardSite(service, line, "ExecStartPost", GuardReader.ReadExec(line.Value, fileOf, variables)))
                .Where(site => site.Reading is { Kind: ReadingKind.Guard, Starts.Count: 0 } && !site.Reading.Wait!.Probes.Any(probe => probe.IsVague)),
        ];
        string old = string.Create(CultureInfo.InvariantCulture, $"{move.Host ?? "127.0.0.1"}:{move.Port}");
        _guards = new(guards, new([old]), [service.Name]);
        Notes.AddRange(_guards.Notes);
        if (IsMoved)
            NoteScripts(service, fileOf);
    }

    internal List<string> Notes { get; } = [];

    /// <summary>The value of <c>--wait-bind=</c>; null without a guard.</summary>
    internal string? WaitBind => _guards.WaitBind;

    /// <summary>The value of <c>--ready=</c>, about the daemon's new address; null without one.</summary>
    internal string? Ready => _guards.Ready is { } ready && ready.StartsWith("exec:", StringComparison.Ordinal) ? _move.Word.Replace(ready) : _guards.Ready;

    private bool IsMoved => _move.To.Port != _move.Port;

    /// <summary>Edits the lines of one file, the daemon's own or a drop-in.</summary>
    internal void Edit(UnitFile copy)
    {
        foreach (GuardSite site in _guards.Taken.Where(site => site.Setting.Path == copy.Path))
            copy.Remove(copy.Items.First(item => item.Line == site.Setting.Line));
        if (!IsMoved)
            return;
        foreach (UnitItem item in copy.Assignments.Where(a => a.Section == "Service" && s_keys.Contains(a.Item.Name)).Select(a => a.Item).ToArray())
        {
            int value = item.Raw.IndexOf('=', StringComparison.Ordinal) + 1;
            string raw = item.Raw[..value] + _move.Word.Replace(item.Raw[value..]);
            if (raw == item.Raw)
                continue;
            if (s_firewalls.Any(program => item.Value.Contains(program, StringComparison.Ordinal)))
            {
                Notes.Add($"{item.Name}= is about a firewall and names port {_move.Port}, which stays the clients'; the daemon's own is {_move.To.Text} now");
                continue;
            }
            copy.Replace(item, item with { Raw = raw });
            Notes.Add($"{item.Name}= went to port {_move.Port}, which is the proxy's now; it goes to {_move.To.Text}");
        }
    }

    private void NoteScripts(Unit service, Func<string, string?> fileOf)
    {
        foreach (string key in s_keys.Append("ExecStart"))
        {
            string does = key == "ExecStart" ? "names" : "goes to";
            foreach (string path in service.Commands(key).SelectMany(entry => entry.Command.Words).Where(word => word.StartsWith('/')).Distinct())
            {
                if (fileOf(path) is ['#', '!', ..] and { } text && _move.Word.IsIn(text))
                    Notes.Add($"{path}, which {key}= runs, {does} port {_move.Port}; that is the proxy's now, and has to be {_move.To.Text} there");
            }
        }
    }
}
