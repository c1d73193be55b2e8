namespace ProxyD.Tests.Tidy;

public sealed class SizeTests
{
    [Fact]
    public void No_file_is_longer_than_its_limit() =>
        // Goal: a file is one subject.
        Rule.IsKept(SourceFile.CSharp().SelectMany(SizeRules.FileTooLong));

    [Fact]
    public void No_function_is_longer_than_its_limit() =>
        // Goal: a function fits a screen.
        Rule.IsKept(SourceFile.CSharp().SelectMany(SizeRules.FunctionsTooLong));

    [Fact]
    public void No_line_is_longer_than_its_limit() =>
        // Goal: two files fit side by side.
        Rule.IsKept(SourceFile.CSharp().SelectMany(SizeRules.LinesTooLong));

    [Theory]
    [InlineData(SizeRules.FileLinesMax - 1, false)]
    [InlineData(SizeRules.FileLinesMax, false)]
    [InlineData(SizeRules.FileLinesMax + 1, true)]
    public void A_file_over_the_limit_is_reported(int lines, bool reported)
    {
        // Goal: at limit - 1, limit and limit + 1.
        SourceFile sample = new("src/ProxyD/Sample.cs", string.Concat(Enumerable.Repeat("x\n", lines)));
        Assert.Equal(reported, SizeRules.FileTooLong(sample).Any());
    }

    [Theory]
    [InlineData(SizeRules.LineColumnsMax - 1, false)]
    [InlineData(SizeRules.LineColumnsMax, false)]
    [InlineData(SizeRules.LineColumnsMax + 1, true)]
    public void A_line_over_the_limit_is_reported(int columns, bool reported)
    {
        // Goal: comments count as well as code.
        SourceFile sample = new("src/ProxyD/Sample.cs", $"x;\n//{new string('x', columns - 2)}\n");
        Assert.Equal(reported ? ["src/ProxyD/Sample.cs(2): 161 columns, at most 160"] : [], SizeRules.LinesTooLong(sample));
    }

    [Theory]
    [InlineData("internal static void Method()\n    {", "}")]
    [InlineData("internal static void Method<T>()\n        where T : class\n    {", "}")]
    [InlineData("internal int Property\n    {", "}")]
    [InlineData("internal int Method(int x) => x switch\n    {", "};")]
    [InlineData("internal Action Method() => () =>\n    {", "};")]
    [InlineData("internal void Method() => Run(() =>\n    {", "});")]
    public void A_function_over_the_limit_is_reported(string head, string tail)
    {
        // Goal: whatever kind of body it has, nested types and strings around it or not.
        foreach (int lines in (int[])[SizeRules.FunctionLinesMax - 1, SizeRules.FunctionLinesMax, SizeRules.FunctionLinesMax + 1])
        {
            int body = lines - head.Count(c => c == '\n') - 2;
            string filler = string.Concat(Enumerable.Repeat("// x\n", body));
            string text = "/// <summary>{</summary>\ninternal sealed class Outer\n{\n    private sealed class Inner\n    {\n"
                + $"    string s = \"}}\";\n    {head}\n{filler}    {tail}\n    }}\n}}\n";
            string[] violations = [.. SizeRules.FunctionsTooLong(new("src/ProxyD/Sample.cs", text))];
            Assert.Equal(lines > SizeRules.FunctionLinesMax, violations.Length > 0);
            const string Expected = "src/ProxyD/Sample.cs(7): 61 lines, at most 60: internal ";
            Assert.All(violations, v => Assert.StartsWith(Expected, v, StringComparison.Ordinal));
        }
    }
}
