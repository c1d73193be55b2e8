using System.Globalization;
using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>The files of a plain service under its backend's name, changed so that the daemon listens elsewhere and sleeps.</summary>
/// <param name="service">As it was.</param>
/// <param name="wishes">What is asked for.</param>
/// <param name="seen">What the machine says of it.</param>
/// <param name="move">From where to where it goes.</param>
internal sealed class PlainBackend(Unit service, MigrationWishes wishes, PlainService seen, PlainMove move)
{
    private static readonly string[] s_loopbacks = ["127.0.0.1", "localhost", "::1", "[::1]"];

    internal List<string> Notes { get; } = [];

    private string Stem => service.Parts.Stem;

    /// <summary>The service's own files under the backend's name, with its new address in them.</summary>
    /// <param name="name">The backend's.</param>
    /// <param name="lines">What else the service runs.</param>
    /// <exception cref="NotUnderstoodException">A package's drop-in would hold for the proxy.</exception>
    internal void Add(MigrationFiles files, string name, PlainLines lines)
    {
        foreach (UnitFile source in service.Sources)
        {
            bool isDropIn = source != service.Sources[0];
            string folder = source.Path[..source.Path.LastIndexOf('/')];
            string own = folder[(folder.LastIndexOf('/') + 1)..];
            // Drop-ins for all services, or for all whose names begin alike, hold for the backend as well.
            if (isDropIn && own != $"{service.Name}.d")
                continue;
            if (isDropIn && files.IsForeign(source.Path))
            {
                throw new NotUnderstoodException($"{source.Path} is a package's drop-in for {service.Name}, and would hold for the proxy;"
                    + " mask it first (systemd.unit(5))");
            }
            UnitFile copy = UnitFile.Parse(source.ToBytes(), source.Path);
            lines.Edit(copy);
            Move(copy, move.Words.Where(setting => setting.Setting.Path == source.Path));
            if (!isDropIn)
                Prepare(copy);
            else
                Overrule(copy);
            InstallSection.Remove(copy);
            KeepNames(copy);
            string file = source.Path[(source.Path.LastIndexOf('/') + 1)..];
            files.Add(isDropIn ? $"{wishes.UnitFolder}/{name}.d/{file}" : $"{wishes.UnitFolder}/{name}", copy.ToText());
            if (isDropIn)
                files.Remove(source);
        }
    }

    private void Move(UnitFile copy, IEnumerable<PortSetting> settings)
    {
        string host = move.To.Text[..move.To.Text.LastIndexOf(':')];
        foreach (IGrouping<UnitItem, PortSetting> line in settings.GroupBy(setting => setting.Setting.Item))
        {
            UnitItem item = copy.Items.First(other => other.Line == line.Key.Line);
            UnitItem changed = item;
            foreach (PortSetting setting in line.OrderByDescending(setting => setting.Index))
            {
                string own = setting.Host is { } given && !PortFinder.IsAnywhere(given) && s_loopbacks.Contains(given) ? given : host;
                string word = setting.For(setting.Port is null ? own.Trim('[', ']') : own, move.To.Port);
                if (setting.Port is null && own == setting.Host)
                    continue;
                changed = UnitWord.Replace(changed, setting.Index, word);
                Notes.Add($"{setting.Name} of the daemon is {word[setting.Before.Length..]} now");
            }
            copy.Replace(item, changed with { Line = item.Line });
        }
    }

    private void Prepare(UnitFile copy)
    {
        string number = move.To.Port.ToString(CultureInfo.InvariantCulture);
        if (wishes.PortVariable is { } variable && !move.Words.Any(setting => setting.Name == $"Environment={variable}"))
            AddVariable(copy, $"{variable}={number}");
        MigrationFiles.SetNew(copy, "Unit", "StartLimitIntervalSec", "0");
        if (!wishes.IsResident)
            MigrationFiles.SetNew(copy, "Unit", "StopWhenUnneeded", "yes");
        copy.Set("Service", "Restart", "no");
    }

    /// <summary>A drop-in comes after the unit, and may bring back what the unit no longer has.</summary>
    private static void Overrule(UnitFile copy)
    {
        if (copy.Assignments.Any(a => a is { Section: "Service", Item.Name: "Restart" }))
            copy.Set("Service", "Restart", "no");
        if (copy.Assignments.Any(a => a is { Section: "Unit", Item.Name: "StartLimitIntervalSec" }))
            copy.Set("Unit", "StartLimitIntervalSec", "0");
    }

