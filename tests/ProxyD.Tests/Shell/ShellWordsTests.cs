using System.Diagnostics;
using ProxyD.Shell;
using ProxyD.Tests.Pure;
using ProxyD.Units;

namespace ProxyD.Tests.Shell;

/// <summary>Commands as people quote them for a shell, and as a unit file must quote them again.</summary>
[Collection(StartsProcesses.Name)]
public sealed class ShellWordsTests
{
    [Theory]
    [InlineData("/bin/a b  c", "/bin/a|b|c")]
    [InlineData("  a\tb\n", "a|b")]
    [InlineData("'a b' \"c d\"", "a b|c d")]
    [InlineData("a' 'b\" \"c", "a b c")]
    [InlineData("'' \"\"", "|")]
    [InlineData("a\\ b \\' \\\"", "a b|'|\"")]
    [InlineData("'a\\b' \"a\\b\" \"a\\\"b\" \"a\\\\b\" \"\\$x\"", "a\\b|a\\b|a\"b|a\\b|$x")]
    [InlineData("$HOME * ~ ; a;b 100%", "$HOME|*|~|;|a;b|100%")]
    [InlineData("a\\", "a\\")]
    public void Words_are_those_of_a_shell_that_looks_nothing_up(string command, string expected)
    {
        // Goal: quotes and backslashes as in sh(1); what a shell would replace stays.
        Assert.Equal(expected.Split('|'), ShellWords.Split(command, out string? problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("a 'b", "' is never closed")]
    [InlineData("a \"b\\\"", "\" is never closed")]
    [InlineData("a | b", "| is for a shell")]
    [InlineData("a && b", "&& is for a shell")]
    [InlineData("a > log", "> is for a shell")]
    [InlineData("a 2>&1", "2>&1 is for a shell")]
    [InlineData("`which a` b", "` is for a shell")]
    [InlineData("a \"b `c`\"", "` is for a shell")]
    public void What_only_a_shell_can_do_is_told(string command, string expected)
    {
        // Goal: the daemon must not get a pipe's sign as its argument.
        Assert.Empty(ShellWords.Split(command, out string? problem));
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a '|' \"&&\" \\> '`' \\` \"\\`\"")]
    public void Quoted_it_is_an_argument(string command)
    {
        // Goal: whoever means the character can have it.
        Assert.Equal(["a", "|", "&&", ">", "`", "`", "`"], ShellWords.Split(command, out string? problem));
        Assert.Null(problem);
    }

    [Fact]
    public void Random_words_in_quotes_are_split_as_sh_splits_them()
    {
        // Goal: the same words as dash's, for whatever stands in quotes.
        Seeded.Run(random =>
        {
            string[] words = [.. Enumerable.Range(0, 40).Select(_ => RandomWord(random))];
            string command = string.Join(' ', words.Select(word => random.Next(2) == 0 ? Single(word) : Doubled(word)));
            using Process sh = Process.Start(new ProcessStartInfo("sh", ["-c", $"printf '%s\\0' {command}"]) { RedirectStandardOutput = true })!;
            string printed = sh.StandardOutput.ReadToEnd();
            sh.WaitForExit();
            Assert.Equal(words, printed[..^1].Split('\0'));
            Assert.Equal(words, ShellWords.Split(command, out _));
        });
    }

    [Theory]
    [InlineData("/usr/bin/node /srv/app.js", "/usr/bin/node /srv/app.js")]
    [InlineData("/bin/a 100% $HOME ; a;b", "/bin/a 100%% $$HOME \\; a;b")]
    [InlineData("/bin/a 'b c' '' '\"' '\\' \"'\"", "/bin/a \"b c\" \"\" \"\\\"\" \"\\\\\" \"'\"")]
    [InlineData("'/a b/$x' '$x y'", "\"/a b/$x\" \"$$x y\"")]
    [InlineData("/bin/a 'b\nc\td' ü", "/bin/a \"b\\x0ac\\x09d\" \"ü\"")]
    [InlineData("/bin/a '%n' '%%'", "/bin/a %%n %%%%")]
    public void A_unit_file_quotes_them_its_own_way(string command, string expected) =>
        // Goal: specifiers, variables and the separator of commands mean nothing, as the first word's dollar sign does to systemd.
        Assert.Equal(expected, UnitQuoting.Command(ShellWords.Split(command, out _)));

    [Fact]
    public void What_was_quoted_is_read_back()
    {
        // Goal: our own reader of command lines, which is tried on all units of the machine, finds the same words.
        Seeded.Run(random =>
        {
            string[] words = ["/bin/a", .. Enumerable.Range(0, 40).Select(_ => RandomWord(random)), ";"];
            ExecCommand command = Assert.Single(ExecLine.Parse(UnitQuoting.Command(words)));
            Assert.Equal(words, command.Words.Select(word => word
                .Replace("%%", "%", StringComparison.Ordinal).Replace("$$", "$", StringComparison.Ordinal)));
        });
    }

    private static string RandomWord(Random random) =>
        new([.. Enumerable.Range(0, random.Next(6)).Select(_ => "ab \"'\\$%;|>*~\t\nü"[random.Next(16)])]);

    private static string Single(string word) => "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static string Doubled(string word) =>
        "\"" + string.Concat(word.Select(c => c is '"' or '\\' or '$' or '`' ? $"\\{c}" : c.ToString())) + "\"";
}
