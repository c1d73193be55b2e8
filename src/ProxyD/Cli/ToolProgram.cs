using ProxyD.Interop;
using ProxyD.Observability;

namespace ProxyD.Cli;

/// <summary>The tools are a program of their own, <c>proxyd-tools</c>, which lies beside proxyd and takes its place when a tool's word comes first.</summary>
/// <remarks>
/// One file would be simpler, but its pages and its type data are in every daemon's memory: with status alone the file grew by 0.84 MB and each
/// proxyd by about as much (9.2 to 10.0 MB resident, measured), and a machine runs one for each service. A host that bears such a word as its
/// name is written with its port: <c>status:80</c>.
/// </remarks>
internal static class ToolProgram
{
    /// <summary>The tools' file name.</summary>
    internal const string FileName = "proxyd-tools";

    /// <summary>The words, in the order in which the help shows them.</summary>
    internal static readonly string[] Words = ["init", "check", "migrate", "verify", "status"];

    /// <summary>Whether the command line is a tool's.</summary>
    internal static bool TakesOver(string[] arguments) => arguments.Length > 0 && Words.Contains(arguments[0]);

    /// <summary>Becomes the tools' program (execve(2)): pid, terminal and environment stay.</summary>
    /// <returns>Only when that failed: what to exit with. One line has been said.</returns>
    internal static int Replace(string[] arguments)
    {
        string path = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, FileName);
        SysResult failed = ProcessSpawner.Become(path, ["proxyd", .. arguments]);
        Stderr.Fail($"{arguments[0]}: {path} can't be run ({failed.Errno.Text()}); expected {FileName} beside proxyd, from the same build");
        return ToolLine.ExitUnable;
    }
}
