using System.Text.Json;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd check</c> on files: what it prints, and what it exits with.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CheckTests() => Requires.Proxyd();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_trap_is_named_with_its_place_and_its_fix()
    {
        // Goal: one can go from the output to the line and mend it; the exit status tells scripts.
        WriteTrio("PartOf=web.service");

        (int status, string output, string errors) = Run("check", _folder.File("."));

        Assert.Equal((1, ""), (status, errors));
        Assert.Contains("error  PXD001  web.socket", output, StringComparison.Ordinal);
        Assert.Contains("/web.socket:2\n", output, StringComparison.Ordinal);
        Assert.Contains("fix: remove the line", output, StringComparison.Ordinal);
        Assert.Contains("2 units: 1 error, 0 warnings, 0 notes", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clean_trio_is_said_to_be_clean()
    {
        // Goal: no finding, no failure, and what was looked at.
        WriteTrio("");

        Assert.Equal((0, "2 units: 0 errors, 0 warnings, 0 notes\n", ""), Run("check", _folder.File(".")));
    }

    [Fact]
    public void A_file_is_judged_with_its_trio()
    {
        // Goal: the trap is in the socket, the question was about the service; the rest of the folder is not asked for.
        WriteTrio("PartOf=web.service");
        _folder.Write("other.socket", "[Unit]\nPartOf=other.service\n[Socket]\nListenStream=9\n");
        _folder.Write("other.service", "[Service]\nUser=nobody\nExecStart=/usr/bin/proxyd 127.0.0.1:10\n");

        (int status, string output, _) = Run("check", "--json", _folder.File("web.service"));

        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal(1, status);
        Assert.Equal(["web.service", "web.socket"], json.RootElement.GetProperty("units").EnumerateArray().Select(unit => unit.GetString()));
        JsonElement finding = Assert.Single(json.RootElement.GetProperty("findings").EnumerateArray());
        Assert.Equal("PXD001", finding.GetProperty("rule").GetString());
        Assert.Equal("error", finding.GetProperty("severity").GetString());
        Assert.Equal(2, finding.GetProperty("line").GetInt32());
    }

    [Fact]
    public void A_note_is_no_failure()
    {
        // Goal: advice does not break a build.
        _folder.Write("web.service", "[Service]\nEnvironment=PORT=8080\nExecStart=/usr/bin/web\nRestart=always\n");

        (int status, string output, _) = Run("check", _folder.File("web.service"));

        Assert.Equal(0, status);
        Assert.Contains("1 unit: 0 errors, 0 warnings, 1 note;", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_can_be_explained()
    {
        // Goal: the story with its man page, by an id in any case; and the list.
        (int status, string output, _) = Run("check", "--explain", "pxd001");
        Assert.Equal(0, status);
        Assert.StartsWith("PXD001  socket tied to its proxy (error)\n", output, StringComparison.Ordinal);
        Assert.Contains("\nSee: systemd.unit(5)", output, StringComparison.Ordinal);
        Assert.Contains("PXD002  error", Run("check", "--explain", "all").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PXD999", "--explain", "PXD999")]
    [InlineData("--frobnicate", "--frobnicate")]
    [InlineData("/nonexistent/web.service", "/nonexistent/web.service")]
    [InlineData("no unit", "/")]
    public void What_can_not_be_done_is_told_in_one_line(string part, params string[] arguments)
    {
        // Goal: exit status 2, one line that names the culprit, nothing on stdout.
        (int status, string output, string errors) = Run(["check", .. arguments]);

        Assert.Equal((2, ""), (status, output));
        Assert.Contains(part, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private void WriteTrio(string tie)
    {
        _folder.Write("web.socket", $"[Unit]\n{tie}\n[Socket]\nListenStream=127.0.0.1:8080\n");
        _folder.Write("web.service", "[Service]\nUser=nobody\nExecStart=/usr/bin/proxyd 127.0.0.1:18080\n");
    }

    private static (int Status, string Output, string Errors) Run(params string[] arguments)
    {
        using Subject subject = Subject.Start(new SubjectSetup { Arguments = arguments });
        int status = subject.WaitForExit();
        return (status, Joined(subject.Output), Joined(subject.Log));
    }

    private static string Joined(string[] lines) => string.Concat(lines.Select(line => line + "\n"));
}
