using System.Globalization;
using ProxyD.Units;

namespace ProxyD.Trios;

/// <summary>A port of the machine that a container's is published at.</summary>
/// <param name="Index">Which word of the command line says so, the program being 0.</param>
/// <param name="Before">What stands before the address in that word: <c>--publish=</c>, or nothing.</param>
/// <param name="Host">As written; <c>*</c> when none is, for that is every address.</param>
/// <param name="Port">The machine's port.</param>
/// <param name="After">The container's own, with its colon.</param>
internal sealed record PublishedPort(int Index, string Before, string Host, int Port, string After);

/// <summary>The command line of docker-run(1), podman-run(1) and nerdctl, as far as it says where a container is reached.</summary>
/// <remarks>What its image is told, by <c>-e</c> or behind its name, is about ports inside, which nobody outside sees.</remarks>
internal static class ContainerRun
{
    private static readonly string[] s_programs = ["docker", "podman", "nerdctl"];

    /// <summary>Options of <c>run</c> that take no value.</summary>
    private static readonly string[] s_flags =
    [
        "--detach", "--init", "--interactive", "--no-healthcheck", "--oom-kill-disable", "--privileged", "--publish-all", "--quiet", "--read-only",
        "--replace", "--rm", "--rmi", "--sig-proxy", "--tty", "--no-hosts", "--no-hostname", "--env-host", "--http-proxy", "--tls-verify",
    ];

    private const string FlagLetters = "ditPq";

    /// <summary>Whether it has a program of containers run one, whatever it says of ports.</summary>
    internal static bool Is(ExecCommand command) => s_programs.Contains(command.FileName);

    /// <summary>Whether a service has a container run for it: the program that it starts itself listens on nothing, and hands no variables on.</summary>
    internal static bool IsIn(Unit service) => service.Commands("ExecStart").Any(entry => Is(entry.Command));

    /// <summary>What a container is reached at over TCP; null when it has the machine's network, and its own words say it.</summary>
    /// <param name="words">The program and its arguments.</param>
    internal static IReadOnlyList<PublishedPort>? Published(IReadOnlyList<string> words)
    {
        List<PublishedPort> ports = [];
        bool isOfMachine = false;
        int at = 1;
        while (at < words.Count && words[at] != "run")
            at++;
        for (at++; at < words.Count && words[at] is ['-', _, ..]; at++)
        {
            string word = words[at];
            int equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
            string name = equals < 0 ? word : word[..equals];
            bool isFlag = s_flags.Contains(name) || (word[1] != '-' && word.AsSpan(1).IndexOfAnyExcept(FlagLetters) < 0);
            if (isFlag)
                continue;
            // -p8080:80, -p 8080:80, --publish=8080:80
            bool isAttached = equals < 0 && word.Length > 2 && word[1] != '-' && !FlagLetters.Contains(word[1], StringComparison.Ordinal);
            string before = equals >= 0 ? word[..(equals + 1)] : isAttached ? word[..2] : "";
            if (before.Length == 0 && ++at == words.Count)
                break;
            string value = words[at][before.Length..];
            if (name is "--publish" || word.StartsWith("-p", StringComparison.Ordinal) || FlagsThenPublish(word))
                ports.AddRange(Read(at, before, value));
            isOfMachine |= name is "--network" or "--net" && value == "host";
        }
        return isOfMachine && ports.Count == 0 ? null : ports;
    }

    /// <summary>What its program finds in its environment, as far as the command line says it.</summary>
    internal static IEnumerable<(string Name, string Value)> Variables(IReadOnlyList<string> words)
    {
        for (int i = 1; i < words.Count; i++)
        {
            string word = words[i] is "-e" or "--env" ? words.ElementAtOrDefault(i + 1) ?? ""
                : words[i].StartsWith("--env=", StringComparison.Ordinal) ? words[i]["--env=".Length..] : "";
            if (word.Split('=', 2) is [var name, var value])
                yield return (name, value);
        }
    }

    /// <summary><c>-dp 8080:80</c></summary>
    private static bool FlagsThenPublish(string word) =>
        word.Length > 2 && word[^1] == 'p' && word.AsSpan(1, word.Length - 2).IndexOfAnyExcept(FlagLetters) < 0;

    /// <summary><c>[HOST:]PORT:INNER[/tcp]</c>; ranges and ports that are chosen at each start can't be moved.</summary>
    private static IEnumerable<PublishedPort> Read(int index, string before, string value)
    {
        int inner = value.LastIndexOf(':');
        if (inner <= 0 || value.EndsWith("/udp", StringComparison.Ordinal) || value.EndsWith("/sctp", StringComparison.Ordinal))
            yield break;
        string outer = value[..inner];
        int colon = outer.LastIndexOf(':');
        if (int.TryParse(outer.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65535)
            yield return new(index, before, colon < 0 ? "*" : outer[..colon], port, value[inner..]);
    }
}
