namespace ProxyD.Units;

/// <summary>One word of an assignment, changed where it stands, so that the rest of the line stays as it is.</summary>
internal static class UnitWord
{
    /// <param name="index">Which word of the value, counted from 0.</param>
    /// <param name="word">What is to stand there, as plain text with its specifiers.</param>
    internal static UnitItem Replace(UnitItem item, int index, string word)
    {
        int at = item.Raw.IndexOf('=', StringComparison.Ordinal) + 1;
        List<(string Word, string Written)> words = Words.Read(item.Value, keepsEscapes: false, out _);
        for (int i = 0; i <= index; i++)
        {
            // Continuations put backslashes, line ends and comments between words, never into one that is no longer than a line.
            at = item.Raw.IndexOf(words[i].Written, at, StringComparison.Ordinal);
            if (at < 0)
                return item;
            if (i < index)
                at += words[i].Written.Length;
        }
        string written = words[index].Written;
        string quote = written is ['"' or '\'', ..] ? written[..1] : "";
        string replacement = quote.Length > 0 ? quote + word + quote : word;
        return item with { Raw = string.Concat(item.Raw.AsSpan(0, at), replacement, item.Raw.AsSpan(at + written.Length)) };
    }
}
