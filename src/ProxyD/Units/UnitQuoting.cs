using System.Globalization;
using System.Text;

namespace ProxyD.Units;

/// <summary>Words as a unit file must write them so that they arrive as they are; systemd.syntax(7), systemd.service(5).</summary>
internal static class UnitQuoting
{
    /// <summary>A value that is no list of words: only specifiers mean something in it (systemd.unit(5)).</summary>
    internal static string Value(string text) => text.Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>One word of a list, such as <c>Environment=</c>: no variable is put in there.</summary>
    internal static string Word(string word) => Value(word.Length > 0 && word.All(IsPlain) ? word : Quoted(word));

    /// <summary>A command line for <c>ExecStart=</c>.</summary>
    /// <remarks>
    /// Of the first word systemd takes a <c>$</c> as it is, and <c>$$</c> too (seen with systemd 252); in the others <c>$$</c> stands for one.
    /// A <c>;</c> of its own would begin the next command.
    /// </remarks>
    internal static string Command(IReadOnlyList<string> words) =>
        string.Join(' ', words.Select((word, i) => i == 0 ? Word(word) : word == ";" ? "\\;" : Word(word).Replace("$", "$$", StringComparison.Ordinal)));

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || "/.,:;=+-_@%$[]{}()!?*~^#&<>|".Contains(c, StringComparison.Ordinal);

    private static string Quoted(string word)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in word)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (c < ' ' || c == '\x7f')
                quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            else
                quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}
