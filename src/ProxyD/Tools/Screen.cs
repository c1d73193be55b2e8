using System.Text;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Tools;

/// <summary>Standard output, for a tool that writes again and again until nobody reads.</summary>
internal static unsafe class Screen
{
    private const int Fd = 1;

    internal static bool IsTerminal => Size is not null;

    /// <summary>Columns of the terminal; 80 where there is none.</summary>
    internal static int Width => Size?.Columns ?? 80;

    /// <summary>Its lines; any number where there is none.</summary>
    internal static int Height => Size?.Lines ?? int.MaxValue;

    /// <summary>Null where there is no terminal; a serial line that doesn't know is taken for one of 80 by 24.</summary>
    /// <remarks>Asked with ioctl_tty(2): the runtime's Console would first put the terminal's keypad into another mode, and leave it there.</remarks>
    private static (int Columns, int Lines)? Size
    {
        get
        {
            winsize size;
            if (Libc.ioctl(Fd, TIOCGWINSZ, &size) != 0)
                return null;
            return (size.ws_col > 0 ? size.ws_col : 80, size.ws_row > 0 ? size.ws_row : 24);
        }
    }

    /// <summary>Writes it all.</summary>
    /// <remarks>With write(2): the runtime's Console takes a pipe that nobody reads any more for a success.</remarks>
    /// <returns>False when nobody reads any more.</returns>
    internal static bool TryWrite(string text)
    {
        ReadOnlySpan<byte> left = Encoding.UTF8.GetBytes(text);
        while (left.Length > 0)
        {
            fixed (byte* start = left)
            {
                SysResult written = SysResult.From(Libc.write(Fd, start, (nuint)left.Length));
                if (written.Ok)
                    left = left[written.Value..];
                else if (written.WouldBlock)
                    WaitForRoom();
                else if (written.Errno != Errno.EINTR)
                    return false;
            }
        }
        return true;
    }

    /// <summary>In place of what was there: the terminal's first lines, each cut to its width, and nothing below.</summary>
    /// <remarks>ECMA-48's CUP, EL and ED, which every terminal understands: nothing flickers as with a cleared screen.</remarks>
    internal static string InPlace(string text, int width, int height)
    {
        IEnumerable<string> lines = text.TrimEnd('\n').Split('\n').Take(Math.Max(height - 1, 1));
        return $"\e[H{string.Concat(lines.Select(line => $"{(line.Length > width ? line[..width] : line)}\e[K\n"))}\e[J";
    }

    private static void WaitForRoom()
    {
        pollfd output = new() { fd = Fd, events = POLLOUT };
        _ = Libc.poll(&output, 1, -1);
    }
}
