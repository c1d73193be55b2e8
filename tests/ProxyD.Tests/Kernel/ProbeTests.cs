using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyD.Backend;
using ProxyD.Interop;

namespace ProxyD.Tests.Kernel;

/// <summary>The readiness probes, against real sockets and real commands.</summary>
[Collection(StartsProcesses.Name)]
public sealed class ProbeTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", null, true)]
    [InlineData("HTTP/1.0 204 No Content\r\n\r\n", null, true)]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", null, false)]
    [InlineData("HTTP/1.1 302 Found\r\n\r\n", null, false)]
    [InlineData("HTTP/1.1 401 Unauthorized\r\n\r\n", 401, true)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", 401, false)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", null, false)]
    [InlineData("", null, false)]
    public async Task The_status_of_the_path_decides(string answer, int? status, bool isReady)
    {
        // Goal: 2xx, or exactly what was asked for; anything else is "not yet", with a cause that names the path.
        using Socket listener = RelayHarness.Listen(IPAddress.Loopback);
        Task<string> asked = AnswerAsync(listener, answer);
        ProbeResult result = await Probe(listener.LocalEndPoint!.ToString()!, status).TryAsync(TestContext.Current.CancellationToken);
        Assert.Equal(isReady, result.IsReady);
        Assert.StartsWith("GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:", await asked, StringComparison.Ordinal);
        if (!isReady)
            Assert.Contains("/health?x=1", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_who_listens_is_not_ready()
    {
        // Goal: refused is an answer like any other, not an exception.
        ProbeResult result = await Probe(RelayHarness.FreeEndpoint().ToString(), null).TryAsync(TestContext.Current.CancellationToken);
        Assert.Equal((false, false), (result.IsReady, result.Answers));
    }

    [Fact]
    public async Task A_Unix_socket_is_asked_too()
    {
        // Goal: backends behind a path have health checks as well.
        string path = Path.Combine(Path.GetTempPath(), $"proxyd-probe-{Environment.ProcessId}.sock");
        try
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            Task<string> asked = AnswerAsync(listener, "HTTP/1.1 200 OK\r\n\r\n");
            Assert.True((await Probe(path, null).TryAsync(TestContext.Current.CancellationToken)).IsReady);
            Assert.Contains("Host: localhost", await asked, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_try_ends_when_it_is_cancelled()
    {
        // Goal: a server that takes the connection and says nothing holds nobody up.
        using Socket listener = RelayHarness.Listen(IPAddress.Loopback);
        using CancellationTokenSource stop = new();
        Task<ProbeResult> probing = Probe(listener.LocalEndPoint!.ToString()!, null).TryAsync(stop.Token);
        await stop.CancelAsync();
        Assert.False((await probing.WaitAsync(RelayHarness.Patience, TestContext.Current.CancellationToken)).IsReady);
    }

    [Theory]
    [InlineData("true", true, null)]
    [InlineData("exit 3", false, "'exit 3' exited with status 3")]
    [InlineData("true && exit 4", false, "exited with status 4")]
    [InlineData("kill -9 $$", false, "was killed by signal 9")]
    public async Task A_commands_exit_status_decides(string command, bool isReady, string? problem)
    {
        // Goal: status 0 is ready, all else is not, and the command is named.
        ProbeResult result = await new CommandProbe(command).TryAsync(TestContext.Current.CancellationToken);
        Assert.Equal(isReady, result.IsReady);
        Assert.Contains(problem ?? "", result.Problem ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(199, false), InlineData(200, true), InlineData(399, true), InlineData(400, false), InlineData(401, true), InlineData(402, false)]
    public void Several_statuses_may_be_enough(int answered, bool isReady)
    {
        // Goal: ranges and single ones; what was expected is told.
        Assert.True(Address.TryParse("127.0.0.1:1", null, out Address? backend, out _));
        ProbeResult result = new HttpProbe(backend, "/", [(200, 399), (401, 401)]).Judge($"HTTP/1.1 {answered}");
        Assert.Equal(isReady, result.IsReady);
        Assert.Equal(isReady ? null : $"GET /: {answered}, expected 200-399, 401", result.Problem);
    }

    [Fact]
    public async Task A_command_that_hangs_is_killed_with_its_whole_group_when_nobody_asks_any_more()
    {
        // Goal: no process is left behind by a client that went away.
        using CancellationTokenSource stop = new();
        Task<ProbeResult> probing = new CommandProbe("sh -c 'sleep 600; true'").TryAsync(stop.Token);
        await stop.CancelAsync();
        ProbeResult result = await probing.WaitAsync(RelayHarness.Patience, TestContext.Current.CancellationToken);
        Assert.Contains("was killed by signal 9", result.Problem, StringComparison.Ordinal);
    }

    private static HttpProbe Probe(string address, int? status)
    {
        Assert.True(Address.TryParse(address, null, out Address? backend, out _));
        return new(backend, "/health?x=1", status is { } only ? [(only, only)] : []);
    }

    private static async Task<string> AnswerAsync(Socket listener, string answer)
    {
        using Socket client = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        byte[] request = new byte[4096];
        int got = await client.ReceiveAsync(request, TestContext.Current.CancellationToken);
        await client.SendAsync(Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(request, 0, got);
    }
}
