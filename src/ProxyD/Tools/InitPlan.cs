using System.Text;
using ProxyD.Machine;
using ProxyD.Rules;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tools;

/// <summary>Where the files of a new trio go.</summary>
/// <param name="Dest">One folder for all of them, or null for where each belongs.</param>
/// <param name="IsUser">The user manager's.</param>
internal sealed record InitTarget(string? Dest, bool IsUser)
{
    /// <summary>The folder of a kind of file, where the administrator's own are.</summary>
    internal string Folder(FileHome home) => Dest ?? Home(home);

    /// <summary>Where it belongs, whether it goes there or not.</summary>
    internal string Home(FileHome home) => home switch
    {
        FileHome.Sysusers => "/etc/sysusers.d",
        FileHome.Polkit => "/etc/polkit-1/rules.d",
        _ when !IsUser => "/etc/systemd/system",
        _ => Path.Combine(ConfigHome, "systemd/user"),
    };

    /// <summary>systemd.unit(5), under the search path of user units.</summary>
    private static string ConfigHome => Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is ['/', ..] set
        ? set
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
}

/// <summary>All that making a trio would change, found out before anything is changed.</summary>
/// <param name="Files">What was generated, with what is there now.</param>
/// <param name="Steps">The commands that follow the files, in order, program first.</param>
/// <param name="Notes">What else the user should know, a sentence each.</param>
/// <param name="Findings">What check would say of the trio.</param>
internal sealed record InitPlan(
    IReadOnlyList<(GeneratedFile File, FileChange Change)> Files, IReadOnlyList<string[]> Steps, IReadOnlyList<string> Notes, IReadOnlyList<Finding> Findings)
{
    /// <summary>Looks at what is there.</summary>
    /// <exception cref="ToolException">A file is in the way, or can't be read.</exception>
    internal static InitPlan Make(TrioRequest request, InitTarget target, InitSystem system)
    {
        ExistingUnit? existing = request.Existing is { } unit ? system.Look(unit) : null;
        (GeneratedFile File, FileChange Change)[] files =
        [
            .. TrioFiles.Of(request, existing)
                .Select(file => (file, FileChange.Of(Path.Combine(target.Folder(file.Home), file.Name), Encoding.UTF8.GetBytes(file.Text)))),
        ];
        Unit? backend = request.Existing is { } name ? system.Load(name) : null;
        IReadOnlyList<Finding> findings = InitCheck.Of(request, files.Select(file => (file.Change.Path, file.File)), backend);
        IEnumerable<string> told = findings.Select(finding => $"proxyd check will say of {finding.Unit} ({finding.RuleId}): {finding.Why}.");
        return new(files, target.Dest is null ? Commands(request, files, system) : [], [.. Remarks(request, target, existing, system), .. told], findings);
    }

    private static List<string[]> Commands(TrioRequest request, (GeneratedFile File, FileChange Change)[] files, InitSystem system)
    {
        string[] systemctl = request.IsUser ? ["systemctl", "--user"] : ["systemctl"];
        List<string[]> steps = [];
        bool Changes(Func<GeneratedFile, bool> which) => Array.Exists(files, f => f.Change.IsNeeded && which(f.File));
        foreach ((GeneratedFile _, FileChange change) in files.Where(f => f.File.Home == FileHome.Sysusers && f.Change.IsNeeded))
            steps.Add(["systemd-sysusers", change.Path]);
        if (Changes(file => file.Home == FileHome.Unit))
            steps.Add([.. systemctl, "daemon-reload"]);
        if (request.Existing is { } existing && system.IsEnabled(existing))
            steps.Add([.. systemctl, "disable", existing]);
        bool listens = system.IsActive(request.Socket), runs = system.IsActive(request.Proxy);
        // A socket that listens keeps its old address until it is made anew, which takes that nobody uses it.
        bool isMoved = listens && Changes(file => file.Name == request.Socket);
        if (isMoved)
            steps.Add([.. systemctl, "stop", request.Proxy, request.Socket]);
        if (isMoved || !listens || !system.IsEnabled(request.Socket))
            steps.Add([.. systemctl, "enable", "--now", request.Socket]);
        // A backend that runs is the old one, with the old command; its next client starts the new one.
        if (request.Existing is null && system.IsActive(request.BackendUnit) && Changes(file => file.Name == request.BackendUnit))
            steps.Add([.. systemctl, "stop", request.BackendUnit]);
        if (!isMoved && runs && Changes(file => file.Name == request.Proxy))
            steps.Add([.. systemctl, "try-restart", request.Proxy]);
        return steps;
    }

    /// <summary>Files that only a proxy with a user of its own has.</summary>
    private static IEnumerable<string> Left(TrioRequest request, InitTarget target)
    {
        string user = TrioRequest.UserName(request.Name);
        string[] files = [$"{target.Home(FileHome.Polkit)}/{TrioFiles.RuleName(request.Name)}", $"{target.Home(FileHome.Sysusers)}/{user}.conf"];
        return request.ProxyUser is null && !request.IsUser ? files.Where(File.Exists) : [];
    }

    private static IEnumerable<string> Remarks(TrioRequest request, InitTarget target, ExistingUnit? existing, InitSystem system)
    {
        if (request.Existing is { } unit && existing is null)
            yield return $"There is no {unit} here to look at; the drop-in is for one that restarts itself.";
        if (request.Existing is { } enabled && target.Dest is null && system.IsEnabled(enabled))
            yield return $"{enabled} is no longer started at boot, but by its first client.";
        if (request is { Existing: not null, BackendAddress.Path: { } path, ProxyUser: { } user })
        {
            yield return $"The user {user} must be allowed to write to {path}, for that is what connecting takes:"
                + $" SupplementaryGroups= in {request.Proxy} gives it a group.";
        }
        if (request is { IsPlain: true, Existing: { } running } && existing is { StopWhenUnneeded: false } && target.Dest is null && system.IsActive(running))
            yield return $"{running} runs, and no proxy needs it yet: systemd stops it at once, with the connections that it has.";
        if (request.Existing is null && target.Dest is null && system.IsActive(request.BackendUnit))
            yield return $"{request.BackendUnit} runs; where its file changes it is stopped, with the connections that it has.";
        foreach (string left in target.Dest is null ? Left(request, target) : [])
            yield return $"{left} is left from another form of {request.Name}, which needs it no more.";
        if (request is { LentGroup: not null, RunAsGroup: null })
            yield return $"There is no user {request.RunAs} here to look at; {request.Proxy} joins a group of that name to connect to the backend.";
        if (request.Command is [var program, ..] && !File.Exists(program) && target.Dest is null)
            yield return $"There is no {program} here; --install would refuse it.";
        if (!File.Exists(request.Proxyd) && target.Dest is null)
            yield return $"{request.Proxyd} is not there yet: {DaemonFile.InstallAs(request.Proxyd)}";
        if (request.IsUser && target.Dest is null && !InitSystem.Lingers)
            yield return "A user's units run only while the user is logged in, unless: loginctl enable-linger";
        if (target.Dest is null && system.OtherProgramOf(request.Proxy) is { } other)
            yield return $"{request.Proxy} is there already, and runs {other}; --install would not replace it.";
    }
}
