using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Bad input: one line on stderr that names the culprit, exit code 1, nothing on stdout.</summary>
public sealed class BadInputTests
{
    private const string Destination = "127.0.0.1:1";

    public BadInputTests() => Requires.Proxyd();

    [Theory]
    [InlineData("--connections-max", "0")]
    [InlineData("--connections-max", "-1")]
    [InlineData("--connections-max", "many")]
    [InlineData("--connections-max", "99999999999")]
    [InlineData("--exit-idle-time", "5parsecs")]
    [InlineData("--exit-idle-time", "-1s")]
    [InlineData("--wait-bind", "soon")]
    [InlineData("--wait-bind", "5s5x")]
    [InlineData("--drain-time", "1 2 3 go")]
    [InlineData("--threads", "0")]
    [InlineData("--threads", "some")]
    [InlineData("--log-level", "loud")]
    [InlineData("--listen", "nowhere.invalid:80")]
    [InlineData("--listen", "127.0.0.1:99999")]
    public void A_bad_value_of_an_option_is_named_with_its_option(string option, string value)
    {
        // Goal: both spellings of an option lead to a line from which the mistake can be corrected.
        AssertRefused([$"{option}={value}", Destination], option, value);
        AssertRefused([Destination, option, value], option, value);
    }

    [Theory]
    [InlineData("--connections-max")]
    [InlineData("--exit-idle-time")]
    [InlineData("--wait-bind")]
    [InlineData("--drain-time")]
    [InlineData("--listen")]
    [InlineData("--threads")]
    [InlineData("--log-level")]
    [InlineData("--exec")]
    public void An_option_without_a_value_is_named(string option)
    {
        // Goal: a value that was forgotten, or is empty, isn't taken from somewhere else.
        AssertRefused([Destination, option], option);
        AssertRefused([$"{option}=", Destination], option);
    }

    [Theory]
    [InlineData("-c0", "0")]
    [InlineData("-cmany", "many")]
    public void A_bad_value_glued_to_a_short_option_is_named(string argument, string value)
    {
        // Goal: `-cN` is parsed like `-c N`.
        AssertRefused([argument, Destination], value);
    }

    [Theory]
    [InlineData("--frobnicate")]
    [InlineData("--frobnicate=1")]
    [InlineData("--connections-maximum=5")]
    [InlineData("-x")]
    public void An_unknown_option_is_named(string option)
    {
        // Goal: a typo isn't ignored.
        AssertRefused([option, Destination], option.Split('=')[0]);
    }

    [Theory]
    [InlineData("12346")]
    [InlineData("127.0.0.1:99999")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1:")]
    [InlineData(":80")]
    [InlineData("[::1:80")]
    [InlineData("[zz]:80")]
    [InlineData("ho st:80")]
    [InlineData("@")]
    [InlineData("web=12346")]
    [InlineData("web=")]
    [InlineData("=127.0.0.1:80")]
    public void A_bad_destination_is_quoted(string destination)
    {
        // Goal: what can never be reached is refused at once, not when the first client comes.
        AssertRefused([destination], destination, "expected");
    }

    [Fact]
    public void A_Unix_path_that_is_too_long_is_refused()
    {
        // Goal: the kernel takes 107 bytes; cutting it off silently would reach another socket.
        AssertRefused(["/" + new string('x', 108)], "107");
    }

    [Fact]
    public void Two_destinations_for_the_same_listeners_are_refused()
    {
        // Goal: which of the two would it be?
        AssertRefused(["127.0.0.1:1", "127.0.0.1:2"], "127.0.0.1:1", "127.0.0.1:2");
        AssertRefused(["a=127.0.0.1:1", "a=127.0.0.1:2"], "127.0.0.1:1", "127.0.0.1:2");
    }

    [Fact]
    public void A_missing_destination_is_reported()
    {
        // Goal: no destination, no service.
        AssertRefused([], "destination");
    }

    private static void AssertRefused(string[] arguments, params string[] parts)
    {
        using Subject subject = Subject.Start(new SubjectSetup { Arguments = arguments });

        Assert.Equal(1, subject.WaitForExit());
        string line = Assert.Single(subject.Log);
        Assert.All(parts, part => Assert.Contains(part, line, StringComparison.Ordinal));
        Assert.Empty(subject.Output);
    }
}
