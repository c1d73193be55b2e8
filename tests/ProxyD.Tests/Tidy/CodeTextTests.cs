using System.Text.RegularExpressions;

namespace ProxyD.Tests.Tidy;

/// <summary>The rules are as good as what they read: only code, all of it, in its place.</summary>
public sealed partial class CodeTextTests
{
    [Theory]
    [InlineData("a; // throw", "a;")]
    [InlineData("a; /* throw */ b;", "a; b;")]
    [InlineData("a = \"throw \\\" throw\"; b;", "a = ; b;")]
    [InlineData("a = @\"throw \\\"; b;", "a = ; b;")]
    [InlineData("a = @\"x\"\"throw\"; b;", "a = ; b;")]
    [InlineData("a = $\"throw {b} {{throw}}\"; c;", "a = b ; c;")]
    [InlineData("a = $@\"throw \\{b}\"; c;", "a = b ; c;")]
    [InlineData("a = $\"{f(\"}\")}\"; c;", "a = f( ) ; c;")]
    [InlineData("a = $\"{x switch { 1 => \"throw\" }}\"; c;", "a = x switch { 1 => } ; c;")]
    [InlineData("a = \"\"\"throw \"\" throw\"\"\"; b;", "a = ; b;")]
    [InlineData("a = $$\"\"\"{throw} {{b}}\"\"\"; c;", "a = b ; c;")]
    [InlineData("a = '\"'; b = '\\''; c;", "a = ; b = ; c;")]
    [InlineData("a = \"\"; b;", "a = ; b;")]
    [InlineData("a = \"// no comment\"; b;", "a = ; b;")]
    public void Comments_and_literals_go_and_code_stays_where_it_was(string text, string expected)
    {
        // Goal: each kind of comment and literal of the language.
        string code = CodeText.Of(text);
        Assert.Equal(expected, Blanks().Replace(code, " ").TrimEnd());
        Assert.Equal(text.Length, code.Length);
        Assert.All(code.Index(), c => Assert.True(c.Item == ' ' || c.Item == text[c.Index]));
    }

    [Fact]
    public void Lines_stay_lines()
    {
        // Goal: a rule's line number is the file's.
        Assert.Equal("  \n  \n  \n  x", CodeText.Of("/*\n*/\n\"\"\n  x"));
    }

    [Fact]
    public void Every_file_here_leaves_balanced_braces()
    {
        // Goal: no real file confuses the reader.
        Assert.All(SourceFile.CSharp(), file => Assert.True(file.Code.Count(c => c == '{') == file.Code.Count(c => c == '}'), file.Path));
    }

    [GeneratedRegex(" +")]
    private static partial Regex Blanks();
}
