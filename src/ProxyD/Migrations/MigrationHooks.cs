using ProxyD.Shell;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>Units and commands between the proxy and its backend that only start it or wait for it: what they did becomes a tie of the proxy's.</summary>
internal sealed class MigrationHooks(MigrationTrio trio, MigrationFiles files)
{
    /// <summary>What a hook may say without anybody missing it.</summary>
    private static readonly string[] s_plain =
    [
        "Description", "Documentation", "Type", "RemainAfterExit", "TimeoutStartSec", "TimeoutSec", "TimeoutStopSec", "DefaultDependencies",
        "ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "StartLimitIntervalSec", "StartLimitBurst", "User", "Environment",
        "StopWhenUnneeded", "SyslogIdentifier", "StandardOutput", "StandardError", "RefuseManualStart",
    ];

    /// <summary>What it names, the proxy can name itself.</summary>
    private static readonly string[] s_ties = ["Requires", "BindsTo", "Wants", "Upholds", "Requisite", "After", "PartOf"];

    internal List<string> Notes { get; } = [];

    /// <summary>Hook units that are gone.</summary>
    internal List<string> Removed { get; } = [];

    /// <summary>Units that systemctl started, and that the proxy's own ties start now.</summary>
    internal List<string> Started { get; } = [];

    /// <summary>One of those ties binds the proxy to the backend.</summary>
    internal bool TiesFirmly { get; private set; }

    internal bool IsHook(Unit unit) => trio.Hooks.Any(hook => hook.Name == unit.Name);

    /// <param name="taken">The guards that proxyd stands in for.</param>
    /// <param name="backend">The unit that serves.</param>
    /// <exception cref="NotUnderstoodException">A hook does something that would be lost.</exception>
    internal void Dissolve(IReadOnlyList<GuardSite> taken, Unit? backend)
    {
        foreach (Unit hook in trio.Hooks)
        {
            if (WhyNot(hook, taken) is { } why)
                Keep(hook, taken, why);
            else
                Dissolve(hook);
        }
        DissolveCommands(backend);
    }

    /// <summary>Why a hook must stay; null when its work can be the proxy's.</summary>
    private string? WhyNot(Unit hook, IReadOnlyList<GuardSite> taken)
    {
        (string Section, UnitItem Item)[] assignments = [.. hook.Sources.SelectMany(source => source.Assignments)];
        UnitItem? stranger = assignments.FirstOrDefault(a => a.Section != "Install" && !s_plain.Contains(a.Item.Name) && !s_ties.Contains(a.Item.Name)).Item;
        if (stranger is not null)
            return $"it has {stranger.Name}=";
        if (assignments.Any(a => a.Section == "Install"))
            return "it has [Install]";
        if (trio.OthersNaming(hook.Name, [hook, trio.Service]).FirstOrDefault() is { } other)
            return $"{other} names it";
        foreach (GuardSite site in ((string[])["ExecStartPre", "ExecStart", "ExecStartPost"]).SelectMany(key => trio.Read(hook, key)))
        {
            bool isTaken = taken.Any(guard => guard.Setting == site.Setting);
            if (!isTaken && (site.Reading.Starts.Count == 0 || site.Reading.Other is not null))
                return $"it also runs '{GuardRun.Shorten(site.Setting.Value)}'";
        }
        return StopsOther(hook);
    }

    /// <summary>Whether what runs at a hook's end is more than stopping what it has started.</summary>
    private string? StopsOther(Unit hook)
    {
        foreach ((ExecCommand command, Setting setting) in ((string[])["ExecStop", "ExecStopPost"]).SelectMany(hook.Commands))
        {
            if (StoppedBy(command) is not { } stopped || !trio.StartedBy(hook).Contains(stopped))
                return $"it also runs '{GuardRun.Shorten(setting.Value)}'";
        }
        return null;
    }

    private static string? StoppedBy(ExecCommand command)
    {
        string[] words = [.. command.Arguments.Where(argument => !argument.StartsWith('-'))];
        if (command.FileName != "systemctl" || words is not ["stop", var unit])
            return null;
        return unit.Contains('.', StringComparison.Ordinal) ? unit : $"{unit}.service";
    }

