using ProxyD.Interop;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>What a new trio is to be: a public socket, the proxy it starts, and the backend that the proxy wakes.</summary>
internal sealed record TrioRequest
{
    /// <summary>UNIT_NAME_MAX of systemd (systemd.unit(5)).</summary>
    private const int UnitNameMaxLength = 255;

    /// <summary>LOGIN_NAME_MAX of Linux is 32 with its closing zero; systemd keeps to it (sysusers.d(5)).</summary>
    private const int UserNameMaxLength = 31;

    private const string UserSuffix = "-proxy";

    /// <summary>Folders that <c>ProtectHome=</c> hides (systemd.exec(5)).</summary>
    private static readonly string[] s_homes = ["/home/", "/root/", "/run/user/"];

    /// <summary>What the socket and the proxy are called.</summary>
    internal required string Name { get; init; }

    internal required PublicAddress Public { get; init; }

    /// <summary>Where the backend listens.</summary>
    internal required Address BackendAddress { get; init; }

    /// <summary>The backend's command, program first; null when the unit is there already.</summary>
    internal IReadOnlyList<string>? Command { get; init; }

    /// <summary>The environment of <see cref="Command"/>, as NAME=VALUE.</summary>
    internal IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>As whom <see cref="Command"/> runs; null for root.</summary>
    internal string? RunAs { get; init; }

    /// <summary>The primary group of <see cref="RunAs"/>; null where it isn't known, as for a user of another machine.</summary>
    internal string? RunAsGroup { get; init; }

    /// <summary>The full name of a unit that is there already and is to be the backend; null with <see cref="Command"/>.</summary>
    internal string? Existing { get; init; }

    /// <summary>After how long without connections the backend is stopped, as systemd.time(7) writes it; null for never.</summary>
    internal string? IdleStop { get; init; }

    /// <summary>How long a client waits for the backend.</summary>
    internal string WaitBind { get; init; } = "5s";

    /// <summary>The value of <c>--ready=</c>; null when connecting is proof enough.</summary>
    internal string? Ready { get; init; }

    /// <summary>Of a user manager, with the user's rights, rather than of the system.</summary>
    internal bool IsUser { get; init; }

    /// <summary>systemd keeps the backend up while the proxy runs, and both go to sleep; otherwise the proxy stays and owns the backend.</summary>
    internal bool IsPlain { get; init; }

    /// <summary>Where proxyd is.</summary>
    internal required string Proxyd { get; init; }

    internal string Socket => Name + ".socket";

    internal string Proxy => Name + ".service";

    internal string BackendUnit => Existing ?? Name + "-backend.service";

    /// <summary>The user that proxyd runs as, made by sysusers.d(5); null where it needs none of its own.</summary>
    /// <remarks>A resident one asks the bus, which turns DynamicUser= away, and a Unix socket of the backend is given to its group.</remarks>
    internal string? ProxyUser => IsUser || (IsPlain && BackendAddress.Path is null) ? null : UserName(Name);

    /// <summary>The backend's own group, which the proxy joins to connect to its Unix socket; null where there is none to join.</summary>
    /// <remarks>The other way round, the backend in the proxy's group, it would lose its own, and with it the files that it may read by that. Root has
    /// nothing to lose, and its group is not for others.</remarks>
    internal string? LentGroup =>
        Command is not null && BackendAddress.Path is not null && ProxyUser is not null && (RunAsGroup ?? RunAs) is { } group and not "root" ? group : null;

    /// <summary>Below /run (a user's: below its runtime folder), without a leading slash: where the backend's socket is; null when nowhere there.</summary>
    internal string? BackendFolder => BelowRun(System.IO.Path.GetDirectoryName(BackendAddress.Path), IsUser);

    /// <summary>The proxy's own folder there, for its control socket. Not just <see cref="Name"/>: that is often the daemon's, and so is its folder.</summary>
    internal string ProxyFolder => UserName(Name);

    /// <summary>What can't be, and what would be right; null when all is well.</summary>
    internal string? Problem() => NameProblem(Name) ?? AddressProblem() ?? BackendProblem() ?? ShapeProblem();

