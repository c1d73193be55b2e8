using ProxyD.Cli;

namespace ProxyD.Tests.Pure;

/// <summary>What is accepted, in every way that people write it.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void The_defaults_are_those_of_the_table()
    {
        // Goal: nothing but a destination gives what the README promises.
        RunOptions options = Parse("127.0.0.1:18080");
        Destination destination = Assert.Single(options.Destinations);
        Assert.Equal((null, "127.0.0.1:18080"), (destination.Name, destination.Address.Text));
        Assert.Equal(256, options.ConnectionsMax);
        Assert.Null(options.ExitIdleTime);
        Assert.Equal(TimeSpan.FromSeconds(5), options.WaitBind);
        Assert.Equal(TimeSpan.FromSeconds(5), options.DrainTime);
        Assert.Equal(RunOptions.DefaultThreads(Environment.ProcessorCount), options.Threads);
        Assert.Equal("info", options.LogLevel);
        Assert.Empty(options.Listen);
        Assert.Null(options.Exec);
        Assert.False(options.RetryUnanswered);
    }

    [Theory]
    [InlineData("-c 7 h:1")]
    [InlineData("h:1 -c 7")]
    [InlineData("-c7 h:1")]
    [InlineData("h:1 -c7")]
    [InlineData("--connections-max=7 h:1")]
    [InlineData("--connections-max 7 h:1")]
    [InlineData("h:1 --connections-max=7")]
    [InlineData("h:1 --connections-max 7")]
    [InlineData("--log-level=info -c7 h:1 --threads 2")]
    public void Options_come_before_or_after_with_or_without_equals(string line)
    {
        // Goal: every spelling that getopt_long(3) takes.
        RunOptions options = Parse(line.Split(' '));
        Assert.Equal(7, options.ConnectionsMax);
        Assert.Equal("h:1", Assert.Single(options.Destinations).Address.Text);
    }

    [Fact]
    public void Every_option_reaches_its_place()
    {
        // Goal: no two options are mixed up.
        RunOptions options = Parse(
            "--exit-idle-time=10min", "--wait-bind=1min 30s", "--drain-time=2s", "--threads=3", "--log-level=debug",
            "--exec=node server.js", "--listen=8080", "--listen", "/run/p.sock", "--connections-max=9", "h:1");
        Assert.Equal(TimeSpan.FromMinutes(10), options.ExitIdleTime);
        Assert.Equal(TimeSpan.FromSeconds(90), options.WaitBind);
        Assert.Equal(TimeSpan.FromSeconds(2), options.DrainTime);
        Assert.Equal(3, options.Threads);
        Assert.Equal("debug", options.LogLevel);
        Assert.Equal("node server.js", options.Exec);
        Assert.Equal(["[::]:8080", "/run/p.sock"], options.Listen.Select(a => a.Text));
        Assert.Equal(9, options.ConnectionsMax);
    }

    [Theory]
    [InlineData("-c 5 -c 6 h:1")]
    [InlineData("-c5 h:1 --connections-max=6")]
    [InlineData("--connections-max 5 h:1 -c6")]
    public void An_option_that_is_given_twice_has_its_last_value(string line)
    {
        // Goal: as with getopt_long(3), and so with systemd-socket-proxyd: a drop-in file may append to ExecStart=.
        Assert.Equal(6, Parse(line.Split(' ')).ConnectionsMax);
    }

    [Theory]
    [InlineData("--retry-unanswered h:1")]
    [InlineData("h:1 --retry-unanswered")]
    [InlineData("--retry-unanswered --retry-unanswered h:1")]
    public void A_flag_takes_no_value_and_never_the_destination(string line)
    {
        // Goal: what follows a flag is what it was without it.
        RunOptions options = Parse(line.Split(' '));
        Assert.True(options.RetryUnanswered);
        Assert.Equal("h:1", Assert.Single(options.Destinations).Address.Text);
    }

    [Fact]
    public void Infinity_is_a_value_and_not_the_default()
    {
        // Goal: null says "for ever" for all three times.
        RunOptions options = Parse("--wait-bind=infinity", "--drain-time=infinity", "--exit-idle-time=infinity", "h:1");
        Assert.Null(options.WaitBind);
        Assert.Null(options.DrainTime);
        Assert.Null(options.ExitIdleTime);
    }

    [Fact]
    public void Zero_is_a_time()
    {
        // Goal: "try once" and "don't drain" can be said.
        RunOptions options = Parse("--wait-bind=0", "--drain-time", "0", "h:1");
        Assert.Equal(TimeSpan.Zero, options.WaitBind);
        Assert.Equal(TimeSpan.Zero, options.DrainTime);
    }

    [Theory]
    [InlineData("@abstract")]
    [InlineData("[::1]:80")]
    [InlineData("[::1]")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[fe80::1%1]")]
    [InlineData("/run/backend.sock")]
    [InlineData("/run/a=b.sock")]
    [InlineData("@a=b")]
    [InlineData("/h")]
    [InlineData("::1:80")]
    [InlineData("localhost")]
    public void Every_form_of_a_destination_may_be_the_first_argument(string text)
    {
        // Goal: no destination is taken for a directive, a response file, an option or a name; it means the same in any place.
        Destination first = Assert.Single(Parse(text).Destinations);
        Destination later = Assert.Single(Parse("-c", "5", text).Destinations);
        Assert.Null(first.Name);
        Assert.Equal(text, later.Address.Text);
        Assert.Equal(later.Address.Literal?.Bytes.ToArray(), first.Address.Literal?.Bytes.ToArray());
        Assert.Equal(later.Address.HostName, first.Address.HostName);
    }

    [Theory]
    [InlineData("web=127.0.0.1:80", "web", "127.0.0.1:80")]
    [InlineData("web=/run/a=b.sock", "web", "/run/a=b.sock")]
    [InlineData("web=@a=b", "web", "@a=b")]
    [InlineData("web=[::1]:80", "web", "[::1]:80")]
    [InlineData("my.socket=backend", "my.socket", "backend")]
    public void A_name_before_the_first_equals_sign_is_the_sockets_name(string text, string name, string address)
    {
        // Goal: the rest, equals signs and all, is the destination.
        Destination destination = Assert.Single(Parse(text).Destinations);
        Assert.Equal((name, address), (destination.Name, destination.Address.Text));
    }

    [Fact]
    public void Several_destinations_keep_their_order()
    {
        // Goal: services are numbered as they are written, options between them or not.
        RunOptions options = Parse("web=h:1", "-c", "5", "h:2", "--threads=1", "api=h:3");
        Assert.Equal(["web", null, "api"], options.Destinations.Select(d => d.Name));
        Assert.Equal(["h:1", "h:2", "h:3"], options.Destinations.Select(d => d.Address.Text));
    }

    [Fact]
    public void After_two_dashes_comes_the_destination()
    {
        // Goal: as with every getopt program.
        Assert.Equal("h:1", Assert.Single(Parse("-c5", "--", "h:1").Destinations).Address.Text);
    }

    [Theory]
    [InlineData("8080", "[::]:8080")]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080")]
    [InlineData("[::1]:8080", "[::1]:8080")]
    [InlineData("/run/p.sock", "/run/p.sock")]
    [InlineData("@p", "@p")]
    public void A_lone_port_to_listen_on_means_every_address(string text, string expected)
    {
        // Goal: --listen reads what ListenStream= reads.
        Assert.Equal(expected, Assert.Single(Parse($"--listen={text}", "h:1").Listen).Text);
    }

    private static RunOptions Parse(params string[] arguments)
    {
        RunOptions? options = CommandLine.Parse(arguments, out int exitCode, out string? problem);
        Assert.Null(problem);
        Assert.Equal(0, exitCode);
        Assert.NotNull(options);
        return options;
    }
}