    private void Dissolve(Unit hook)
    {
        List<string> starts = [.. trio.StartedBy(hook)];
        foreach (string key in s_ties)
        {
            List<string> named = [.. hook.List("Unit", key).Select(entry => entry.Word).Where(word => !MinimalForm.IsNamed(word, trio.Service))];
            bool isStarting = key is not ("After" or "PartOf");
            List<string> heirs = [.. isStarting || key == "After" ? starts : [], .. named];
            if (files.ReplaceWord(trio.Service, key, word => MinimalForm.IsNamed(word, hook), heirs))
            {
                TiesFirmly |= key is "Requires" or "BindsTo" or "Requisite" && starts.Count + named.Count > 0;
                continue;
            }
            // What the hook wanted itself, as a timer that stops the backend, is the proxy's to want.
            foreach (string word in key == "PartOf" ? [] : named.Where(word => !trio.Service.List("Unit", key).Any(entry => entry.Word == word)))
                AddWord(key, word);
        }
        Started.AddRange(starts);
        foreach ((ExecCommand command, _) in ((string[])["ExecStop", "ExecStopPost"]).SelectMany(hook.Commands))
            StopWhenUnneeded(StoppedBy(command)!);
        foreach (UnitFile source in hook.Sources)
            files.Remove(source);
        Removed.Add(hook.Name);
        IEnumerable<string> heirsNames = starts.Concat(hook.List("Unit", "Requires").Select(entry => entry.Word)).Distinct();
        Notes.Add($"{hook.Name} is dissolved: {trio.Service.Name} names {string.Join(" and ", heirsNames)} itself");
    }

    private void AddWord(string key, string word)
    {
        UnitFile file = files.Editable(trio.Service.Sources[0]);
        UnitItem? line = file.Assignments.LastOrDefault(a => a.Section == "Unit" && a.Item.Name == key).Item;
        MigrationFiles.SetNew(file, "Unit", key, line is null ? word : $"{line.Value} {word}");
    }

    private void Keep(Unit hook, IReadOnlyList<GuardSite> taken, string why)
    {
        List<GuardSite> lines = [.. taken.Where(site => site.Unit.Name == hook.Name)];
        bool isEmptied = hook.All("Service", "ExecStart").All(setting => lines.Any(site => site.Setting == setting));
        if (lines.Count > 0 && isEmptied)
            throw new NotUnderstoodException($"{hook.Name} waits for the backend and can't be dissolved: {why}");
        foreach (GuardSite site in lines)
            files.Remove(hook, site.Setting);
        Notes.Add($"{hook.Name} stays{(lines.Count > 0 ? ", without its guard" : "")}: {why}");
    }

    /// <summary><c>ExecStartPre=systemctl start</c> of the proxy or of its wrapper, and the <c>stop</c> that goes with it.</summary>
    private void DissolveCommands(Unit? backend)
    {
        Unit service = trio.Service;
        List<string> starts = [.. trio.Main.Starts];
        foreach (GuardSite site in ((string[])["ExecStartPre", "ExecStartPost"]).SelectMany(key => trio.Read(service, key)))
        {
            if (site.Reading.Starts.Count == 0)
                continue;
            if (site.Reading.Other is { } other)
            {
                throw new NotUnderstoodException($"{MigrationTrio.Where(site.Setting)}: {site.Key}= starts {site.Reading.Starts[0]}, and {other};"
                    + " that can't be taken over");
            }
            starts.AddRange(site.Reading.Starts);
            files.Remove(service, site.Setting);
        }
        foreach (string started in starts.Distinct().Where(name => trio.Find(name) is not null))
        {
            Started.Add(started);
            foreach (string key in (string[])["BindsTo", "After"])
            {
                if (!service.List("Unit", key).Any(entry => entry.Word == started))
                    AddWord(key, started);
            }
            TiesFirmly |= started == backend?.Name;
            Notes.Add($"systemctl start {started} is BindsTo={started} of {service.Name} now");
        }
        foreach ((ExecCommand command, Setting setting) in ((string[])["ExecStop", "ExecStopPost"]).SelectMany(service.Commands))
        {
            if (StoppedBy(command) is not { } stopped || !Started.Contains(stopped))
                continue;
            files.Remove(service, setting);
            StopWhenUnneeded(stopped);
        }
    }

    private void StopWhenUnneeded(string name)
    {
        if (trio.Find(name) is not { } unit || unit.IsTrue("Unit", "StopWhenUnneeded"))
            return;
        files.Set(unit, "Unit", "StopWhenUnneeded", "yes");
        Notes.Add($"systemctl stop {name} is StopWhenUnneeded=yes of {name} now");
    }
}
