using System.Text;
using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>What people are shown of a proxyd's answer, and of one that gave none.</summary>
public sealed class StatusTextTests
{
    private const string Ready = """
        {"format":1,"version":"0.1.0","pid":77,"runningMs":11520000,"draining":false,"summary":"","connectionsMax":256,"rejected":0,"destinations":[
          {"name":null,"address":"127.0.0.1:18080","starts":"web-backend.service","state":"ready","stateMs":720000,"cause":null,"nextStartMs":null,
           "live":3,"waiting":0,"waitingMs":null,"served":1204,"upBytes":1200000,"downBytes":33100000,"unanswered":1,"resetWaiting":2,
           "wakesAnswered":1,"wakesFailed":0,
           "wakes":[{"agoMs":240000,"clients":1,"orderedMs":1,"startedMs":4,"answersMs":57,"readyMs":57,"acceptedMs":57,"firstByteMs":60,
                     "endedMs":null,"problem":null}]}]}
        """;

    private static readonly ProxyUnit s_web = new()
    {
        Name = "web.service",
        State = "active",
        Status = "ready, 3 connections",
        ControlPath = "/run/web/control",
        Sockets = [("web.socket", "active")],
    };

    [Fact]
    public void One_proxy_is_shown_in_full()
    {
        // Goal: who it is, its backend, connections, bytes, losses, and the wake as a bar.
        Assert.Equal(
            """
            web.service: proxyd 0.1.0, pid 77, running for 3 h 12 min, 3 of 256 connections

              127.0.0.1:18080: ready for 12 min
                starts       web-backend.service
                connections  3 live, 0 waiting, 1204 served
                bytes        1.2 MB up, 33.1 MB down
                lost         2 clients reset while waiting, 1 connection unanswered
                wakes        1 answered, 0 failed

                LAST WAKES  CLIENTS  MS  0 to 60 ms
                4 min ago         1  60  ossaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabb
                waited until: o start ordered, s carried out, a backend answers, r client accepted, b first byte

            """,
            StatusText.Details(Answered(Ready), width: 79));
    }

    [Fact]
    public void Many_are_a_line_for_each_destination()
    {
        // Goal: the table that all, or no name, is answered with; one that sleeps is no problem.
        string two = Ready.TrimEnd()[..^2] + """,{"name":"api","address":"/run/api.sock","state":"failed","stateMs":90,"cause":"it is masked"}]}""";
        string[] lines = StatusText.Overview([Answered(two), Asleep()]).Split('\n');
        Assert.Equal("UNIT         DESTINATION      STATE   FOR     LIVE  WAITING  SERVED  UP      DOWN     WAKES  FAILED  CAUSE", lines[0]);
        Assert.Equal("web.service  127.0.0.1:18080  ready   12 min  3     0        1204    1.2 MB  33.1 MB  1      0", lines[1]);
        Assert.Equal("web.service  /run/api.sock    failed  90 ms   0     0        0       0 B     0 B      0      0       it is masked", lines[2]);
        Assert.Equal("web.service  -                asleep  -       -     -        -       -       -        -      -", lines[3]);
        Assert.Equal("No loaded service runs proxyd.\n", StatusText.Overview([]));
    }

    [Theory]
    [InlineData("\"state\":\"waking\",\"stateMs\":1,\"waiting\":2,\"waitingMs\":400", "waking for 400 ms", "2 waiting for 400 ms")]
    [InlineData("\"state\":\"failed\",\"stateMs\":90,\"cause\":\"masked\",\"nextStartMs\":4000", "failed for 90 ms: masked; next try in 4.0 s", "0 waiting")]
    [InlineData("\"state\":\"unknown\",\"stateMs\":null", "no client yet", "0 waiting")]
    [InlineData("\"state\":\"retiring\",\"stateMs\":5", "going to sleep for 5 ms", "0 waiting")]
    [InlineData("\"state\":\"frozen\",\"stateMs\":5", "asleep (frozen) for 5 ms", "0 waiting")]
    [InlineData("\"state\":\"dreaming\",\"stateMs\":5", "dreaming for 5 ms", "0 waiting")]
    [InlineData("\"state\":\"a\\u001b[31mb\\nc\",\"stateMs\":5", "a?[31mb?c for 5 ms", "0 waiting")]
    public void Each_state_has_its_words(string fields, string state, string waiting)
    {
        // Goal: also one that a later version may know, and nothing that commands a terminal.
        string text = StatusText.Details(Answered($$"""{"format":1,"destinations":[{"name":"web","address":"a:1",{{fields}}}]}"""), 80);
        Assert.Contains($"\n  web=a:1: {state}\n", text, StringComparison.Ordinal);
        Assert.Contains($" live, {waiting}, ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_happens_to_the_whole_process_is_in_its_first_line()
    {
        // Goal: the drain, and who was reset at the limit.
        string text = StatusText.Details(Answered("""{"format":1,"version":"2","pid":5,"runningMs":1,"draining":true,"connectionsMax":9,"rejected":4}"""), 80);
        Assert.Equal("web.service: proxyd 2, pid 5, running for 1 ms, draining, 0 of 9 connections; 4 reset at that limit\n", text);
    }

    [Fact]
    public void One_without_an_answer_is_told_with_what_systemd_knows()
    {
        // Goal: asleep behind its socket, down without one, failed, and running but mute.
        Assert.Equal("web.service: asleep; web.socket is active, and the next client starts it\n", StatusText.Details(Asleep(), 80));
        StatusFinding down = new(s_web with { State = "inactive", Sockets = [] }, null);
        Assert.Equal("web.service: inactive\n", StatusText.Details(down, 80));
        StatusFinding failed = new(s_web with { State = "failed", Sockets = [("web.socket", "failed")] }, null);
        Assert.Equal("web.service: failed; web.socket is failed\n", StatusText.Details(failed, 80));
        StatusFinding mute = new(s_web, new(null, "no answer within 5 s"));
        Assert.Equal("web.service: can't be asked: no answer within 5 s; it has told systemd \"ready, 3 connections\"\n", StatusText.Details(mute, 80));
        Assert.Equal((false, true, true), (Asleep().IsInTrouble, down.IsInTrouble, failed.IsInTrouble));
    }

    [Theory]
    [InlineData("", "it gave no answer")]
    [InlineData("HTTP/1.1 400 Bad Request\n", "its answer is no JSON")]
    [InlineData("[1]", "its answer is no object")]
    [InlineData("{}", "it answers in another format than 1; expected proxyd status of the version that runs")]
    [InlineData("{\"format\":\"1\"}", "it answers in another format than 1; expected proxyd status of the version that runs")]
    [InlineData("{\"format\":1,\"error\":\"only\\nroot\"}", "only?root")]
    public void An_answer_that_is_none_is_a_problem_in_words(string answer, string problem)
    {
        // Goal: whoever listens at that path, a line says what is wrong.
        StatusReply reply = StatusClient.Understand(Encoding.UTF8.GetBytes(answer));
        Assert.Null(reply.Json);
        Assert.Equal(problem, reply.Problem);
    }

    private static StatusFinding Asleep() => new(s_web with { State = "inactive" }, null);

    private static StatusFinding Answered(string json) => new(s_web, StatusClient.Understand(Encoding.UTF8.GetBytes(json)));
}
