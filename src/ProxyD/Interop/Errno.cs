using System.Runtime.InteropServices;

namespace ProxyD.Interop;

/// <summary>The error numbers this program tells apart, with Linux's values (errno(3)). Any other value may occur too.</summary>
/// <remarks>The same on x86-64 and arm64; <c>AbiTests</c> proves each against the C headers.</remarks>
internal enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    ENFILE = 23,
    EMFILE = 24,
    EPIPE = 32,
    EADDRNOTAVAIL = 99,
    ECONNABORTED = 103,
    ECONNRESET = 104,
    ENOBUFS = 105,
    EISCONN = 106,
    ETIMEDOUT = 110,
    ECONNREFUSED = 111,
    EALREADY = 114,
    EINPROGRESS = 115,
}

/// <summary>Classes of errors, defined once, so that no caller lists numbers of its own.</summary>
internal static class ErrnoClass
{
    /// <summary>This process or this machine is out of descriptors or socket memory; closing something may help.</summary>
    public static bool IsShortage(this Errno errno) =>
        errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM;

    /// <summary>connect(2) failed although somebody listens: its queue is full (EAGAIN), or no local port is free for the moment (EADDRNOTAVAIL).</summary>
    public static bool IsBusy(this Errno errno) => errno is Errno.EAGAIN or Errno.EADDRNOTAVAIL;

    /// <summary>The C library's sentence for the number, as strerror(3) gives it: "Connection refused".</summary>
    public static string Text(this Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);
}
