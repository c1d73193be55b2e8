using System.Diagnostics;
using ProxyD.BlackBox.Harness;
using ProxyD.Testing;

namespace ProxyD.BlackBox;

/// <summary>The tools are a program beside the daemon, which becomes it when a tool's word comes first.</summary>
public sealed class ToolProgramTests
{
    private static readonly string[] s_words = ["init", "check", "migrate", "verify", "status"];

    [Fact]
    public void The_help_of_every_tool_fits_a_terminal_and_tells_its_exit_status()
    {
        // Goal: on stdout, under the name that the user typed, no line over 80 columns; what a script may rely on is there.
        foreach (string word in s_words)
        {
            (int exitCode, string output, string errors) = Run(Repository.ProxydBinary, word, "--help");
            Assert.Equal((0, ""), (exitCode, errors));
            Assert.All(output.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
            Assert.Contains($"  proxyd {word} ", output, StringComparison.Ordinal);
            Assert.Contains("Exit status: ", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_the_tools_beside_it_the_daemon_says_what_is_missing()
    {
        // Goal: one line that names the file, and no daemon that takes the word for a host.
        using TemporaryFolder folder = new();
        string alone = folder.File("proxyd");
        File.Copy(Repository.ProxydBinary, alone);
        (int exitCode, string output, string errors) = Run(alone, "check");
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Matches("^proxyd: check: [^\n]*/proxyd-tools can't be run [^\n]*No such file[^\n]*; expected proxyd-tools beside proxyd[^\n]*\n$", errors);
    }

    [Fact]
    public void The_tools_themselves_refuse_what_is_no_tool()
    {
        // Goal: whoever starts them directly learns which words there are.
        (int exitCode, string output, string errors) = Run(Repository.ToolsBinary, "127.0.0.1:80");
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Matches("^proxyd: '127.0.0.1:80' is no tool; expected one of init, check[^\n]*\n$", errors);
    }

    private static (int ExitCode, string Output, string Errors) Run(string program, params string[] arguments)
    {
        Requires.Proxyd();
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
