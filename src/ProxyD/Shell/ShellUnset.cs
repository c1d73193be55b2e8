using System.Text;

namespace ProxyD.Shell;

/// <summary>
/// Variables that a unit doesn't set, in texts that a shell expands. Their value is empty there, but somebody else may give them one; so
/// a mark with their name stays in the text, which a command that only counts or compares never sees, and one that asks or serves does.
/// </summary>
internal static class ShellUnset
{
    /// <summary>Characters that nobody writes into a script: before the name, behind it, behind the value, and before a word that a shell would drop.</summary>
    private const char Open = '\uE001', Middle = '\uE002', Close = '\uE003', Gone = '\uE004';

    /// <param name="value">What it counts as: nothing, or the default of <c>${NAME:-DEFAULT}</c>.</param>
    internal static string Mark(string name, string value = "") => $"{Open}{name}{Middle}{Plain(value)}{Close}";

    /// <summary>The first such variable that is part of a text; null for none.</summary>
    internal static string? NameIn(string text)
    {
        int open = text.IndexOf(Open, StringComparison.Ordinal);
        int middle = open < 0 ? -1 : text.IndexOf(Middle, open);
        return middle < 0 ? null : text[(open + 1)..middle];
    }

    /// <summary>Why its value can't be told.</summary>
    internal static string Why(string name) => $"${name} is not set in the unit, nor in an EnvironmentFile= that can be read";

    /// <summary>What a shell makes of it when nobody sets the variable.</summary>
    internal static string Plain(string text) => Without(text, (_, value) => value);

    /// <summary>With <c>$NAME</c> in place of what it came to.</summary>
    internal static string Shown(string text) => Without(text, (name, _) => $"${name}");

    /// <summary>A word of nothing but an unquoted variable, which for a shell is none.</summary>
    internal static bool IsGone(string word) => word is [Gone, ..];

    internal static string AsGone(string word) => Gone + word;

    /// <summary>The words as a shell passes them on.</summary>
    internal static List<string> Plain(IEnumerable<string> words) => [.. words.Where(word => !IsGone(word)).Select(Plain)];

    private static string Without(string text, Func<string, string, string> instead)
    {
        if (!text.AsSpan().ContainsAnyInRange(Open, Gone))
            return text;
        StringBuilder plain = new();
        for (int at = 0; at < text.Length; at++)
        {
            int middle = text[at] == Open ? text.IndexOf(Middle, at) : -1;
            if (middle < 0)
            {
                plain.Append(text[at] is >= Open and <= Gone ? "" : text[at].ToString());
                continue;
            }
            // A value with blanks in it may have been split.
            int close = text.IndexOf(Close, middle) is >= 0 and int end ? end : text.Length;
            plain.Append(instead(text[(at + 1)..middle], text[(middle + 1)..close]));
            at = close;
        }
        return plain.ToString();
    }
}
