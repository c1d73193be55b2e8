using ProxyD.Cli;

namespace ProxyD.Tests.Pure;

/// <summary>A bad command line is one line that names the option, the value and what is accepted.</summary>
public sealed class CommandLineProblemTests
{
    private const string Time = "expected a time span like 5s, 500ms, 1min 30s, 300 or infinity";
    private const string Number = "expected a whole number from 1 to";

    [Theory]
    [InlineData("--wait-bind", "soon", Time)]
    [InlineData("--wait-bind", "-5s", Time)]
    [InlineData("--wait-bind", "", Time)]
    [InlineData("--exit-idle-time", "5 parsecs", Time)]
    [InlineData("--drain-time", "1.2.3", Time)]
    [InlineData("--connections-max", "0", Number)]
    [InlineData("--connections-max", "-1", Number)]
    [InlineData("--connections-max", "many", Number)]
    [InlineData("--connections-max", "1.5", Number)]
    [InlineData("--connections-max", "2147483648", Number)]
    [InlineData("--threads", "0", Number)]
    [InlineData("--threads", "", Number)]
    [InlineData("--log-level", "loud", "expected error, warning, info, debug")]
    [InlineData("--log-level", "INFO", "expected error, warning, info, debug")]
    [InlineData("--exec", "  ", "expected a command line for /bin/sh")]
    [InlineData("--listen", "host", "the port is missing")]
    [InlineData("--listen", "127.0.0.1:0", "'0' is no port")]
    [InlineData("--listen", "0", "expected PORT, IP:PORT")]
    [InlineData("--listen", "", "expected PORT, IP:PORT")]
    public void A_bad_value_is_named_with_its_option_and_what_is_accepted(string option, string value, string expected)
    {
        // Goal: the user need not open the manual.
        string problem = Problem(option, value, "h:1");
        Assert.StartsWith($"{option}: '{value}' is not accepted", problem, StringComparison.Ordinal);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-c0", "--connections-max: '0'")]
    [InlineData("-cx", "--connections-max: 'x'")]
    [InlineData("--connections-max=0", "--connections-max: '0'")]
    [InlineData("--wait-bind=", "--wait-bind")]
    [InlineData("--exec=", "--exec")]
    public void Every_spelling_of_the_option_is_checked(string argument, string expected)
    {
        // Goal: short, joined and empty values get the same answer, before and after the destination.
        Assert.Contains(expected, Problem(argument, "h:1"), StringComparison.Ordinal);
        Assert.Contains(expected, Problem("h:1", argument), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--wait-bind=")]
    [InlineData("--exec=")]
    [InlineData("--listen=")]
    public void An_empty_value_does_not_swallow_the_next_argument(string argument)
    {
        // Goal: "--exec= 127.0.0.1:80" must not run the destination as a command, nor blame it.
        string problem = Problem(argument, "127.0.0.1:80");
        Assert.DoesNotContain("127.0.0.1:80", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("no destination", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "destination '' is not accepted: it is empty")]
    [InlineData("host:0", "destination 'host:0' is not accepted: '0' is no port")]
    [InlineData("8080", "destination '8080' is not accepted: '8080' is a number, not a host")]
    [InlineData("@", "destination '@' is not accepted: an abstract socket needs a name")]
    [InlineData("web=", "destination 'web=' is not accepted: it is empty")]
    [InlineData("=h:1", "destination '=h:1' has no name before '='")]
    [InlineData("a=b=c:1", "destination 'a=b=c:1' is not accepted: 'b=c' is neither")]
    public void A_bad_destination_is_named_with_the_reason(string text, string expected)
    {
        // Goal: as for options; nothing is dropped in silence.
        Assert.StartsWith(expected, Problem(text), StringComparison.Ordinal);
    }

    [Fact]
    public void Nonsense_in_brackets_is_not_dropped_in_silence()
    {
        // Goal: System.CommandLine would take it for a directive that it doesn't know.
        Assert.Contains("[parse]", Problem("[parse]", "h:1"), StringComparison.Ordinal);
        Assert.Contains("'parse' in brackets", Problem("[parse]"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--verbose")]
    [InlineData("--verbose=1")]
    [InlineData("-x")]
    [InlineData("--connection-max=3")]
    public void An_unknown_option_is_named(string option)
    {
        // Goal: a typing error is never taken for a destination or ignored.
        Assert.Equal($"'{option}' is no option; see proxyd --help", Problem(option, "h:1"));
        Assert.Equal($"'{option}' is no option; see proxyd --help", Problem("h:1", option));
    }

    [Theory]
    [InlineData("h:1", "h:2")]
    [InlineData("web=h:1", "web=h:2")]
    public void Two_destinations_for_the_same_sockets_are_both_named(string first, string second)
    {
        // Goal: "--wait-bind 1min 30s" without quotes shows that 30s was read as a destination.
        string problem = Problem(first, second);
        Assert.Contains("'h:1'", problem, StringComparison.Ordinal);
        Assert.Contains("'h:2'", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_destination_that_is_what_is_missing()
    {
        // Goal: alone or with options.
        const string Expected = "no destination given; expected HOST:PORT, [IPV6]:PORT, /path or @abstract";
        Assert.Equal(Expected, Problem());
        Assert.Equal(Expected, Problem("--wait-bind=5s"));
    }

    [Theory]
    [InlineData("--connections-max")]
    [InlineData("-c")]
    [InlineData("--wait-bind")]
    [InlineData("--exec")]
    public void An_option_without_its_value_is_named(string option)
    {
        // Goal: a line that ends too early says where.
        Assert.Contains(option, Problem("h:1", option), StringComparison.Ordinal);
    }

    [Fact]
    public void One_command_can_start_one_backend_only()
    {
        // Goal: --exec with several destinations is refused before anything runs.
        Assert.Contains("--exec starts one backend, but 2 destinations", Problem("--exec=true", "a=h:1", "b=h:2"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_with_a_line_break_is_told_in_one_line()
    {
        // Goal: what a script passes by mistake must not break the log into pieces.
        Problem("--log-level=a\nb", "h:1");
        Problem("h:1\n");
    }

    private static string Problem(params string[] arguments)
    {
        RunOptions? options = CommandLine.Parse(arguments, out int exitCode, out string? problem);
        Assert.Null(options);
        Assert.Equal(1, exitCode);
        Assert.NotNull(problem);
        Assert.DoesNotContain('\n', problem);
        return problem;
    }
}
