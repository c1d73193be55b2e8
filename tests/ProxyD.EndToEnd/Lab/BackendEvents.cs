namespace ProxyD.EndToEnd;

/// <summary>What server.cjs or chaos.cjs wrote about its requests, over all its lives.</summary>
internal sealed class BackendEvents
{
    private readonly HashSet<string> _requests = [], _done = [];

    /// <summary>How often it was up; server.cjs does not say.</summary>
    public int Starts { get; private set; }

    /// <summary>How often it exited of its own accord.</summary>
    public int Exits { get; private set; }

    public static BackendEvents Load(string path)
    {
        BackendEvents events = new();
        foreach (string line in File.ReadLines(path))
            events.Add(line, path);
        return events;
    }

    /// <summary>Whether the backend's program saw the request.</summary>
    public bool HasSeen(string token) => _requests.Contains(token);

    /// <summary>Whether the backend gave the kernel its whole answer.</summary>
    public bool HasAnswered(string token) => _done.Contains(token);

    private void Add(string line, string path)
    {
        string[] words = line.Split(' ', 2);
        switch (words[0])
        {
            case "request":
                _requests.Add(words[1]);
                break;
            case "done":
                _done.Add(words[1]);
                break;
            case "start":
                Starts++;
                break;
            case "exit":
                Exits++;
                break;
            default:
                throw new InvalidDataException($"{path}: \"{line}\"");
        }
    }
}
