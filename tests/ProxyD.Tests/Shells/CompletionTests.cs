using System.CommandLine;
using System.Text.RegularExpressions;
using ProxyD.Cli;
using ProxyD.Tests.Pure;

namespace ProxyD.Tests.Shells;

/// <summary>packaging/completions in the shells that they are for: what is offered is what there is.</summary>
[Collection(StartsProcesses.Name)]
public sealed partial class CompletionTests
{
    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Every_option_of_every_tool_is_offered_and_no_other(string shell)
    {
        // Goal: an option that is added, renamed or dropped is so in all three files.
        foreach (string word in ToolProgram.Words)
        {
            string[] options = [.. ToolLine.Create(word).Options.SelectMany(NamesOf).Append("--help").Distinct().Order(StringComparer.Ordinal)];
            Assert.Equal(options, await Shell.OfferAsync(shell, $"proxyd {word} --"));
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Every_option_of_the_daemon_is_offered_and_no_other(string shell)
    {
        // Goal: the same for the daemon's own command line, as its help shows it.
        (_, string help, _) = await ManagedProxyd.RunAsync("--help");
        string[] options = [.. OptionInHelp().Matches(help).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal)];
        Assert.True(options.Length > 10, help);
        Assert.Equal(options, await Shell.OfferAsync(shell, "proxyd --"));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task The_tools_are_offered_in_first_place_only(string shell)
    {
        // Goal: each word, and none where a destination stands.
        Assert.Equal(ToolProgram.Words.ToHashSet(), (await Shell.OfferAsync(shell, "proxyd ")).ToHashSet());
        Assert.Equal(["verify"], await Shell.OfferAsync(shell, "proxyd ver"));
        Assert.Empty(await Shell.OfferAsync(shell, "proxyd 127.0.0.1:80 ver"));
    }

    [Theory]
    [InlineData("proxyd verify ", "web.socket")]
    [InlineData("proxyd verify --user ", "home.socket")]
    [InlineData("proxyd verify --backend ", "web-backend.service web.service")]
    [InlineData("proxyd verify --backend=web-", "web-backend.service")]
    [InlineData("proxyd verify --path ", "")]
    [InlineData("proxyd check w", "web-backend.service web.service web.socket")]
    [InlineData("proxyd migrate w", "web-backend.service web.service web.socket")]
    [InlineData("proxyd status w", "web-backend.service web.service web.socket")]
    [InlineData("proxyd check --explain ", "PXD001 PXD002 all")]
    [InlineData("proxyd check --explain=PXD", "PXD001 PXD002")]
    [InlineData("proxyd --backend-unit=web-", "web-backend.service")]
    [InlineData("proxyd --log-level=", "debug error info warning")]
    [InlineData("proxyd --idle-by ", "bytes connections")]
    public async Task Units_and_known_values_are_offered(string line, string expected)
    {
        // Goal: sockets for verify, both kinds for the others; the user's with --user; no template; nothing where nothing is known.
        foreach (string shell in (string[])["bash", "zsh", "fish"])
        {
            // fish offers the whole word, "--option=" included.
            IEnumerable<string> offered = (await Shell.OfferAsync(shell, line)).Select(word => word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            Assert.Equal(expected, string.Join(' ', offered));
        }
    }

    private static IEnumerable<string> NamesOf(Option option) =>
        option.Aliases.Append(option.Name).Where(name => name.StartsWith("--", StringComparison.Ordinal));

    [GeneratedRegex(@"^  (?:-\w, )?(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex OptionInHelp();
}