    /// <summary>What an EnvironmentFile= sets, Environment= can't change; systemd.exec(5).</summary>
    private void AddVariable(UnitFile copy, string assignment)
    {
        string name = assignment.Split('=')[0];
        bool isInFile = UnitEnvironment.NamesInFiles(service, seen.FileOf).Contains(name);
        UnitItem command = copy.Assignments.Last(a => a.Item is { Name: "ExecStart", Value.Length: > 0 }).Item;
        if (!isInFile)
        {
            copy.InsertBefore(command, UnitFile.Assignment("Environment", assignment));
            return;
        }
        ExecCommand daemon = ExecLine.Parse(command.Value)[0];
        if (daemon.Prefixes.Contains('@', StringComparison.Ordinal) || command.Value.TrimStart('-', ':', '+', '!')[0] is '"' or '\'')
        {
            throw new NotUnderstoodException($"{name} is set by an EnvironmentFile=, and env(1), which could put another in, can't stand before"
                + $" '{command.Value}'; expected a program without quotes and without '@'");
        }
        foreach (UnitItem line in copy.Assignments.Select(a => a.Item).Where(item => item.Name.StartsWith("Exec", StringComparison.Ordinal)).ToArray())
        {
            string raw = WithValue(line.Raw, name, assignment[(name.Length + 1)..]);
            if (line.Line == command.Line)
                raw = raw.Insert(raw.IndexOf(ExecLine.Parse(command.Value)[0].Executable, StringComparison.Ordinal), $"/usr/bin/env {assignment} ");
            if (raw != line.Raw)
                copy.Replace(line, line with { Raw = raw });
        }
        Notes.Add($"{name} is set by an EnvironmentFile=, which comes after Environment=: env(1) puts the new one in");
    }

    /// <summary>systemd fills in variables before env(1) runs: <c>${NAME}</c> anywhere, <c>$NAME</c> as a word of its own; systemd.service(5).</summary>
    private static string WithValue(string raw, string name, string value)
    {
        string braced = $"${{{name}}}", bare = $"${name}";
        for (int at = raw.IndexOf('$', StringComparison.Ordinal); at >= 0 && at + 1 < raw.Length; at = raw.IndexOf('$', at + 1))
        {
            // Two of them stand for one that is no variable's.
            if (raw[at + 1] == '$')
                at++;
            else if (raw.AsSpan(at).StartsWith(braced, StringComparison.Ordinal))
                raw = string.Concat(raw.AsSpan(0, at), value, raw.AsSpan(at + braced.Length));
            else if (raw.AsSpan(at).StartsWith(bare, StringComparison.Ordinal) && char.IsWhiteSpace(raw[at - 1])
                && (at + bare.Length == raw.Length || char.IsWhiteSpace(raw[at + bare.Length])))
                raw = string.Concat(raw.AsSpan(0, at), value, raw.AsSpan(at + bare.Length));
        }
        return raw;
    }

    /// <summary>Specifiers that stand for the unit's name go on standing for the old one: its folders of state are called by it.</summary>
    private void KeepNames(UnitFile copy)
    {
        // podman-auto-update(1) restarts the unit that it names, which is to be the container's.
        static bool IsOwn(UnitItem item) => item.Raw.Contains("PODMAN_SYSTEMD_UNIT=", StringComparison.Ordinal);
        IEnumerable<UnitItem> named = copy.Items.Where(item => item.Kind == UnitItemKind.Assignment && item.Raw.Contains('%', StringComparison.Ordinal));
        foreach (UnitItem item in named.Where(item => !IsOwn(item)).ToArray())
        {
            string raw = item.Raw;
            for (int at = raw.IndexOf('%', StringComparison.Ordinal); at >= 0 && at + 1 < raw.Length; at = raw.IndexOf('%', at + 2))
            {
                string? name = raw[at + 1] switch
                {
                    'n' => service.Name,
                    'N' or 'p' or 'P' => Stem,
                    _ => null,
                };
                if (name is not null)
                    raw = string.Concat(raw.AsSpan(0, at), name, raw.AsSpan(at + 2));
                if (at + 2 > raw.Length)
                    break;
            }
            if (raw != item.Raw)
                copy.Replace(item, item with { Raw = raw });
        }
    }
}
