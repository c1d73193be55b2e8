namespace ProxyD.EndToEnd;

/// <summary>What server.cjs wrote about its requests, over all its lives.</summary>
internal sealed class BackendEvents
{
    private readonly HashSet<string> _done = [];

    public static BackendEvents Load(string path)
    {
        BackendEvents events = new();
        foreach (string line in File.ReadLines(path))
        {
            string[] words = line.Split(' ', 2);
            if (words[0] == "done")
                events._done.Add(words[1]);
            else if (words[0] != "request")
                throw new InvalidDataException($"{path}: \"{line}\"");
        }
        return events;
    }

    /// <summary>Whether the backend gave the kernel its whole answer.</summary>
    public bool HasAnswered(string token) => _done.Contains(token);
}
