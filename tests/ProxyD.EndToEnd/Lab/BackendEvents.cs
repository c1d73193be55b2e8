namespace ProxyD.EndToEnd;

/// <summary>What server.cjs wrote about its requests, over all its lives.</summary>
internal sealed class BackendEvents
{
    private readonly HashSet<string> _requested = [];
    private readonly HashSet<string> _done = [];

    public static BackendEvents Load(string path)
    {
        BackendEvents events = new();
        foreach (string line in File.ReadLines(path))
        {
            string[] words = line.Split(' ', 2);
            HashSet<string> tokens = words[0] switch
            {
                "request" => events._requested,
                "done" => events._done,
                _ => throw new InvalidDataException($"{path}: \"{line}\""),
            };
            tokens.Add(words[1]);
        }
        return events;
    }

    /// <summary>Whether the backend read this request.</summary>
    public bool HasRead(string token) => _requested.Contains(token);

    /// <summary>Whether the backend gave the kernel its whole answer.</summary>
    public bool HasAnswered(string token) => _done.Contains(token);
}
