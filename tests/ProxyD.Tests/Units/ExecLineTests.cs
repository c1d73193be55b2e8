using ProxyD.Tests.Pure;
using ProxyD.Units;

namespace ProxyD.Tests.Units;

public sealed class ExecLineTests
{
    [Theory]
    [InlineData("/bin/a b  c", "|/bin/a|b|c")]
    [InlineData("/bin/a \"b c\" 'd \"e'", "|/bin/a|b c|d \"e")]
    [InlineData("/bin/a b\"c d\"e", "|/bin/a|bc de")]
    [InlineData("/bin/a \"\" b", "|/bin/a||b")]
    [InlineData(@"/bin/a \x41\101\u00e9 \n\s\t. \q", "|/bin/a|AAé|\n \t.|\\q")]
    [InlineData(@"/bin/a 'it\'s' ""\""""", "|/bin/a|it's|\"")]
    [InlineData("-/bin/a", "-|/bin/a")]
    [InlineData("!!-:+/bin/a b", "!!-:+|/bin/a|b")]
    [InlineData("@/bin/a name b", "@|/bin/a|b")]
    [InlineData("a $B ${C} %", "|a|$B|${C}|%")]
    [InlineData("/bin/a b ; /bin/c d", "|/bin/a|b", "|/bin/c|d")]
    [InlineData(@"/bin/a \; "";"" b;", "|/bin/a|;|;|b;")]
    [InlineData("/bin/a 'open")]
    [InlineData("")]
    public void A_line_is_split_as_systemd_splits_it(string line, params string[] expected) =>
        // Goal: quotes, escapes, prefixes and several commands; an open quote spoils the whole line.
        Assert.Equal(expected, ExecLine.Parse(line).Select(c => string.Join('|', [c.Prefixes, .. c.Words])));

    [Fact]
    public void What_is_joined_is_split_into_the_same_words() => Seeded.Run(random =>
    {
        // Goal: any words survive being written into a unit.
        const string characters = "ab \t\"'\\;$%é#";
        for (int i = 0; i < 1000; i++)
        {
            string[] words = ["/bin/a", .. Enumerable.Range(0, random.Next(4)).Select(_ => new string(random.GetItems<char>(characters, random.Next(6))))];
            Assert.Equal(words, Assert.Single(ExecLine.Parse(ExecLine.Join(words))).Words);
        }
    });

    [Fact]
    public void A_list_of_units_keeps_its_backslashes() =>
        // Goal: dev-disk\x2d1.device is a name, not an escape.
        Assert.Equal([@"a\x2d1.device", "b c"], Words.Split(@"a\x2d1.device 'b c'", keepsEscapes: true));
}
