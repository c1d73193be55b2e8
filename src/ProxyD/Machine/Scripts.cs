using ProxyD.Units;

namespace ProxyD.Machine;

/// <summary>The scripts that units call.</summary>
internal sealed class Scripts
{
    /// <summary>No wrapper is longer; what is, is a program.</summary>
    private const int MaxBytes = 64 * 1024;

    private readonly Dictionary<string, string?> _texts = new(StringComparer.Ordinal);

    /// <summary>A script's text; null for what is missing, no text, or not ours to read.</summary>
    internal string? Read(string path)
    {
        if (!_texts.TryGetValue(path, out string? text))
            _texts[path] = text = ReadOnce(path);
        return text;
    }

    private static string? ReadOnce(string path)
    {
        try
        {
            if (!Path.IsPathRooted(path))
                return null;
            byte[] bytes = RegularFile.Read(path, MaxBytes);
            return bytes.Contains((byte)0) ? null : UnitText.Decode(bytes).Text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
