using System.Text;
using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>Which answers pass, and how they are told.</summary>
public sealed class VerifyJudgeTests
{
    [Theory]
    [InlineData(99, false, false)]
    [InlineData(100, true, false)]
    [InlineData(199, true, false)]
    [InlineData(200, true, true)]
    [InlineData(399, true, true)]
    [InlineData(400, true, false)]
    [InlineData(499, true, false)]
    [InlineData(500, false, false)]
    [InlineData(503, false, false)]
    public void Without_a_path_a_status_below_500_passes_with_one_only_2xx_and_3xx(int status, bool any, bool path)
    {
        // Goal: both ends of each range.
        VerifyAnswer answer = new(AnswerKind.HttpStatus, status, "", 1);
        Assert.Equal((any, path), (VerifyJudge.IsGood(VerifyCheck.AnyHttp, answer), VerifyJudge.IsGood(VerifyCheck.Path, answer)));
    }

    [Theory]
    [InlineData(AnswerKind.Bytes, false, true)]
    [InlineData(AnswerKind.AcceptedAndOpen, false, true)]
    [InlineData(AnswerKind.HttpStatus, true, true)]
    [InlineData(AnswerKind.Refused, false, false)]
    [InlineData(AnswerKind.Reset, false, false)]
    [InlineData(AnswerKind.Closed, false, false)]
    [InlineData(AnswerKind.TimedOut, false, false)]
    public void Of_a_foreign_protocol_whatever_comes_passes_but_an_end_or_nothing_does_not(object kind, bool http, bool tcp)
    {
        // Goal: no kind is forgotten, for either check.
        VerifyAnswer answer = new((AnswerKind)kind, kind is AnswerKind.HttpStatus ? 200 : 0, "", 1);
        Assert.Equal((http, tcp), (VerifyJudge.IsGood(VerifyCheck.AnyHttp, answer), VerifyJudge.IsGood(VerifyCheck.Tcp, answer)));
    }

    [Theory]
    [InlineData("HTTP/1.1 200", "HTTP 200")]
    [InlineData("HTTP/1.0 404 Not Found", "HTTP 404")]
    [InlineData("", "closed without an answer")]
    [InlineData("HTTP/1.1 2", "bytes: \"HTTP/1.1 2\"")]
    [InlineData("HTTP/1.1 abc", "bytes: \"HTTP/1.1 abc\"")]
    [InlineData("HTTP/1.1-200", "bytes: \"HTTP/1.1-200\"")]
    [InlineData("SSH-2.0-Open", "bytes: \"SSH-2.0-Open\"")]
    [InlineData("\x15\x03\x01\0\x02\r\n\"~\x7f\xff", "bytes: \".......\"~..\"")]
    public void The_first_bytes_are_told_in_one_line(string start, string seen) =>
        // Goal: a status line, a cut one, another protocol, bytes that would upset a terminal.
        Assert.Equal(seen, VerifyJudge.Seen(VerifyJudge.Read(Encoding.Latin1.GetBytes(start), 1)));

    [Fact]
    public void Many_answers_are_told_as_those_who_were_served_and_what_the_others_got()
    {
        // Goal: counts by kind, the good ones first.
        VerifyAnswer ok = new(AnswerKind.HttpStatus, 200, "", 1), bad = new(AnswerKind.HttpStatus, 502, "", 2);
        VerifyAnswer reset = new(AnswerKind.Reset, 0, "", 3), refused = new(AnswerKind.Refused, 0, "refused", 4);
        Assert.Equal("3 of 3", VerifyJudge.Seen(VerifyCheck.AnyHttp, [ok, ok, ok]));
        Assert.Equal(
            "1 of 5; 2: reset without an answer; 1: HTTP 502; 1: refused",
            VerifyJudge.Seen(VerifyCheck.AnyHttp, [reset, ok, bad, reset, refused]));
    }

    [Theory]
    [InlineData(AnswerKind.HttpStatus, 404, true)]
    [InlineData(AnswerKind.HttpStatus, 500, true)]
    [InlineData(AnswerKind.HttpStatus, 503, false)]
    [InlineData(AnswerKind.Bytes, 0, true)]
    [InlineData(AnswerKind.Closed, 0, false)]
    [InlineData(AnswerKind.Refused, 0, false)]
    public void A_backend_that_answers_anything_is_up_unless_it_says_that_it_is_not(object kind, int status, bool isUp) =>
        // Goal: verify does not wait for a backend to become warm that answers, if badly.
        Assert.Equal(isUp, VerifyJudge.IsUp(new((AnswerKind)kind, status, "", 1)));
}
