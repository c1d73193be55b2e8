using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>Who reads a generated file, and so where it belongs.</summary>
internal enum FileHome
{
    /// <summary>systemd: a unit file, or a drop-in in a folder of its own.</summary>
    Unit,

    /// <summary>systemd-sysusers(8), which makes the user.</summary>
    Sysusers,

    /// <summary>polkitd, which allows the user what it needs.</summary>
    Polkit,
}

/// <summary>A file of a new trio.</summary>
/// <param name="Name">Below its home: a file's name, or <c>UNIT.d/NAME</c>.</param>
internal sealed record GeneratedFile(FileHome Home, string Name, string Text);

/// <summary>Writes the units of a trio that has none of the known traps, each line that matters with its reason.</summary>
internal sealed class TrioFiles(TrioRequest request)
{
    internal const string OftenReason = "It may start as often as clients come; by default systemd gives up at the sixth start within ten seconds.";

    internal const string RestartReason = "It is started when somebody needs it: a restart of its own would bring it back when it has gone to sleep.";

    /// <summary>Of the drop-in for a unit that is there already.</summary>
    /// <summary>What the polkit rule of a trio is called.</summary>
    internal static string RuleName(string name) => $"50-proxyd-{name}.rules";

    internal const string DropInName = "50-proxyd.conf";

    /// <summary>What no daemon behind a port does, and what takes nothing from one that does unusual things.</summary>
    private const string BackendLosesCapabilities = "~CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_TIME CAP_SYSLOG";

    /// <summary>All files, in the order in which a reader wants them.</summary>
    /// <param name="request">Without a problem.</param>
    /// <param name="existing">What the backend's unit says, if it is there already.</param>
    internal static IReadOnlyList<GeneratedFile> Of(TrioRequest request, ExistingUnit? existing)
    {
        TrioFiles trio = new(request);
        List<GeneratedFile> files = [new(FileHome.Unit, request.Socket, trio.Socket()), new(FileHome.Unit, request.Proxy, trio.Proxy())];
        if (request.Command is { } command)
            files.Add(new(FileHome.Unit, request.BackendUnit, trio.Backend(command)));
        else if ((existing ?? ExistingUnit.Unseen).DropIn(request.IsPlain) is { } dropIn)
            files.Add(new(FileHome.Unit, $"{request.BackendUnit}.d/{DropInName}", dropIn));
        if (request.ProxyUser is { } user)
        {
            files.Add(new(FileHome.Sysusers, $"{user}.conf", SysusersText.Text(user, request.Name)));
            if (!request.IsPlain)
            {
                string rule = PolkitRuleText.Text(user, request.BackendUnit, stops: request.IdleStop is not null);
                files.Add(new(FileHome.Polkit, RuleName(request.Name), rule));
            }
        }
        return files;
    }

    private string Socket() => new UnitWriter()
        .Section("Unit")
        .Set("Description", $"{request.Name} (public address)")
        .Because("No PartOf= or BindsTo= here: the address must go on listening when the proxy stops.")
        .Section("Socket")
        .Set("ListenStream", UnitQuoting.Value(request.Public.Listen))
        .SetIf(request.Name.Contains(':', StringComparison.Ordinal), "FileDescriptorName", request.ProxyFolder,
            "By default its own name, whose colon would end it: systemd puts colons between the names of sockets (sd_listen_fds(3)).")
        .SetIf(request.Public.IsOfOneInterface, "FreeBind", "yes", "At boot the machine may get this address later than this socket.")
        .SetIf(request.Public.Folder is not null, "SocketMode", "0666",
            "Everybody may connect, as to a port. SocketMode=0660 with SocketGroup= would let in a group only.")
        .SetIf(request.Public.Folder is not null, "RemoveOnStop", "yes", "Who comes when it is stopped is told that nobody listens.")
        .Section("Install")
        .Set("WantedBy", "sockets.target")
        .ToString();

    private string Proxy()
    {
        UnitWriter unit = new UnitWriter().Section("Unit").Set("Description", $"{request.Name} (proxy)");
        if (request.IsPlain)
        {
            unit.Set("Upholds", request.BackendUnit,
                "While the proxy runs, systemd keeps the backend up (systemd 249): it starts it beside the proxy, which holds the client until it answers,"
                + " and again whenever it ends. Without After= nothing waits inside systemd; unlike BindsTo=, a backend that fails takes neither the proxy"
                + " nor the socket down.");
        }
        else
        {
            unit.Because("No tie to the backend: proxyd starts it over D-Bus for the first client, and stays whatever becomes of it.");
        }
        unit.Set("StartLimitIntervalSec", "0", "By default the sixth start within ten seconds fails, and the socket fails with it: the address would be dead.")
            .Section("Service")
            .Set("Type", "notify")
            .Set("ExecStart", UnitQuoting.Command(ProxyCommand()), ProxyReason());
        Identity(unit);
        unit.Set("RuntimeDirectory", request.ProxyFolder, "Where proxyd status asks it.")
            .Set("RuntimeDirectoryMode", "0700")
            .Because($"It opens sockets{(request.IsPlain ? "" : ", the bus among them,")} and does nothing else.");
        foreach ((string key, string value) in ProxyHardening.Settings(request.IsUser))
            unit.Set(key, value);
        return unit.ToString();
    }

