using System.Net;
using System.Text.Json;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd verify</c> when something comes in between; with a server in place of proxy and backend.</summary>
public sealed class VerifyCommandTests : IDisposable
{
    private readonly IPEndPoint _public = Addresses.FreeEndPoint();
    private readonly FakeSystemd _systemd = new();
    private readonly Backend _server;
    private int _requests;
    private Action<int> _atRequest = _ => { };

    public VerifyCommandTests()
    {
        Requires.Proxyd();
        _server = Backend.Start(_public, Answer);
        _systemd.Show("web.socket", $"Listen={_public} (Stream)", "Accept=no", "Triggers=web.service");
        _systemd.Show(
            "web.service", "ExecStart={ path=/x/proxyd ; argv[]=/x/proxyd 127.0.0.1:1 --backend-unit=web-backend.service ; ignore_errors=no ; }");
        _systemd.Show("web-backend.service", "Type=simple");
        _systemd.Run("web.socket");
    }

    public void Dispose()
    {
        _server.Dispose();
        _systemd.Dispose();
    }

    [Fact]
    public void What_can_not_be_restored_is_told_below_the_table()
    {
        // Goal: the steps have passed and are shown; a backend that ran and doesn't start again makes the whole fail, and is named.
        _systemd.Run("web-backend.service");
        _systemd.Fail("start web-backend.service");
        (int status, JsonElement result) = Verify();
        Assert.Equal(1, status);
        Assert.False(result.GetProperty("passed").GetBoolean());
        Assert.Equal(5, result.GetProperty("steps").GetArrayLength());
        Assert.All(result.GetProperty("steps").EnumerateArray(), step => Assert.True(step.GetProperty("passed").GetBoolean()));
        Assert.Equal(
            ["not as it was found: systemctl start web-backend.service: Failed: as the test wants it; expected the right to do that, and units that can"],
            Failures(result));

        _systemd.Run("web-backend.service");
        using Subject table = _systemd.Start("verify", "web", "--user");
        Assert.Equal(1, table.WaitForExit());
        Assert.Contains(table.Output, line => line.StartsWith("not as it was found: systemctl start web-backend.service", StringComparison.Ordinal));
    }

    [Fact]
    public void No_time_at_all_is_refused()
    {
        // Goal: what can't be answered is no failure of the units.
        using Subject proxyd = _systemd.Start("verify", "web", "--timeout=0");
        Assert.Equal(2, proxyd.WaitForExit());
        Assert.Equal(["proxyd: --timeout=0 leaves no time to answer; expected a longer time"], proxyd.Log);
    }

    [Fact]
    public void A_step_that_breaks_off_leaves_those_before_it_to_be_seen()
    {
        // Goal: systemd refuses in the middle: what was seen until then is shown, and why it ended.
        _atRequest = number => _systemd.Fail(number == 2 ? ["stop web-backend.service"] : []);
        (int status, JsonElement result) = Verify();
        Assert.Equal(1, status);
        Assert.Equal(["cold", "warm"], Steps(result));
        Assert.StartsWith("systemctl stop web-backend.service: Failed: as the test wants it", Assert.Single(Failures(result)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_comes_in_between_is_not_cut()
    {
        // Goal: it was not there when verify began; from then on nothing is stopped, and the steps that need it say why they failed.
        Peer? late = null;
        _atRequest = number => late = number == 2 ? Peer.Connect(_public) : late;
        (int status, JsonElement result) = Verify();
        late!.Dispose();
        Assert.Equal(1, status);
        Assert.Equal(["cold", "warm", "killed, and again", "ten at once, cold", "public socket"], Steps(result));
        foreach (int index in (int[])[2, 3])
        {
            Assert.Equal("not tried: 1 live connection; expected none, or --yes", result.GetProperty("steps")[index].GetProperty("seen").GetString());
            Assert.False(result.GetProperty("steps")[index].GetProperty("passed").GetBoolean());
        }
        Assert.Single(_systemd.Calls, call => call.StartsWith("stop ", StringComparison.Ordinal));
        Assert.DoesNotContain(_systemd.Calls, call => call.StartsWith("kill ", StringComparison.Ordinal));
    }

    [Fact]
    public void With_yes_nobody_is_asked()
    {
        // Goal: the same client doesn't keep any step from being tried.
        Peer? late = null;
        _atRequest = number => late = number == 2 ? Peer.Connect(_public) : late;
        (int status, _) = Verify("--yes");
        late!.Dispose();
        Assert.Equal(0, status);
        Assert.Equal(3, _systemd.Calls.Count(call => call == "stop web-backend.service"));
    }

    private static string[] Steps(JsonElement result) =>
        [.. result.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()!)];

    private static string[] Failures(JsonElement result) => [.. result.GetProperty("failures").EnumerateArray().Select(line => line.GetString()!)];

    private (int Status, JsonElement Result) Verify(params string[] options)
    {
        using Subject subject = _systemd.Start(["verify", "web", "--user", "--json", .. options]);
        int status = subject.WaitForExit();
        return (status, JsonDocument.Parse(string.Concat(subject.Output)).RootElement);
    }

    /// <summary>Whoever says nothing stays.</summary>
    private void Answer(Peer peer)
    {
        if (peer.Socket.Receive(new byte[1000]) == 0)
            return;
        _atRequest(Interlocked.Increment(ref _requests));
        peer.Socket.Send("HTTP/1.1 204 No Content\r\n\r\n"u8);
        peer.Socket.Dispose();
    }
}
