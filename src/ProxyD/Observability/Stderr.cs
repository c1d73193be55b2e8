using System.Globalization;
using System.Text;
using ProxyD.Interop;
using Serilog.Events;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Observability;

/// <summary>Standard error: whose it is, and the one line a start that fails leaves there.</summary>
internal static class Stderr
{
    private const int Fd = 2;

    /// <summary>Whether it goes to the journal: $JOURNAL_STREAM is its device and inode (systemd.exec(5)).</summary>
    internal static bool IsJournal { get; } =
        Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 } stream && stream == DeviceAndInode();

    /// <summary>syslog(3)'s number for a level.</summary>
    internal static int Priority(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal or LogEventLevel.Error => 3,
        LogEventLevel.Warning => 4,
        LogEventLevel.Information => 6,
        _ => 7,
    };

    /// <summary>Says why proxyd can't start.</summary>
    /// <remarks>With write(2): Console.Error needs a descriptor of its own, and there may be none.</remarks>
    internal static unsafe void Fail(string problem)
    {
        string line = IsJournal ? $"<{Priority(LogEventLevel.Error)}>{problem}\n" : $"proxyd: {problem}\n";
        byte[] text = Encoding.UTF8.GetBytes(line);
        fixed (byte* bytes = text)
        {
            // Nobody is left to be told when even this fails.
            _ = Libc.write(Fd, bytes, (nuint)text.Length);
        }
    }

    private static unsafe string? DeviceAndInode()
    {
        statx status = default;
        byte empty = 0;
        if (Libc.statx(Fd, &empty, AT_EMPTY_PATH, STATX_INO, &status) != 0)
            return null;
        // makedev(3) as glibc encodes it, for the numbers that occur.
        ulong device = ((ulong)(status.stx_dev_major & 0xfff) << 8) | (status.stx_dev_minor & 0xff) | ((ulong)(status.stx_dev_minor & 0xfff00) << 12);
        return string.Create(CultureInfo.InvariantCulture, $"{device}:{status.stx_ino}");
    }
}
