using ProxyD.Machine;
using ProxyD.Rules;
using ProxyD.Testing;
using ProxyD.Tools;
using ProxyD.Units;

namespace ProxyD.Tests.Rules;

/// <summary>What Debian's packages ship: no proxy's traps are in it, so nothing may be found, not even a note.</summary>
public sealed class DebianUnitTests
{
    private const int PackagesMin = 60;

    private static readonly string s_packages = Path.Combine(Repository.Root, "artifacts", "debian-units");

    private static readonly string[] s_machine = ["/usr/lib/systemd/system", "/usr/lib/systemd/user"];

    [Fact]
    public void Nothing_is_found_in_what_packages_ship()
    {
        // Goal: no false alarm in any package's folder, judged as proxyd check judges a folder; nor in what this machine has.
        string[] packages = [.. Folders().Select(folder => Path.GetRelativePath(s_packages, folder).Split('/')[0]).Distinct()];
        Assert.True(packages.Length >= PackagesMin, $"{packages.Length} packages in {s_packages}: run tests/debian-units.sh");
        Assert.Empty(Folders().Concat(s_machine).Where(Directory.Exists).SelectMany(Check));
    }

    [Fact]
    public void Nothing_is_found_where_all_are_installed_together()
    {
        // Goal: units of different packages don't become each other's sockets, proxies or backends either.
        IEnumerable<UnitFile> files = Folders().Where(folder => !IsUser(folder)).Append(s_machine[0]).SelectMany(UnitFolderFiles.Read);
        UnitSet units = UnitSet.FromFiles(files);
        Assert.True(units.Units.Count(unit => unit.Type == UnitType.Socket) > 30);
        Assert.Empty(RuleTable.Run(new(units, _ => null, _ => false, [])));
    }

    [Fact]
    public void Every_unit_file_is_read_without_losing_a_byte()
    {
        // Goal: the parser gives back what it was given, for each file of the packages.
        string[] paths = [.. Folders().SelectMany(folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories))];
        Assert.All(paths, path => Assert.Equal(File.ReadAllBytes(path), UnitFile.Parse(File.ReadAllBytes(path), path).ToBytes()));
    }

    private static IEnumerable<string> Check(string folder) =>
        new UnitChecker(IsUser(folder)).Check([folder]).Findings.Select(finding => $"{finding.RuleId} {finding.Path}:{finding.Line}: {finding.Why}");

    /// <summary>Every folder of unit files that a package brings, as <c>PACKAGE/lib/systemd/system</c>.</summary>
    private static IEnumerable<string> Folders() =>
        !Directory.Exists(s_packages)
            ? []
            : Directory.GetFiles(s_packages, "*.*", SearchOption.AllDirectories)
                .Where(file => UnitName.TypeOf(file) is UnitType.Service or UnitType.Socket)
                .Select(file => Path.GetDirectoryName(file)!).Distinct().Order(StringComparer.Ordinal);

    private static bool IsUser(string folder) => folder.EndsWith("/user", StringComparison.Ordinal);
}
