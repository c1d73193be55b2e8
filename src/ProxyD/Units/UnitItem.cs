namespace ProxyD.Units;

/// <summary>What a logical line of a unit file is to systemd.</summary>
internal enum UnitItemKind
{
    /// <summary>Nothing but white space.</summary>
    Blank,

    /// <summary>A line that begins with # or ;, which systemd skips.</summary>
    Comment,

    /// <summary>A section's header in brackets.</summary>
    Section,

    /// <summary>A key, an equals sign and a value, which may be empty.</summary>
    Assignment,

    /// <summary>Anything else: systemd warns and goes on.</summary>
    Other,
}

/// <summary>One logical line of a unit file.</summary>
/// <param name="Raw">Its exact text: all physical lines of a continuation, comments between them, and every line end.</param>
/// <param name="Line">The first physical line, counted from 1; 0 for an item that was never in a file.</param>
/// <param name="Name">The section's name or the key; otherwise empty.</param>
/// <param name="Value">What systemd would see of the value: continuations joined, comments inside them left out, trimmed. Specifiers stand as written.</param>
internal sealed record UnitItem(UnitItemKind Kind, string Raw, int Line, string Name, string Value);
