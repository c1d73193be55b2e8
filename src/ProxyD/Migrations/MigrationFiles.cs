using ProxyD.Units;

namespace ProxyD.Migrations;

/// <summary>A unit file that a migration changes, adds or removes.</summary>
/// <param name="Path">Where it is, or is to be.</param>
/// <param name="Before">Null when it is added.</param>
/// <param name="After">Null when it is removed.</param>
internal sealed record MigratedFile(string Path, byte[]? Before, byte[]? After)
{
    /// <summary>As patch(1) takes it.</summary>
    internal string Diff => UnifiedDiff.Between(Text(Before), Text(After), Path);

    private static string? Text(byte[]? bytes) => bytes is null ? null : UnitText.Decode(bytes).Text;
}

/// <summary>The files of a migration while they are edited: copies, so that what was read stays as it was.</summary>
/// <param name="folder">Where a file is written that is not ours to change where it is.</param>
/// <param name="isForeign">Which those are, by their paths: a package's, for example.</param>
internal sealed class MigrationFiles(string folder, Func<string, bool> isForeign)
{
    private readonly Dictionary<string, UnitFile> _edited = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]?> _before = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly Dictionary<string, byte[]?> _whole = new(StringComparer.Ordinal);

    /// <summary>What has changed, in the order in which it was first touched.</summary>
    internal IReadOnlyList<MigratedFile> Changes =>
    [
        .. _order.Select(path => new MigratedFile(path, _before[path], _whole.TryGetValue(path, out byte[]? whole) ? whole : _edited[path].ToBytes()))
            .Where(file => file.Before is null ? file.After is not null : file.After is null || !file.Before.AsSpan().SequenceEqual(file.After)),
    ];

    /// <summary>Whether only a copy of a file can be changed.</summary>
    internal bool IsForeign(string path) => isForeign(path);

    /// <summary>The copy of a file that may be edited.</summary>
    /// <exception cref="NotUnderstoodException">It is a drop-in of other units as well.</exception>
    internal UnitFile Editable(UnitFile source)
    {
        if (DropIn.IsShared(source.Path))
        {
            throw new NotUnderstoodException($"{source.Path} is for several units, and what it says would have to change for one of them;"
                + " expected that in a drop-in of the unit's own");
        }
        string path = Target(source.Path);
        if (!_edited.TryGetValue(path, out UnitFile? copy))
        {
            copy = UnitFile.Parse(source.ToBytes(), path);
            _edited[path] = copy;
            Note(path, path == source.Path ? source.ToBytes() : null);
        }
        return copy;
    }

    /// <summary>Adds a file, or says what is to be in one that was read.</summary>
    /// <param name="before">What is in it; null when there is none.</param>
    internal void Add(string path, string text, byte[]? before = null)
    {
        Note(path, before);
        _whole[path] = System.Text.Encoding.UTF8.GetBytes(text);
    }

    /// <summary>Has a file gone. A package's stays, and its copy isn't made; so does a drop-in that is for other units as well.</summary>
    internal void Remove(UnitFile source)
    {
        if (DropIn.IsShared(source.Path))
            return;
        if (isForeign(source.Path))
        {
            _whole[Target(source.Path)] = null;
            return;
        }
        Note(source.Path, source.ToBytes());
        _whole[source.Path] = null;
    }

    /// <summary>Removes a setting's line.</summary>
    internal void Remove(Unit unit, Setting setting)
    {
        UnitFile file = Editable(unit, setting);
        if (Find(file, setting) is { } item)
            file.Remove(item);
    }

    /// <summary>Gives a setting another value.</summary>
    internal void Replace(Unit unit, Setting setting, string value)
    {
        UnitFile file = Editable(unit, setting);
        if (Find(file, setting) is { } item)
            file.Replace(item, UnitFile.Assignment(item.Name, value) with { Line = item.Line });
    }

    /// <summary>Gives a line another text that means the same but for a word.</summary>
    internal void Replace(Unit unit, Setting setting, UnitItem replacement)
    {
        UnitFile file = Editable(unit, setting);
        if (Find(file, setting) is { } item)
            file.Replace(item, replacement with { Line = item.Line });
    }

    /// <summary>Sets a key that takes one value, where it is set, or else in the unit file itself.</summary>
    internal void Set(Unit unit, string section, string key, string value)
    {
        if (unit.Last(section, key) is { } setting && Find(Editable(unit, setting), setting) is not null)
            Replace(unit, setting, value);
        else
            SetNew(Editable(unit.Sources[0]), section, key, value);
    }

    /// <summary>Sets a key in a file; a [Unit] that it lacks goes where readers look for it, at the top.</summary>
    internal static void SetNew(UnitFile file, string section, string key, string value)
    {
        UnitItem? first = file.Items.Find(item => item.Kind == UnitItemKind.Section);
        if (section == "Unit" && first is not null && !file.Items.Exists(item => item is { Kind: UnitItemKind.Section, Name: "Unit" }))
        {
            foreach (UnitItem item in UnitReader.Read($"[Unit]\n{key}={value}\n\n"))
                file.InsertBefore(first, item with { Line = 0 });
        }
        else
            file.Set(section, key, value);
    }

    /// <summary>Takes a word out of lists like <c>Requires=</c>, or puts others in its place.</summary>
    /// <returns>Whether it was there.</returns>
    internal bool ReplaceWord(Unit unit, string key, Func<string, bool> isWord, IReadOnlyList<string> replacements)
    {
        bool isThere = false;
        foreach (Setting setting in unit.All("Unit", key))
        {
            if (DropIn.IsShared(setting.Path) && !WordsOf(setting.Item).Any(isWord))
                continue;
            UnitFile file = Editable(unit, setting);
            if (Find(file, setting) is not { } item)
                continue;
            List<string> words = WordsOf(item);
            if (!words.Any(isWord))
                continue;
            isThere = true;
            List<string> others = [.. words.Where(word => !isWord(word))];
            others.AddRange(replacements.Where(word => !others.Contains(word)));
            if (others.Count == 0)
                file.Remove(item);
            else
                file.Replace(item, UnitFile.Assignment(key, string.Join(' ', others)) with { Line = item.Line });
        }
        return isThere;
    }

    /// <summary>As written: the specifiers of a template stay.</summary>
    private static List<string> WordsOf(UnitItem item) => Words.Split(item.Value, keepsEscapes: true);

    private UnitFile Editable(Unit unit, Setting setting) => Editable(unit.Sources.First(source => source.Path == setting.Path));

    private static UnitItem? Find(UnitFile file, Setting setting) => file.Items.Find(item => item.Line == setting.Line && item.Line > 0);

    private string Target(string path)
    {
        if (!IsForeign(path))
            return path;
        string[] parts = path.Split('/');
        return DropIn.Is(path) ? $"{folder}/{parts[^2]}/{parts[^1]}" : $"{folder}/{parts[^1]}";
    }

    private void Note(string path, byte[]? before)
    {
        if (_before.TryAdd(path, before))
            _order.Add(path);
    }
}
