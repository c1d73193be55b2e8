using System.Diagnostics;
using ProxyD.Tests.Pure;
using ProxyD.Units;

namespace ProxyD.Tests.Units;

/// <summary>Our diffs against diff(1), which must print the same, and patch(1) and git-apply(1), which must carry them out.</summary>
[Collection(StartsProcesses.Name)]
public sealed class UnifiedDiffTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("proxyd-diff-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string> Texts => new()
    {
        { Lines(1, 9), Lines(1, 9).Replace("line 5\n", "changed\n", StringComparison.Ordinal) },
        { Lines(1, 9), "new\n" + Lines(1, 9) },
        { Lines(1, 9), Lines(1, 9) + "new\n" },
        { Lines(1, 9), Lines(2, 9) },
        { Lines(1, 9), Lines(1, 8) },
        { Lines(1, 9), Lines(20, 30) },
        // Six equal lines between two changes keep them in one hunk, seven don't.
        { Lines(1, 30), Lines(1, 30).Replace("line 10\n", "", StringComparison.Ordinal).Replace("line 17\n", "", StringComparison.Ordinal) },
        { Lines(1, 30), Lines(1, 30).Replace("line 10\n", "", StringComparison.Ordinal).Replace("line 18\n", "", StringComparison.Ordinal) },
        { Lines(1, 3), Lines(1, 3).TrimEnd('\n') },
        { Lines(1, 3).TrimEnd('\n'), Lines(1, 3) },
        { Lines(1, 3).TrimEnd('\n'), Lines(1, 4).TrimEnd('\n') },
        { "x", "y" },
        { "", "x\n" },
        { "x\n", "" },
        { "x\r\ny\r\n", "x\r\nz\r\n" },
        { "\n\n\n", "\n\n" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void It_prints_what_diff_prints(string before, string after)
    {
        // Goal: hunks, ranges, contexts and the words about a missing line end, byte for byte.
        string[] ours = UnifiedDiff.Between(before, after, "/etc/x").Split('\n');
        string[] theirs = Run("diff", 1, "", "-u", Write("old", before), Write("new", after)).Split('\n');
        Assert.Equal(["--- a/etc/x", "+++ b/etc/x"], ours[..2]);
        Assert.Equal(theirs[2..], ours[2..]);
    }

    [Fact]
    public void Random_texts_are_changed_into_each_other_with_as_few_lines_as_diff_needs()
    {
        // Goal: whatever the texts, patch makes one of the other, and nothing is printed as changed that diff leaves alone.
        Seeded.Run(random =>
        {
            for (int i = 0; i < 150; i++)
            {
                (string before, string after) = (RandomText(random), RandomText(random));
                string diff = UnifiedDiff.Between(before, after, "file");
                if (before == after)
                {
                    Assert.Equal("", diff);
                    continue;
                }
                string file = Write("file", before);
                Run("patch", 0, diff, "-p1", "-s", "-d", _folder);
                Assert.Equal(after, File.Exists(file) ? File.ReadAllText(file) : "");
                string theirs = Run("diff", 1, "", "-u", "--minimal", Write("old", before), Write("new", after));
                Assert.Equal(Changed(theirs), Changed(diff));
            }
        });
    }

    [Theory]
    [InlineData("etc/plain.conf")]
    [InlineData("etc/with blank.conf")]
    [InlineData("etc/quote\"d.conf")]
    [InlineData("etc/tab\tand\nline \"\\.conf")]
    [InlineData("etc/back\\x2dslash.service")]
    [InlineData("etc/umlaut-ü.conf")]
    public void A_new_a_changed_and_a_removed_file_are_applied_by_patch_and_git(string path)
    {
        // Goal: /dev/null on one side means a file that is made or goes, and names arrive as they are.
        foreach (string[] program in (string[][])[["patch", "-p1", "-s", "-E", "-d", _folder], ["git", "-C", _folder, "apply", "-p1", "-"]])
        {
            string file = Path.Combine(_folder, path);
            Run(program[0], 0, UnifiedDiff.Between(null, "a\n", path), program[1..]);
            Assert.Equal("a\n", File.ReadAllText(file));
            Run(program[0], 0, UnifiedDiff.Between("a\n", "b", "/" + path), program[1..]);
            Assert.Equal("b", File.ReadAllText(file));
            Run(program[0], 0, UnifiedDiff.Between("b", null, path), program[1..]);
            Assert.False(File.Exists(file));
        }
    }

    [Fact]
    public void Texts_too_long_to_compare_are_replaced_between_their_equal_ends()
    {
        // Goal: no table of gigabytes; the diff is still right.
        string before = "head\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"a{i}\nsame\n")) + "tail\n";
        string after = "head\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"b{i}\nsame\n")) + "end\n";
        string diff = UnifiedDiff.Between(before, after, "file");
        Assert.Contains("\n@@ -1,6002 +1,6002 @@\n head\n-a0\n", diff, StringComparison.Ordinal);
        string file = Write("file", before);
        Run("patch", 0, diff, "-p1", "-s", "-d", _folder);
        Assert.Equal(after, File.ReadAllText(file));
    }

    [Fact]
    public void Where_nothing_changes_nothing_is_printed() =>
        // Goal: an empty answer means that there is nothing to do.
        Assert.Equal("", UnifiedDiff.Between("a\nb", "a\nb", "file"));

    private static string Lines(int first, int last) => string.Concat(Enumerable.Range(first, last - first + 1).Select(i => $"line {i}\n"));

    /// <summary>Few different lines, so that many are equal; often without a last line end.</summary>
    private static string RandomText(Random random)
    {
        string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => $"{(char)('a' + random.Next(8))}\n"));
        return random.Next(3) == 0 ? text.TrimEnd('\n') : text;
    }

    private static int Changed(string diff) => diff.Split('\n')[2..].Count(line => line is ['-' or '+', ..]);

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Run(string program, int expected, string input, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == expected, $"{program} exited {process.ExitCode}\n{errors.Result}{output.Result}\n{input}");
        return output.Result;
    }
}
