using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>What the program says of itself.</summary>
public sealed class HelpTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public void Help_fits_a_terminal_of_80_columns(string option)
    {
        // Goal: readable on the smallest terminal there is.
        string[] help = Ask(option);

        Assert.True(help.Length > 5);
        Assert.All(help, line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Help_names_every_option_and_shows_three_examples()
    {
        // Goal: nobody has to look further for what it can do.
        Requires.Proxyd();
        string help = string.Join('\n', Ask("--help"));

        string[] options =
        [
            "-c", "--connections-max", "--exit-idle-time", "--wait-bind", "--listen", "--drain-time", "--threads", "--log-level",
            "--exec", "--retry-unanswered", "--help", "--version",
        ];
        Assert.All(options, option => Assert.Contains(option, help, StringComparison.Ordinal));
        string examples = help[help.IndexOf("xamples", StringComparison.Ordinal)..];
        Assert.True(examples.Split("proxyd ").Length > 3, examples);
    }

    [Fact]
    public void Version_is_printed()
    {
        // Goal: one can tell which one is installed.
        Assert.Matches(@"\d+", Ask("--version")[0]);
    }

    private static string[] Ask(string option)
    {
        using Subject subject = Subject.Start(new SubjectSetup { Arguments = [option] });
        Assert.Equal(0, subject.WaitForExit());
        Assert.Empty(subject.Log);
        return subject.Output;
    }
}
