using System.Text;

namespace ProxyD.Units;

/// <summary>The bytes of a unit file as text, so that what is not changed is written back as it was.</summary>
internal static class UnitText
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>UTF-8 where the bytes are; otherwise Latin-1, in which every byte is a character. A byte order mark stays in the text.</summary>
    internal static (string Text, Encoding Encoding) Decode(byte[] bytes)
    {
        try
        {
            return (s_strict.GetString(bytes), s_strict);
        }
        catch (DecoderFallbackException)
        {
            return (Encoding.Latin1.GetString(bytes), Encoding.Latin1);
        }
    }

    /// <param name="encoding">What <see cref="Decode"/> found.</param>
    internal static byte[] Encode(string text, Encoding encoding) => encoding.GetBytes(text);
}
