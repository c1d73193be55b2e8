using System.Runtime.InteropServices;

namespace ProxyD.Interop;

// Layouts of the C headers, under their own names; AbiTests compares size and offset of each field with the C compiler's.

[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    internal int fd;
    internal short events;
    internal short revents;
}

[StructLayout(LayoutKind.Sequential)]
internal struct linger
{
    internal int l_onoff;
    internal int l_linger;
}

/// <summary>Who is at the other end of a Unix socket (SO_PEERCRED, unix(7)), as our own user namespace numbers it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ucred
{
    internal int pid;
    internal uint uid;
    internal uint gid;
}

[StructLayout(LayoutKind.Sequential)]
internal struct rlimit
{
    internal ulong rlim_cur;
    internal ulong rlim_max;
}

/// <summary>A terminal's size in characters (ioctl_tty(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct winsize
{
    internal ushort ws_row;
    internal ushort ws_col;
    internal ushort ws_xpixel;
    internal ushort ws_ypixel;
}

[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    [FieldOffset(20)]
    internal uint stx_uid;

    [FieldOffset(24)]
    internal uint stx_gid;

    [FieldOffset(28)]
    internal ushort stx_mode;

    [FieldOffset(32)]
    internal ulong stx_ino;

    [FieldOffset(136)]
    internal uint stx_dev_major;

    [FieldOffset(140)]
    internal uint stx_dev_minor;
}

/// <summary>The part of <c>struct tcp_info</c> up to the one field we read; the kernel copies no more than it is asked for.</summary>
[StructLayout(LayoutKind.Explicit, Size = 28)]
internal struct tcp_info
{
    /// <summary>On a listening socket: how many connections wait in its accept queue (tcp_get_info in the kernel's tcp.c).</summary>
    [FieldOffset(24)]
    internal uint tcpi_unacked;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct servent
{
    internal byte* s_name;
    internal byte** s_aliases;
    /// <summary>In network byte order.</summary>
    internal int s_port;
    internal byte* s_proto;
}

[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct sigset_t;

/// <summary>Opaque here; the kernel fills it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct siginfo_t;

/// <summary>Opaque; glibc fills it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 336)]
internal struct posix_spawnattr_t;

/// <summary>
/// <c>struct epoll_event</c>, which is packed on x86-64 and naturally aligned elsewhere (sys/epoll.h, __EPOLL_PACKED),
/// so it is read and written by offset.
/// </summary>
internal static unsafe class epoll_event
{
    internal static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    internal static readonly int Size = DataOffset + 8;

    internal static void Write(byte* target, uint events, ulong data)
    {
        *(uint*)target = events;
        *(ulong*)(target + DataOffset) = data;
    }

    internal static (uint Events, ulong Data) Read(byte* source) =>
        (*(uint*)source, *(ulong*)(source + DataOffset));
}
