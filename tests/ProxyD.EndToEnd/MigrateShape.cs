namespace ProxyD.EndToEnd;

/// <summary>What is handed to migrate: files by their places in a system, and how to ask what runs behind them.</summary>
internal sealed record MigrateShape
{
    /// <summary>In Migrations, a view of a system's root; or in Trios, unit files.</summary>
    public required string Folder { get; init; }

    /// <summary>Where clients come.</summary>
    public required string Address { get; init; }

    /// <summary>The public socket's unit; empty for a plain service.</summary>
    public string Socket { get; init; } = "";

    /// <summary>The plain service; empty for a trio.</summary>
    public string Service { get; init; } = "";

    /// <summary>What else migrate is told.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>The files by their absolute paths.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>A user that the units name.</summary>
    public string? User { get; init; }

    public static IReadOnlyList<MigrateShape> All { get; } =
    [
        Trio("wrapper", "127.0.0.1:8301", "atlas.socket"),
        Trio("inline", "127.0.0.1:8302", "bell.socket"),
        Trio("waiting-hook", "127.0.0.1:8303", "choir.socket"),
        Trio("commands", "127.0.0.1:8304", "dial.socket"),
        Trio("drop-ins", "127.0.0.1:8305", "echo.socket"),
        Trio("instances", "127.0.0.1:8306", "fern@8306.socket"),
        Trio("accept", "127.0.0.1:8307", "grove.socket"),
        Trio("wrong-type", "127.0.0.1:8308", "hatch.socket"),
        Trio("unix", "127.0.0.1:8309", "inlet.socket"),
        Trio("two-sockets", "127.0.0.1:8310", "jetty.socket"),
        Plain("plain-port", "127.0.0.1:8311", "kiln.service"),
        Plain("plain-argument", "127.0.0.1:8312", "loom.service"),
        Plain("plain-file", "127.0.0.1:8313", "mill.service", "--public=127.0.0.1:8313", "--port-variable=PORT"),
    ];

    /// <summary>One of the trios of <see cref="TrioShape"/>, with systemd-socket-proxyd in it.</summary>
    public static MigrateShape OfTrio(string folder)
    {
        TrioShape shape = TrioShape.All[folder];
        UnitFiles files = UnitFiles.OfIncumbent(folder);
        if (shape.StandIn is not null)
            files = files.WithExecStart(shape.Backend, shape.StandIn);
        string socket = files.Texts.Keys.Single(name => name.EndsWith(".socket", StringComparison.Ordinal));
        return new()
        {
            Folder = folder,
            Address = shape.Address,
            Socket = socket.Replace("@.", $"@{shape.Instance}.", StringComparison.Ordinal),
            User = shape.User,
            Files = files.Texts.ToDictionary(file => $"/etc/systemd/system/{file.Key}", file => file.Value),
        };
    }

    private static MigrateShape Trio(string folder, string address, string socket) =>
        new() { Folder = folder, Address = address, Socket = socket, Files = Read(folder) };

    private static MigrateShape Plain(string folder, string address, string service, params string[] options) => new()
    {
        Folder = folder,
        Address = address,
        Service = service,
        Options = options,
        Files = Read(folder),
    };

    private static Dictionary<string, string> Read(string folder)
    {
        string root = Lab.Source($"Migrations/{folder}");
        return Directory.GetFiles(root, "*", SearchOption.AllDirectories).ToDictionary(path => path[root.Length..], File.ReadAllText);
    }
}
