namespace ProxyD.Tests.Pure;

/// <summary>What the program prints for those who ask it. Run as a process, for it writes to the console.</summary>
[Collection(StartsProcesses.Name)]
public sealed class HelpTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--help", "127.0.0.1:80")]
    public async Task Help_fits_a_terminal_and_shows_an_example_for_each_use(params string[] arguments)
    {
        // Goal: on stdout, exit code 0, no line over 80 columns, with or without a destination.
        (int exitCode, string output, string errors) = await ManagedProxyd.RunAsync(arguments);
        Assert.Equal("", errors);
        Assert.Equal(0, exitCode);
        string[] lines = output.Split('\n');
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.Equal(4, lines.SkipWhile(line => line != "Examples:").Count(line => line.StartsWith("  proxyd ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Help_names_every_option()
    {
        // Goal: none is hidden.
        (_, string output, _) = await ManagedProxyd.RunAsync("--help");
        string[] options =
        [
            "-c, --connections-max <N>", "--exit-idle-time <TIME>", "--wait-bind <TIME>", "--drain-time <TIME>", "--listen <ADDR>",
            "--backend-unit <UNIT>", "--user", "--exec <COMMAND>", "--ready <CHECK>", "--backend-idle-stop <TIME>", "--backend-idle-freeze <TIME>",
            "--idle-by <WHAT>", "--backend-min-up <TIME>", "--retry-unanswered", "--threads <N>", "--log-level <LEVEL>", "-h, --help", "--version",
        ];
        Assert.All(options, option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_version_is_a_bare_number()
    {
        // Goal: scripts can read it.
        (int exitCode, string output, string errors) = await ManagedProxyd.RunAsync("--version");
        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", output);
    }

    [Fact]
    public async Task A_bad_value_leaves_one_line_on_stderr_and_nothing_on_stdout()
    {
        // Goal: never the whole help; a script that reads stdout gets no noise.
        (int exitCode, string output, string errors) = await ManagedProxyd.RunAsync("--wait-bind=soon", "127.0.0.1:80");
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Matches(@"^proxyd: --wait-bind: 'soon' is not accepted; expected [^\n]*\n$", errors);
    }
}
