using System.Text;

namespace ProxyD.Units;

/// <summary>A unit file that is written anew: sections, settings, and above a setting the reason for it.</summary>
internal sealed class UnitWriter
{
    private const int CommentColumns = 120;

    private readonly StringBuilder _text = new();

    /// <summary>Begins a section.</summary>
    internal UnitWriter Section(string name)
    {
        _text.Append(_text.Length > 0 ? "\n" : "").Append('[').Append(name).Append("]\n");
        return this;
    }

    /// <summary>A comment, broken into lines between its words.</summary>
    internal UnitWriter Because(string reason)
    {
        int column = 0;
        foreach (string word in reason.Split(' '))
        {
            if (column > 0 && column + 1 + word.Length > CommentColumns)
            {
                _text.Append('\n');
                column = 0;
            }
            _text.Append(column == 0 ? "# " : " ").Append(word);
            column += (column == 0 ? 2 : 1) + word.Length;
        }
        _text.Append('\n');
        return this;
    }

    /// <summary>An assignment.</summary>
    /// <param name="value">As the unit file has it, quoted and escaped.</param>
    /// <param name="reason">The comment above it.</param>
    internal UnitWriter Set(string key, string value, string? reason = null)
    {
        if (reason is not null)
            Because(reason);
        _text.Append(key).Append('=').Append(value).Append('\n');
        return this;
    }

    /// <summary>The same, where it applies.</summary>
    internal UnitWriter SetIf(bool applies, string key, string value, string? reason = null) => applies ? Set(key, value, reason) : this;

    public override string ToString() => _text.ToString();
}
