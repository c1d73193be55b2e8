namespace ProxyD.EndToEnd;

/// <summary>Users of the lab, and what they may do.</summary>
internal static class LabUsers
{
    /// <summary>Makes a system user with a home in /srv, unless there is one of that name.</summary>
    public static void AddUser(this Lab lab, string user)
    {
        if (lab.Run("id", user).ExitCode != 0)
            lab.Run("useradd", "--system", "--create-home", "--home-dir", $"/srv/{user}", user).Expect();
    }

    /// <summary>Runs a program inside the lab as this user, unprivileged.</summary>
    public static CommandResult RunAs(this Lab lab, string user, params IEnumerable<string> command) =>
        lab.Run(["runuser", "-u", user, "--", .. command]);

    /// <summary>Installs the polkit rule of deploy/polkit for a user and a unit, as its head says; polkitd is left to notice it.</summary>
    public static LabFile AddPolkitRule(this Lab lab, string user, string unit)
    {
        lab.RequireInside("/usr/lib/polkit-1/polkitd");
        return new LabFile(lab, $"/etc/polkit-1/rules.d/50-proxyd-{user}.rules", Template("50-proxyd.rules", user, unit));
    }

    /// <summary>Installs the bus policy of deploy/polkit, without which only root may freeze and thaw.</summary>
    public static LabFile AddFreezePolicy(this Lab lab, string user) =>
        new(lab, $"/etc/dbus-1/system.d/proxyd-freeze-{user}.conf", Template("proxyd-freeze.conf", user, unit: ""));

    private static string Template(string name, string user, string unit) =>
        File.ReadAllText(Lab.DeployFile($"polkit/{name}"))
            .Replace("@USER@", user, StringComparison.Ordinal)
            .Replace("@UNIT@", unit, StringComparison.Ordinal);
}

/// <summary>A file of the lab that goes away with the test.</summary>
internal sealed class LabFile : IDisposable
{
    private readonly string _path;

    public LabFile(Lab lab, string path, string text)
    {
        _path = lab.PathOf(path);
        lab.Write(path, text);
    }

    public void Dispose() => File.Delete(_path);
}
