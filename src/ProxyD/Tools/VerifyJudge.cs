using System.Globalization;
using System.Text;

namespace ProxyD.Tools;

/// <summary>Which answers are good ones, in the words of the table.</summary>
internal static class VerifyJudge
{
    /// <summary>How much is shown of what is no HTTP.</summary>
    private const int ShownCharactersMax = 20;

    /// <summary>Up to the status: "HTTP/1.1 200".</summary>
    internal const int StatusLineStart = 12;

    private const int ServiceUnavailable = 503;

    internal static string Expected(VerifyCheck check) => check switch
    {
        VerifyCheck.AnyHttp => "HTTP below 500",
        VerifyCheck.Path => "HTTP 2xx or 3xx",
        _ => "an open connection",
    };

    internal static bool IsGood(VerifyCheck check, VerifyAnswer answer) => check switch
    {
        VerifyCheck.AnyHttp => answer is { Kind: AnswerKind.HttpStatus, Status: >= 100 and < 500 },
        VerifyCheck.Path => answer is { Kind: AnswerKind.HttpStatus, Status: >= 200 and < 400 },
        _ => answer.Kind is AnswerKind.Bytes or AnswerKind.HttpStatus or AnswerKind.AcceptedAndOpen,
    };

    /// <summary>Whether the backend itself has answered, good or bad; 503 is what one says that is still starting (RFC 9110, 15.6.4).</summary>
    internal static bool IsUp(VerifyAnswer answer) =>
        answer.Kind is AnswerKind.HttpStatus or AnswerKind.Bytes or AnswerKind.AcceptedAndOpen && answer.Status != ServiceUnavailable;

    internal static string Seen(VerifyAnswer answer) => answer.Kind switch
    {
        AnswerKind.HttpStatus => string.Create(CultureInfo.InvariantCulture, $"HTTP {answer.Status}"),
        AnswerKind.Bytes => $"bytes: \"{Shown(answer.Text)}\"",
        AnswerKind.AcceptedAndOpen => "accepted, and open",
        AnswerKind.Refused => answer.Text,
        AnswerKind.Reset => "reset without an answer",
        AnswerKind.Closed => "closed without an answer",
        _ => "no answer in time",
    };

    /// <summary>The same for many clients at once: who was answered, and what the others got.</summary>
    internal static string Seen(VerifyCheck check, IReadOnlyCollection<VerifyAnswer> answers)
    {
        int good = answers.Count(answer => IsGood(check, answer));
        string all = string.Create(CultureInfo.InvariantCulture, $"{good} of {answers.Count}");
        IEnumerable<string> others = answers.Where(answer => !IsGood(check, answer))
            .GroupBy(Seen)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"; {group.Count()}: {group.Key}"));
        return all + string.Concat(others);
    }

    /// <summary>Reads the first bytes of an answer: a status line (RFC 9112, 4), something else, or nothing before the end of the stream.</summary>
    internal static VerifyAnswer Read(ReadOnlySpan<byte> start, double elapsedMs)
    {
        string text = Encoding.Latin1.GetString(start);
        if (text.Length == 0)
            return new(AnswerKind.Closed, 0, "", elapsedMs);
        bool isHttp = text.StartsWith("HTTP/1.", StringComparison.Ordinal) && text.Length >= StatusLineStart && text[8] == ' ';
        return isHttp && int.TryParse(text.AsSpan(StatusLineStart - 3, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status)
            ? new(AnswerKind.HttpStatus, status, "", elapsedMs)
            : new(AnswerKind.Bytes, 0, text, elapsedMs);
    }

    private static string Shown(string text) =>
        string.Concat(text.Take(ShownCharactersMax).Select(c => c is > ' ' and < '\x7f' ? c : c == ' ' ? ' ' : '.'));
}