    private void Identity(UnitWriter unit)
    {
        if (request.IsUser)
            return;
        if (request.ProxyUser is not { } user)
            unit.Set("DynamicUser", "yes", "A user that exists only while it runs.");
        else if (request.IsPlain)
            unit.Set("User", user, "A user of its own, made by sysusers.d, which the backend's socket lets in.");
        else
            unit.Set("User", user, "A user of its own, made by sysusers.d, whom a polkit rule allows this one backend. The bus turns DynamicUser= away.");
        unit.SetIf(request.LentGroup is not null, "SupplementaryGroups", request.LentGroup ?? "",
            "The backend's own group, which may write to its socket: that is what connecting takes.");
    }

    private List<string> ProxyCommand()
    {
        List<string> words = [request.Proxyd, request.BackendAddress.Text, $"--wait-bind={request.WaitBind}"];
        if (request.Ready is { } ready)
            words.Add($"--ready={ready}");
        if (!request.IsPlain)
            words.Add($"--backend-unit={request.BackendUnit}");
        if (!request.IsPlain && request.IsUser)
            words.Add("--user");
        if (request.IdleStop is { } time)
            words.Add($"{(request.IsPlain ? "--exit-idle-time" : "--backend-idle-stop")}={time}");
        return words;
    }

    private string ProxyReason()
    {
        string wait = request.WaitBind.Trim() == "infinity"
            ? "A client waits for the backend as long as it likes."
            : $"A client waits {request.WaitBind} for the backend, and is reset then.";
        return request.IdleStop is null
            ? $"{wait} The backend runs until it ends by itself; --backend-idle-stop=TIME would stop it when nobody is connected."
            : $"{wait} After {request.IdleStop} without connections {(request.IsPlain ? "both go" : "the backend goes")} to sleep.";
    }

    private string Backend(IReadOnlyList<string> command)
    {
        // The proxy runs as another user, and to connect(2) to a Unix socket takes the right to write to it (unix(7)).
        bool isShared = request.BackendAddress.Path is not null && request.ProxyUser is not null;
        UnitWriter unit = new UnitWriter()
            .Section("Unit")
            .Set("Description", $"{request.Name} (backend)")
            .SetIf(request.IsPlain, "StopWhenUnneeded", "yes", "Stopped when the proxy has gone: nothing else needs it.")
            .Set("StartLimitIntervalSec", "0", OftenReason)
            .Section("Service")
            .Set("Type", "exec", "Its start fails at once when the command can't be run.")
            .SetIf(request.Environment.Count > 0, "Environment", string.Join(' ', request.Environment.Select(UnitQuoting.Word)))
            .Set("ExecStart", UnitQuoting.Command(command),
                $"It must listen on {request.BackendAddress.Text} and stay in the foreground. No shell runs it; a % or $ of its own is written twice here.")
            .Set("Restart", "no", RestartReason);
        if (request.BackendFolder is { } folder)
        {
            unit.Set("RuntimeDirectory", UnitQuoting.Word(folder),
                "Where its socket is: made before it starts, and gone with it, so that no old socket is in its way.");
        }
        unit.SetIf(isShared && request.LentGroup is null, "Group", request.ProxyUser ?? "",
                "The proxy is of this group, and must be allowed to write to the socket: that is what connecting takes.")
            .SetIf(isShared, "UMask", "0007", request.LentGroup is null ? null : "The proxy is in its group, which must be allowed to write to the socket.");
        if (!request.IsUser)
        {
            unit.SetIf(request.RunAs is not null, "User", request.RunAs!);
            if (request.RunAs is null)
                unit.Because("It runs as root. Better a user of its own, if it can do with one: User=NAME, or DynamicUser=yes.");
            unit.Set("CapabilityBoundingSet", BackendLosesCapabilities,
                "No daemon behind a port needs these. What it does need, only its author knows: see systemd.exec(5).");
        }
        return unit.Because($"No [Install]: only {(request.IsPlain ? "the proxy" : "proxyd")} starts it.").ToString();
    }
}
