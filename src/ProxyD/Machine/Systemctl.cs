using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>What <c>systemctl</c> says and does; it brings the right bus, and asks for a password where polkit wants one.</summary>
/// <param name="isUser">The user's manager instead of the system's.</param>
internal sealed class Systemctl(bool isUser)
{
    internal bool IsUser => isUser;

    /// <summary>Runs it.</summary>
    /// <returns>Exit status, standard output, standard error (both without the last line end).</returns>
    /// <exception cref="ToolException">There is no systemctl.</exception>
    internal (int ExitStatus, string Output, string Error) Run(params string[] arguments) =>
        OtherProgram.Run("systemctl", isUser ? ["--user", "--no-pager", .. arguments] : ["--no-pager", .. arguments]);

    /// <summary>Runs it, and gives what it printed.</summary>
    /// <exception cref="ToolException">There is no systemctl, or it failed: its first words about why.</exception>
    internal string Must(params string[] arguments)
    {
        (int status, string output, string error) = Run(arguments);
        return status == 0
            ? output
            : throw new ToolException($"systemctl {(isUser ? "--user " : "")}{string.Join(' ', arguments)}: {error.Split('\n')[0]}");
    }

    /// <summary>Properties of a unit, by name; empty ones are empty strings, unknown ones missing.</summary>
    /// <exception cref="ToolException">The manager can't be asked.</exception>
    internal Dictionary<string, string> Show(string unit, params string[] properties)
    {
        (int status, string output, string error) = Run(["show", "--property", string.Join(',', properties), "--", unit]);
        if (status != 0)
            throw new ToolException($"systemctl show {unit}: {error.Split('\n')[0]}");
        return Properties(output);
    }

    /// <summary>The same of several units at once: those that are named, and all loaded ones, running or not, of a pattern (<c>*.service</c>).</summary>
    /// <exception cref="ToolException">The manager can't be asked.</exception>
    internal List<Dictionary<string, string>> ShowEach(IEnumerable<string> units, params string[] properties)
    {
        (int status, string output, string error) = Run(["show", "--all", "--property", string.Join(',', properties), "--", .. units]);
        if (status != 0)
            throw new ToolException($"systemctl show: {error.Split('\n')[0]}");
        // Between two units is an empty line.
        return [.. output.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(Properties)];
    }

    /// <summary>Whether a unit starts at boot by a link of its own ([Install]).</summary>
    /// <exception cref="ToolException">The manager can't be asked.</exception>
    internal bool IsEnabled(string unit) => Unit.IsInForce(Show(unit, "UnitFileState").GetValueOrDefault("UnitFileState"));

    /// <summary>A unit if it runs, comes up or goes down; of a template, its instances that do.</summary>
    /// <exception cref="ToolException">The manager can't be asked.</exception>
    internal IReadOnlyList<string> Running(string unit)
    {
        string pattern = new UnitName(unit).IsTemplate ? new UnitName(unit).With("*") : unit;
        string output = Must("list-units", "--plain", "--no-legend", "--full", "--state=active,activating,reloading,deactivating", pattern);
        return [.. output.Split('\n').Select(line => line.Split(' ')[0]).Where(name => name.Length > 0)];
    }

    private static Dictionary<string, string> Properties(string output) =>
        output.Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0])
            .ToDictionary(group => group.Key, group => string.Join('\n', group.Select(pair => pair[1])));
}
