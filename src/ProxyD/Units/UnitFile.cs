using System.Text;

namespace ProxyD.Units;

/// <summary>One unit file or drop-in, line by line; what is not edited stays byte for byte as it was.</summary>
internal sealed class UnitFile
{
    private readonly Encoding _encoding;
    private readonly string _lineEnd;

    private UnitFile(string text, string path, Encoding encoding)
    {
        Path = path;
        Items = UnitReader.Read(text);
        _encoding = encoding;
        _lineEnd = Items.Count > 0 && Items[0].Raw.EndsWith("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
    }

    /// <summary>Where it was read, or would be written.</summary>
    internal string Path { get; }

    /// <summary>All logical lines, in order.</summary>
    internal List<UnitItem> Items { get; }

    /// <summary>Every assignment with the section it stands in; "" before the first section, where systemd ignores it.</summary>
    internal IEnumerable<(string Section, UnitItem Item)> Assignments
    {
        get
        {
            string section = "";
            foreach (UnitItem item in Items)
            {
                if (item.Kind == UnitItemKind.Section)
                    section = item.Name;
                else if (item.Kind == UnitItemKind.Assignment)
                    yield return (section, item);
            }
        }
    }

    internal static UnitFile Parse(string text, string path) => new(text, path, Encoding.UTF8);

    /// <inheritdoc cref="UnitText"/>
    internal static UnitFile Parse(byte[] bytes, string path)
    {
        (string text, Encoding encoding) = UnitText.Decode(bytes);
        return new(text, path, encoding);
    }

    /// <summary>A line to be put into a file; it takes on the file's line ends there.</summary>
    /// <param name="value">One line, or several that continue with a backslash.</param>
    /// <exception cref="ArgumentException">It would be read back as something else.</exception>
    internal static UnitItem Assignment(string key, string value) => Single($"{key}={value}\n", UnitItemKind.Assignment);

    /// <summary>A comment line, likewise.</summary>
    /// <param name="text">Without the number sign.</param>
    internal static UnitItem Comment(string text) => Single($"# {text}\n", UnitItemKind.Comment);

    internal string ToText() => string.Concat(Items.Select(item => item.Raw));

    /// <summary>In the encoding it was read in.</summary>
    internal byte[] ToBytes() => UnitText.Encode(ToText(), _encoding);

    /// <param name="item">One of <see cref="Items"/>, the very object.</param>
    internal void Replace(UnitItem item, UnitItem newItem) => Items[IndexOf(item)] = Fitting(newItem);

    /// <inheritdoc cref="Replace"/>
    internal void Remove(UnitItem item) => Items.RemoveAt(IndexOf(item));

    /// <inheritdoc cref="Replace"/>
    internal void InsertBefore(UnitItem item, UnitItem newItem) => Items.Insert(IndexOf(item), Fitting(newItem));

    /// <inheritdoc cref="Replace"/>
    internal void InsertAfter(UnitItem item, UnitItem newItem)
    {
        int index = IndexOf(item);
        Items[index] = Ended(item);
        Items.Insert(index + 1, Fitting(newItem));
    }

    /// <summary>
    /// Gives a key its only or last value: in the line that sets it last, else as a new line at the section's end, else in a new section at the
    /// file's end.
    /// </summary>
    internal void Set(string section, string key, string value)
    {
        UnitItem? last = Assignments.LastOrDefault(a => a.Section == section && a.Item.Name == key).Item;
        if (last is not null)
            Replace(last, Assignment(key, value));
        else if (EndOf(section) is { } end)
            InsertAfter(end, Assignment(key, value));
        else
            Append([.. Items.Count > 0 ? UnitReader.Read("\n") : [], Single($"[{section}]\n", UnitItemKind.Section), Assignment(key, value)]);
    }

    private void Append(IEnumerable<UnitItem> items)
    {
        if (Items.Count > 0)
            Items[^1] = Ended(Items[^1]);
        Items.AddRange(items.Select(Fitting));
    }

    /// <summary>The last line of a section that is no blank and no comment (which would belong to the next); its header, when it is empty.</summary>
    private UnitItem? EndOf(string section)
    {
        UnitItem? end = null;
        bool isInside = false;
        foreach (UnitItem item in Items)
        {
            if (item.Kind == UnitItemKind.Section)
                isInside = item.Name == section;
            if (isInside && item.Kind is UnitItemKind.Section or UnitItemKind.Assignment)
                end = isInside ? item : end;
        }
        return end;
    }

    private int IndexOf(UnitItem item)
    {
        int index = Items.FindIndex(other => ReferenceEquals(other, item));
        return index >= 0 ? index : throw new ArgumentException($"{Path} has no such line: {item.Raw}", nameof(item));
    }

    private UnitItem Fitting(UnitItem item) =>
        item.Line > 0 || _lineEnd == "\n" ? item : item with { Raw = item.Raw.ReplaceLineEndings(_lineEnd) };

    /// <summary>The last line of a file may lack its end, or end in a backslash that waits for another one.</summary>
    private UnitItem Ended(UnitItem item)
    {
        string raw = item.Raw is [.., '\n' or '\r' or '\0'] ? item.Raw : item.Raw + _lineEnd;
        raw = UnitReader.IsOpen(raw) ? raw + _lineEnd : raw;
        return raw == item.Raw ? item : item with { Raw = raw };
    }

    private static UnitItem Single(string raw, UnitItemKind kind) =>
        UnitReader.Read(raw) is [{ } item] && item.Kind == kind
            ? item with { Line = 0 }
            : throw new ArgumentException($"this would not be one {kind} in a unit file: {raw}", nameof(raw));
}