    /// <summary>A user's name is narrower than a unit's: small letters, digits, dashes and underscores, and no digit first (sysusers.d(5)).</summary>
    /// <remarks>A name that doesn't fit as it is bears a mark of the whole, or web.api and web-api would be one user with one folder.</remarks>
    internal static string UserName(string name)
    {
        string plain = string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '-'));
        string first = char.IsAsciiLetter(plain[0]) || plain[0] == '_' ? plain : "p" + plain;
        int room = UserNameMaxLength - UserSuffix.Length;
        if (first == name && first.Length <= room)
            return first + UserSuffix;
        string mark = $"-{Mark(name):x6}";
        return first[..Math.Min(first.Length, room - mark.Length)] + mark + UserSuffix;
    }

    /// <summary>24 bits that are the same on every machine and in every version: FNV-1a, its ends laid over each other.</summary>
    private static uint Mark(string name)
    {
        uint hash = 2166136261;
        foreach (char c in name)
            hash = unchecked((hash ^ c) * 16777619);
        return (hash >> 24) ^ (hash & 0xffffff);
    }

    private static string? NameProblem(string name)
    {
        string wrong = $"NAME '{name}' is not accepted";
        if (name.Contains('/', StringComparison.Ordinal))
            return $"{wrong}: it is a name, not a path; expected one like web";
        if (UnitName.TypeOf(name) != UnitType.Unknown)
            return $"{wrong}: it becomes NAME.socket and NAME.service; expected '{new UnitName(name).Stem}'";
        if (name.Contains('@', StringComparison.Ordinal))
            return $"{wrong}: templates are not made; expected a name without '@'";
        if (name.Length == 0 || name[0] is '.' or '-' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_' or '.' or '\\'))
            return $"{wrong}; expected letters, digits and any of :-_.\\ as in systemd.unit(5)";
        return name.Length + "-backend.service".Length > UnitNameMaxLength ? $"{wrong}: it is too long; expected at most 239 characters" : null;
    }

    private string? AddressProblem()
    {
        if (PublicAddress.IsAny(BackendAddress))
            return $"--backend: '{BackendAddress.Text}' is every address, not one to connect to; expected one like 127.0.0.1:{BackendAddress.Port}";
        if (Public.Takes(BackendAddress))
        {
            return $"--public {Public.Listen} and --backend {BackendAddress.Text} are the same for the kernel; expected two: the backend listens"
                + " where only the proxy goes, on another port of loopback or a Unix socket of its own";
        }
        if (!IsUser && Array.Exists(s_homes, home => BackendAddress.Path?.StartsWith(home, StringComparison.Ordinal) == true))
            return $"--backend: '{BackendAddress.Text}' is where ProtectHome= lets no system service look; expected a path like {Example}";
        if (BackendFolder is { } folder && Existing is null && BelowRun(Public.Folder, IsUser) is { } other
            && (other == folder || other.StartsWith(folder + "/", StringComparison.Ordinal)))
            return $"--public {Public.Listen} is in the folder of the backend's socket, which goes when the backend stops; expected another folder";
        if (new[] { BackendFolder, BelowRun(Public.Folder, IsUser) }.Any(folder => folder == ProxyFolder))
            return $"{ProxyFolder} in the runtime folder is the proxy's own, and goes when it stops; expected a socket in another folder";
        if (RunAs is not null && BackendAddress.Path is not null && System.IO.Path.GetDirectoryName(BackendAddress.Path) == "/run")
            return $"--backend: in /run itself {RunAs} may not make a socket; expected a path like {Example}";
        return null;
    }

    private string Example => $"/run/{Name}-backend/{Name}.sock";

    private string? BackendProblem()
    {
        if (Command is null == Existing is null)
            return $"{(Command is null ? "neither --exec nor --unit says" : "--exec and --unit both say")} what the backend is; expected one of them";
        if (RunAs is not null && (Existing is not null || IsUser))
            return $"--run-as is for the unit that --exec makes for the system; expected none with {(IsUser ? "--user" : "--unit")}";
        if (RunAs is "" || RunAs?.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') == false)
            return $"--run-as: '{RunAs}' is not accepted; expected a user's name";
        if (Existing == Proxy || Existing == Socket)
            return $"NAME '{Name}' would make {Existing}, which is the backend; expected another NAME, such as {Name}-proxy";
        if (Existing is not null && UnitName.TypeOf(Existing) != UnitType.Service)
            return $"--unit: {Existing} is no service; expected one";
        if (Command is [])
            return "--exec: there are only variables in it; expected the absolute path of a program behind them, such as /usr/bin/node";
        if (Command is [not ['/', _, ..], ..])
            return $"--exec: '{Command[0]}' is no absolute path; expected one to the program, such as /usr/bin/node";
        return null;
    }

    private string? ShapeProblem()
    {
        if (!TimeSpanParser.TryParse(IdleStop ?? "infinity", out TimeSpan? idle) || !TimeSpanParser.TryParse(WaitBind, out TimeSpan? wait))
            return $"--idle-stop and --wait-bind take {TimeSpanParser.Accepted}";
        if (idle == TimeSpan.Zero)
            return "--idle-stop=0 leaves the backend no time to serve; expected a longer time";
        if (wait == TimeSpan.Zero)
            return "--wait-bind=0 gives up before the backend can be up; expected a longer time";
        if (IsPlain && idle is null)
            return "--plain keeps the backend up as long as the proxy runs, and without --idle-stop that is for ever; expected --idle-stop=TIME";
        return null;
    }

    private static string? BelowRun(string? folder, bool isUser)
    {
        string[] parts = folder?.Split('/', StringSplitOptions.RemoveEmptyEntries) ?? [];
        // A user's is /run/user/UID (systemd.unit(5), %t).
        int root = isUser ? 3 : 1;
        bool isBelow = parts.Length > root && parts[0] == "run" && (!isUser || parts[1] == "user");
        return isBelow ? string.Join('/', parts[root..]) : null;
    }
}
