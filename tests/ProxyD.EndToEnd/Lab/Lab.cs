using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using ProxyD.EndToEnd;
using ProxyD.Testing;
using Xunit.Sdk;
using Xunit.v3;

[assembly: SupportedOSPlatform("linux")]
[assembly: AssemblyFixture(typeof(Lab))]
// One systemd serves all tests, and some of them measure: one after the other.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace ProxyD.EndToEnd;

/// <summary>The one lab of a test run, with the published proxyd in it: booted before the first test, gone after the last.</summary>
public sealed class Lab : IDisposable
{
    /// <summary>Where proxyd is in the lab; what the README's one line names.</summary>
    public const string Proxyd = "/usr/local/bin/proxyd";

    private readonly LabMachine _machine;
    private readonly LabNetwork _network;

    public Lab()
    {
        RequireMachine();
        _machine = LabMachine.Boot();
        try
        {
            _network = new LabNetwork(_machine.Leader, _machine.Root);
            Install(Repository.ProxydBinary, Proxyd);
            Install(Repository.ToolsBinary, $"{Proxyd}-tools");
            Install(Source("Backends/server.cjs"), "/srv/brainstorm/server.cjs");
            Install(Source("Backends/chaos.cjs"), "/srv/chaos/chaos.cjs");
            Install(Source("Backends/late.cjs"), "/srv/late/late.cjs");
            Install(Source("Backends/server.py"), "/srv/python/server.py");
            RequireInside("/usr/bin/node", "/usr/bin/python3", "/bin/ss", "/bin/nc");
        }
        catch
        {
            _machine.Dispose();
            throw;
        }
    }

    /// <summary>Runs a program inside the lab to its end.</summary>
    internal CommandResult Run(params IEnumerable<string> command) => _machine.Run(command);

    /// <summary>Runs systemctl, which must succeed, and gives what it printed.</summary>
    internal string Systemctl(params IEnumerable<string> arguments) => Run(["systemctl", .. arguments]).Expect();

    /// <summary>One property of a unit, as <c>systemctl show</c> prints it.</summary>
    internal string Property(string unit, string name) => Systemctl("show", "--value", "-p", name, unit).Trim();

    /// <summary>Whether the unit is in this state, written as systemctl status does: <c>active (listening)</c>.</summary>
    internal bool IsInState(string unit, string state) => StateOf(unit) == state;

    /// <summary>Waits until the unit is in this state.</summary>
    internal void WaitForState(string unit, string state) =>
        Wait.Until(() => IsInState(unit, state), () => $"{unit} is to be {state}, and is {StateOf(unit)}");

    /// <summary>ActiveState and SubState of a unit: <c>active (listening)</c>.</summary>
    internal string StateOf(string unit)
    {
        string[] states = Systemctl("show", "--value", "-p", "ActiveState", "-p", "SubState", unit).Split('\n');
        return $"{states[0]} ({states[1]})";
    }

    /// <summary>The main process of a service, as this machine numbers it.</summary>
    internal int HostPid(string service) =>
        _machine.HostPid(int.Parse(Property(service, "MainPID"), CultureInfo.InvariantCulture));

    /// <summary>A client: a socket connected to an address of the lab (<c>HOST:PORT</c> or a path).</summary>
    internal Socket Connect(string address) => _network.Connect(address);

    /// <summary>A socket of the lab that is not connected yet, and the address to connect it to.</summary>
    internal (Socket Socket, EndPoint Peer) NewClient(string address)
    {
        EndPoint peer = _network.Address(address);
        return (_network.NewSocket(peer.AddressFamily), peer);
    }

    /// <summary>A file of the lab, as this machine can open it.</summary>
    internal string PathOf(string path) => _machine.Root + path;

    /// <summary>Writes a file into the lab.</summary>
    internal void Write(string path, string text)
    {
        Directory.CreateDirectory(PathOf(Path.GetDirectoryName(path)!));
        File.WriteAllText(PathOf(path), text);
    }

    /// <summary>Fails with one sentence when the lab lacks a program (or a folder of them) that a test needs.</summary>
    internal void RequireInside(params ReadOnlySpan<string> programs)
    {
        foreach (string program in programs)
            Require(Path.Exists(PathOf(program)), $"{program} is missing: run tests/install-deps.sh");
    }

    public void Dispose()
    {
        _network.Dispose();
        _machine.Dispose();
    }

    /// <summary>A file of this project's sources.</summary>
    internal static string Source(string path) => Path.Combine(Repository.Root, "tests", "ProxyD.EndToEnd", path);

    /// <summary>A file that we give to users.</summary>
    internal static string DeployFile(string path) => Path.Combine(Repository.Root, "deploy", path);

    private static void RequireMachine()
    {
        Require(Environment.IsPrivilegedProcess, "the end-to-end tests boot a systemd and must run as root");
        Require(File.Exists("/usr/bin/systemd-nspawn"), "systemd-nspawn is missing: run tests/install-deps.sh (package systemd-container)");
        Require(
            File.Exists(Repository.ProxydBinary),
            $"{Repository.ProxydBinary} is missing: publish src/ProxyD there, or name another binary in $PROXYD");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new InvalidOperationException(otherwise);
    }

    private void Install(string source, string path)
    {
        Directory.CreateDirectory(PathOf(Path.GetDirectoryName(path)!));
        File.Copy(source, PathOf(path), overwrite: true);
        File.SetUnixFileMode(PathOf(path), (UnixFileMode)0b111_101_101);
    }
}
