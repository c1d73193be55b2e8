using System.Runtime.InteropServices;

namespace ProxyD.Interop;

/// <summary>What a system call gave: a value of zero or more, or an <see cref="Interop.Errno"/>. Never both.</summary>
/// <remarks>The data plane throws nothing; it reads this.</remarks>
internal readonly struct SysResult
{
    private readonly nint _raw;

    private SysResult(nint raw) => _raw = raw;

    public bool Ok => _raw >= 0;

    /// <summary>The call's return value; meaningful only when <see cref="Ok"/>.</summary>
    public int Value => (int)_raw;

    /// <summary>The error, or <see cref="Errno.None"/> when <see cref="Ok"/>.</summary>
    public Errno Errno => _raw < 0 ? (Errno)(int)-_raw : Errno.None;

    public bool WouldBlock => Errno == Errno.EAGAIN;

    /// <summary>Takes the return value of a <see cref="Libc"/> function that was declared with <c>SetLastError</c>.</summary>
    public static SysResult From(nint returned) =>
        new(returned >= 0 ? returned : -(nint)Marshal.GetLastPInvokeError());

    public static SysResult Failed(Errno errno) => new(-(nint)(int)errno);

    /// <summary>For start-up and tests, where an error ends what is being done.</summary>
    /// <exception cref="SysException">The call failed.</exception>
    public int OrThrow(string what) => Ok ? Value : throw new SysException(what, Errno);
}

/// <summary>A failed system call outside the data plane.</summary>
internal sealed class SysException(string what, Errno errno) : Exception($"{what}: {errno.Text()}")
{
    public Errno Errno { get; } = errno;
}
