using System.Globalization;
using System.Net;
using ProxyD.Interop;
using ProxyD.Trios;

namespace ProxyD.Migrations;

/// <summary>A daemon's address in command lines that go to it: where it is named, and how it is called after a move.</summary>
/// <param name="port">Where the daemon listens.</param>
/// <param name="host">At which address of the machine; null for all, and when it can't be told.</param>
/// <param name="moved">Where it is to listen.</param>
internal sealed class PortWord(int port, string? host, Address moved)
{
    /// <summary>Smaller numbers can be anything, unless an address stands before them.</summary>
    private const int PlainPortMin = 1024;

    private readonly string _number = port.ToString(CultureInfo.InvariantCulture);

    private string NewHost => moved.Text[..moved.Text.LastIndexOf(':')];

    /// <summary>Whether a text names it.</summary>
    internal bool IsIn(string text) => Replace(text) != text;

    /// <summary>Puts its new address in wherever its port stands as a word of its own, with no other machine's address before it.</summary>
    internal string Replace(string text)
    {
        int from = 0;
        for (int at = text.IndexOf(_number, StringComparison.Ordinal); at >= 0; at = text.IndexOf(_number, from, StringComparison.Ordinal))
        {
            int end = at + _number.Length;
            string replacement = moved.Port.ToString(CultureInfo.InvariantCulture);
            int start = IsWord(text, at, end) ? StartOf(text, at, ref replacement) : -1;
            if (start >= 0)
                text = string.Concat(text.AsSpan(0, start), replacement, text.AsSpan(end));
            from = start >= 0 ? start + replacement.Length : end;
        }
        return text;
    }

    private static bool IsWord(string text, int at, int end)
    {
        bool begins = at == 0 || char.IsWhiteSpace(text[at - 1]) || "'\"`:=,/([{".Contains(text[at - 1], StringComparison.Ordinal);
        begins &= at == 0 || text[at - 1] != '=' || IsPortName(text.AsSpan(0, at - 1));
        return begins && (end == text.Length || char.IsWhiteSpace(text[end]) || "'\"`/,;)]}?&|#\\".Contains(text[end], StringComparison.Ordinal));
    }

    /// <summary>Of <c>NAME=8080</c> only a port's name makes it one: <c>bs=8080</c> is a size.</summary>
    private static bool IsPortName(ReadOnlySpan<char> before)
    {
        ReadOnlySpan<char> name = before[(before.LastIndexOfAny(' ', '\'', '"') + 1)..];
        return name.Contains("port", StringComparison.OrdinalIgnoreCase) || name.Contains("listen", StringComparison.OrdinalIgnoreCase)
            || name.Contains("addr", StringComparison.OrdinalIgnoreCase) || name.Contains("bind", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>From where on a text is replaced: from its port, or from the address before it; -1 when that is somebody else's.</summary>
    private int StartOf(string text, int at, ref string replacement)
    {
        char before = at > 0 ? text[at - 1] : ' ';
        // /dev/tcp/HOST/PORT, HOST:PORT, and nc HOST PORT.
        bool isDevice = before == '/';
        bool isApart = before is not (':' or '/');
        int hostEnd = isApart ? text[..at].TrimEnd().Length : at - 1;
        int hostStart = hostEnd;
        while (hostStart > 0 && (char.IsAsciiLetterOrDigit(text[hostStart - 1]) || ".-[]".Contains(text[hostStart - 1], StringComparison.Ordinal)
            || (text[hostStart - 1] == ':' && (isDevice || isApart || text[hostEnd - 1] == ']'))))
            hostStart--;
        string named = text[hostStart..hostEnd];
        if (isDevice && !text.AsSpan(0, hostStart).EndsWith("/dev/tcp/"))
            return -1;
        bool isAddress = IPAddress.TryParse(named.Trim('[', ']'), out _) || named == "localhost";
        if (isApart && !isAddress)
            return port >= PlainPortMin ? at : -1;
        if (named.Length > 0 && !PortFinder.IsLocal(named) && named.Trim('[', ']') != host?.Trim('[', ']'))
            return -1;
        if (named.Length == 0 || (named == "localhost" && PortFinder.IsLocal(NewHost)))
            return at;
        string address = isDevice || isApart ? NewHost.Trim('[', ']') : NewHost;
        replacement = string.Concat(address, text.AsSpan(hostEnd, at - hostEnd), replacement);
        return hostStart;
    }
}
