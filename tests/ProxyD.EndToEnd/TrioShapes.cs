namespace ProxyD.EndToEnd;

/// <summary>How one of the trios in the folder Trios is run: what stands in for its foreign program, and what it can do.</summary>
internal sealed record TrioShape
{
    /// <summary>The folder of the unit files.</summary>
    public required string Folder { get; init; }

    /// <summary>The public address.</summary>
    public required string Address { get; init; }

    /// <summary>The backend's unit.</summary>
    public required string Backend { get; init; }

    /// <summary>What is run instead of the backend's own program, listening on the same address; null when it needs none.</summary>
    public string? StandIn { get; init; }

    /// <summary>The user as whom the backend runs, to be made in the lab.</summary>
    public string? User { get; init; }

    /// <summary>The instance, for templates.</summary>
    public string Instance { get; init; } = "";

    /// <summary>The units to stop so that the next client finds all cold; none where stopping makes the public port go too.</summary>
    public string[] Stop { get; init; } = [];

    public static IReadOnlyDictionary<string, TrioShape> All { get; } = new TrioShape[]
    {
        new()
        {
            Folder = "brainstorm", Address = "127.0.0.1:8080", Backend = "brainstorm-backend.service",
            Stop = ["brainstorm-backend.service"],
        },
        // PartOf= on the socket: the port goes with the proxy, so there is nobody to ask after a stop.
        new() { Folder = "brainstorm-partof", Address = "127.0.0.1:8080", Backend = "brainstorm-backend.service" },
        new()
        {
            Folder = "ollama", Address = "127.0.0.1:11434", Backend = "ollama.service", User = "ollama", StandIn = Python("11435"),
        },
        new()
        {
            Folder = "template", Address = "/run/app/8001.sock", Backend = "app-backend@8001.service", Instance = "8001",
            Stop = ["app-backend@8001.service"],
        },
        new()
        {
            Folder = "netns", Address = "127.0.0.1:8090", Backend = "qbittorrent.service", StandIn = Python("8090"),
            Stop = ["qbittorrent.service"],
        },
        new()
        {
            Folder = "localai", Address = "127.0.0.1:8080", Backend = "localai.service", StandIn = Python("18081"),
            Stop = ["localai.service"],
        },
        new()
        {
            Folder = "jellyfin-accept", Address = "127.0.0.1:8096", Backend = "jellyfin-server.service",
            StandIn = Python("/run/jellyfin/web.sock"), Stop = ["jellyfin-server.service"],
        },
        // The hook stays active after it has started the backend: it has to go too, or nobody would start the backend again.
        new()
        {
            Folder = "minecraft", Address = "127.0.0.1:25565", Backend = "minecraft.service", User = "minecraft",
            StandIn = Python("25575"), Stop = ["minecraft.service", "minecraft-hook.service"],
        },
    }.ToDictionary(shape => shape.Folder);

    private static string Python(string address) => $"/usr/bin/python3 /srv/python/server.py {address}";
}
