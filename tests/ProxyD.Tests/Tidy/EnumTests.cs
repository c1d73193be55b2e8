using System.Text.RegularExpressions;

namespace ProxyD.Tests.Tidy;

/// <summary>A state is an enum value with one sentence.</summary>
public sealed partial class EnumTests
{
    /// <summary>Values that another document describes, by their own names.</summary>
    private static readonly Dictionary<string, string> s_documentedElsewhere = new() { ["Errno"] = "errno(3)" };

    [Fact]
    public void Every_enum_value_says_what_it_means() =>
        // Goal: nobody has to read the code to learn what a state is.
        Rule.IsKept(SourceFile.OfProduct().SelectMany(Undocumented));

    [Fact]
    public void The_rule_sees_the_enums()
    {
        // Goal: it is not empty for want of matches.
        string[] names = [.. SourceFile.OfProduct().SelectMany(f => EnumHead().Matches(f.Code)).Select(m => m.Groups[1].Value)];
        Assert.Superset(new HashSet<string> { "FlowState", "BackendState", "ServicePhase", "CloseReason", "Errno" }, names.ToHashSet());
    }

    [Theory]
    [InlineData("internal enum A\n{\n    B,\n}\n", "B has no summary")]
    [InlineData("internal enum A\n{\n    /// <summary>One.</summary>\n    B,\n\n    C = 5,\n}\n", "C has no summary")]
    [InlineData("internal enum A\n{\n    // One.\n    B,\n}\n", "B has no summary")]
    [InlineData("internal enum A\n{\n    /// <summary></summary>\n    B,\n}\n", "B has no summary")]
    [InlineData("internal enum A\n{\n    /// <summary>No sentence</summary>\n    B,\n}\n", "B's summary is no sentence")]
    public void A_value_without_its_sentence_is_reported(string text, string expected) =>
        // Goal: first or later value, plain comment or empty summary.
        Assert.EndsWith(expected, Assert.Single(Undocumented(new("src/ProxyD/Sample.cs", text))), StringComparison.Ordinal);

    [Theory]
    [InlineData("internal enum A\n{\n    /// <summary>One.</summary>\n    B,\n\n    /// <summary>Two.</summary>\n    [Obsolete]\n    C = 1,\n}\n")]
    [InlineData("internal enum A : short\n{\n    /// <summary>\n    /// One, {in braces}.\n    /// </summary>\n    B = 1 << 5\n}\n")]
    [InlineData("internal enum Errno\n{\n    EPERM = 1,\n}\n")]
    public void A_value_with_its_sentence_is_not_reported(string text) =>
        // Goal: attributes and long comments don't hide the sentence.
        Assert.Empty(Undocumented(new("src/ProxyD/Sample.cs", text)));

    private static IEnumerable<string> Undocumented(SourceFile file)
    {
        foreach (Match head in EnumHead().Matches(file.Code))
        {
            if (s_documentedElsewhere.ContainsKey(head.Groups[1].Value))
                continue;
            int start = head.Index + head.Length;
            int end = file.Code.IndexOf('}', start);
            foreach (Match value in Value().Matches(file.Code[start..end]))
            {
                int line = file.LineOf(start + value.Groups[1].Index);
                string summary = SummaryAbove(file.Lines, line - 1);
                if (summary.Length == 0)
                    yield return $"{file.Path}({line}): {value.Groups[1].Value} has no summary";
                else if (!summary.EndsWith('.'))
                    yield return $"{file.Path}({line}): {value.Groups[1].Value}'s summary is no sentence";
            }
        }
    }

    private static string SummaryAbove(string[] lines, int line)
    {
        string comment = "";
        for (int i = line - 1; i >= 0 && (IsDoc(lines[i]) || (comment.Length == 0 && lines[i].TrimStart().StartsWith('['))); i--)
            comment = IsDoc(lines[i]) ? lines[i].Trim()[3..] + comment : comment;
        return Summary().Match(comment).Groups[1].Value.Trim();
    }

    private static bool IsDoc(string line) => line.TrimStart().StartsWith("///", StringComparison.Ordinal);

    [GeneratedRegex(@"\benum\s+(\w+)[^{;]*\{")]
    private static partial Regex EnumHead();

    /// <summary>A name up to its comma or the end; its attributes are passed over.</summary>
    [GeneratedRegex(@"\s*(?:\[[^\]]*\]\s*)*(\w+)[^,]*(?:,|$)")]
    private static partial Regex Value();

    [GeneratedRegex(@"<summary>(.*?)</summary>")]
    private static partial Regex Summary();
}
