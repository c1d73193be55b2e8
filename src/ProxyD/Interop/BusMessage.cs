using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ProxyD.Interop;

/// <summary>A received D-Bus message, read from front to back.</summary>
internal sealed unsafe class BusMessage(nint message) : IDisposable
{
    /// <summary>Its method's or signal's name; empty for a reply.</summary>
    internal string Member => Marshal.PtrToStringUTF8((nint)LibSystemd.sd_bus_message_get_member(message)) ?? "";

    /// <summary>The next value as text: a string, a path, a number or a truth value; null if it is something else, which is skipped.</summary>
    internal string? ReadText()
    {
        byte type;
        byte* contents;
        if (LibSystemd.sd_bus_message_peek_type(message, &type, &contents) <= 0)
            return null;
        // Large enough for each of the basic types.
        ulong value = 0;
        if (!"sogybnqiuxt".Contains((char)type, StringComparison.Ordinal))
        {
            _ = LibSystemd.sd_bus_message_skip(message, null);
            return null;
        }
        if (LibSystemd.sd_bus_message_read_basic(message, type, &value) <= 0)
            return null;
        return (char)type switch
        {
            's' or 'o' or 'g' => Marshal.PtrToStringUTF8((nint)value),
            'n' => ((short)value).ToString(CultureInfo.InvariantCulture),
            'i' => ((int)value).ToString(CultureInfo.InvariantCulture),
            'x' => ((long)value).ToString(CultureInfo.InvariantCulture),
            _ => value.ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>The next value, a dictionary of properties (<c>a{sv}</c>), as far as they are wanted and can be read as text.</summary>
    /// <remarks>A unit has some two hundred; to make strings of all of them was most of a wake's garbage.</remarks>
    internal Dictionary<string, string> ReadProperties(string[] wanted)
    {
        Dictionary<string, string> properties = [];
        if (!Enter('a'))
            return properties;
        while (Enter('e'))
        {
            byte* name = null;
            _ = LibSystemd.sd_bus_message_read_basic(message, (byte)'s', &name);
            string? known = Known(name, wanted);
            if (known is null)
                _ = LibSystemd.sd_bus_message_skip(message, null);
            else if (ReadVariant() is { } value)
                properties[known] = value;
            _ = LibSystemd.sd_bus_message_exit_container(message);
        }
        _ = LibSystemd.sd_bus_message_exit_container(message);
        return properties;
    }

    /// <summary>The next value, a variant, as <see cref="ReadText"/> reads what is in it.</summary>
    internal string? ReadVariant()
    {
        if (!Enter('v'))
            return null;
        string? value = ReadText();
        _ = LibSystemd.sd_bus_message_exit_container(message);
        return value;
    }

    private static string? Known(byte* name, string[] wanted)
    {
        ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        foreach (string known in wanted)
        {
            if (Ascii.Equals(text, known))
                return known;
        }
        return null;
    }

    public void Dispose() => LibSystemd.sd_bus_message_unref(message);

    /// <summary>Enters the next value if it is such a container.</summary>
    private bool Enter(char container)
    {
        byte type;
        byte* contents;
        return LibSystemd.sd_bus_message_peek_type(message, &type, &contents) > 0
            && type == container
            && LibSystemd.sd_bus_message_enter_container(message, type, contents) > 0;
    }
}
