using System.Text.RegularExpressions;

namespace ProxyD.EndToEnd;

/// <summary>The unit files of a service, by name; every change makes a new set.</summary>
internal sealed partial class UnitFiles
{
    private readonly Dictionary<string, string> _texts;

    private UnitFiles(IEnumerable<KeyValuePair<string, string>> texts) => _texts = new Dictionary<string, string>(texts);

    public IReadOnlyDictionary<string, string> Texts => _texts;

    /// <summary>A trio as people run it (folder Trios), with systemd-socket-proxyd: what proxyd is compared with.</summary>
    public static UnitFiles OfIncumbent(string folder) => new(Directory.GetFiles(Lab.Source($"Trios/{folder}")).Select(
        file => KeyValuePair.Create(Path.GetFileName(file), File.ReadAllText(file))));

    /// <summary>The same with the one line swapped: proxyd where systemd-socket-proxyd was.</summary>
    public static UnitFiles OfTrio(string folder)
    {
        IReadOnlyDictionary<string, string> texts = OfIncumbent(folder).Texts;
        int swapped = texts.Values.Sum(text => SocketProxyd().Count(text));
        // Otherwise what passes the test might be systemd-socket-proxyd itself.
        if (swapped != 1)
            throw new InvalidDataException($"Trios/{folder} runs systemd-socket-proxyd in {swapped} lines; expected 1");
        return new UnitFiles(texts.Select(file => KeyValuePair.Create(
            file.Key, SocketProxyd().Replace(file.Value, $"ExecStart={Lab.Proxyd} "))));
    }

    /// <summary>The trio that we recommend, as it is in deploy/trio.</summary>
    /// <param name="folder">trio, or resident.</param>
    public static UnitFiles OfDeploy(string folder = "trio") => new(
        from file in Directory.GetFiles(Lab.DeployFile(folder))
        where Path.GetExtension(file) is ".service" or ".socket"
        select KeyValuePair.Create(Path.GetFileName(file), File.ReadAllText(file)));

    /// <summary>The seed pattern for any daemon: NAME.socket, NAME.service and NAME-backend.service, bound to each other.</summary>
    /// <param name="name">What the units are called.</param>
    /// <param name="listen">The public address.</param>
    /// <param name="proxyArguments">What follows <c>proxyd</c> on its command line.</param>
    /// <param name="backend">The lines of the backend's [Service] section.</param>
    public static UnitFiles Seed(string name, string listen, string proxyArguments, string backend) => new(new Dictionary<string, string>
    {
        [$"{name}.socket"] = $"""
            [Socket]
            ListenStream={listen}

            """,
        [$"{name}.service"] = $"""
            [Unit]
            Requires={name}.socket {name}-backend.service
            After={name}.socket {name}-backend.service
            BindsTo={name}-backend.service

            [Service]
            ExecStart={Lab.Proxyd} {proxyArguments}

            """,
        [$"{name}-backend.service"] = $"""
            [Service]
            {backend}

            """,
    });

    /// <summary>A proxyd that stays and starts the backend itself, over D-Bus: no unit is tied to another.</summary>
    /// <param name="name">What the units are called.</param>
    /// <param name="listen">The public address.</param>
    /// <param name="proxyArguments">What follows <c>proxyd</c> on its command line, without <c>--backend-unit</c>.</param>
    /// <param name="backend">The lines of the backend's [Service] section. Its start limit is, on purpose, systemd's default;
    /// see <see cref="KeepingLoaded"/>.</param>
    public static UnitFiles Resident(string name, string listen, string proxyArguments, string backend) => new(new Dictionary<string, string>
    {
        [$"{name}.socket"] = $"""
            [Socket]
            ListenStream={listen}

            """,
        [$"{name}.service"] = $"""
            [Service]
            Type=notify
            ExecStart={Lab.Proxyd} {proxyArguments} --backend-unit={name}-backend

            """,
        [$"{name}-backend.service"] = $"""
            [Service]
            Restart=no
            {backend}

            """,
    });

    /// <summary>The same without any ExecStartPre= in the unit: what proxyd makes needless.</summary>
    public UnitFiles WithoutGuard(string unit) => With(unit, GuardLine().Replace(_texts[unit], ""));

    /// <summary>The same with another program in the unit.</summary>
    public UnitFiles WithExecStart(string unit, string command) =>
        With(unit, ExecStartLine().Replace(_texts[unit], $"ExecStart={command.Replace("$", "$$", StringComparison.Ordinal)}\n"));

    /// <summary>The same with more lines in the unit's [Service] section.</summary>
    public UnitFiles WithService(string unit, params IEnumerable<string> lines) =>
        With(unit, $"{_texts[unit]}\n[Service]\n{string.Join('\n', lines)}\n");

    /// <summary>The same with more lines in its [Unit] section.</summary>
    public UnitFiles WithUnit(string unit, params IEnumerable<string> lines) =>
        With(unit, $"{_texts[unit]}\n[Unit]\n{string.Join('\n', lines)}\n");

    /// <summary>The same without systemd's limit on how often the unit may start (5 in 10 s).</summary>
    public UnitFiles WithoutStartLimit(string unit) => With(unit, $"{_texts[unit]}\n[Unit]\nStartLimitIntervalSec=0\n");

    /// <summary>The same with the unit's start limit in force: by a mere ordering the proxy keeps it loaded.</summary>
    /// <remarks>systemd unloads a stopped unit that no other names, and forgets how often it was started.</remarks>
    public UnitFiles KeepingLoaded(string unit, string proxy) => With(proxy, $"{_texts[proxy]}\n[Unit]\nAfter={unit}\n");

    /// <summary>The same with all ties between the proxy and its backend cut: the test starts the backend, or nobody.</summary>
    public UnitFiles WithoutBackendTies(string unit) => With(unit, TieLine().Replace(_texts[unit], ""));

    /// <summary>The same without one of the units.</summary>
    public UnitFiles Without(string unit) => new(_texts.Where(file => file.Key != unit));

    private UnitFiles With(string unit, string text) => new(new Dictionary<string, string>(_texts) { [unit] = text });

    [GeneratedRegex(@"^ExecStart=\S*/systemd-socket-proxyd\s+", RegexOptions.Multiline)]
    private static partial Regex SocketProxyd();

    [GeneratedRegex(@"^ExecStartPre=.*\n", RegexOptions.Multiline)]
    private static partial Regex GuardLine();

    [GeneratedRegex(@"^ExecStart=.*\n", RegexOptions.Multiline)]
    private static partial Regex ExecStartLine();

    [GeneratedRegex(@"^(Requires|After|BindsTo)=.*\n", RegexOptions.Multiline)]
    private static partial Regex TieLine();
}
