using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ProxyD.BlackBox.Harness;

/// <summary>
/// A network namespace of its own with nothing but a loopback device. A namespace belongs to a thread: what runs here makes
/// its sockets and starts its processes inside; used from other threads they stay there.
/// </summary>
internal sealed class PrivateNetwork : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Background _thread;

    /// <param name="ephemeralPorts">ip_local_port_range, such as "30000 30003": from these connect() picks its own port.</param>
    public PrivateNetwork(string ephemeralPorts)
    {
        _thread = Background.Start(() =>
        {
            foreach (Action action in _work.GetConsumingEnumerable())
                action();
        });
        Run(() =>
        {
            if (Native.unshare(Native.CLONE_NEWNET) != 0)
                throw new InvalidOperationException($"unshare(CLONE_NEWNET): errno {Marshal.GetLastPInvokeError()}");
            BringLoopbackUp();
            // The kernel shows each thread its own namespace's settings: this one changes nobody else's.
            File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", ephemeralPorts);
            return true;
        });
    }

    public T Run<T>(Func<T> inside)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(inside());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private static unsafe void BringLoopbackUp()
    {
        const int FlagsOffset = 16, IFF_UP = 1;
        using Socket any = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        // struct ifreq: 16 bytes of name, then a union of which the flags are the first two bytes.
        byte* request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, FlagsOffset));
        int fd = (int)any.Handle;
        if (Native.ioctl(fd, Native.SIOCGIFFLAGS, request) != 0)
            throw new InvalidOperationException($"SIOCGIFFLAGS: errno {Marshal.GetLastPInvokeError()}");
        request[FlagsOffset] |= IFF_UP;
        if (Native.ioctl(fd, Native.SIOCSIFFLAGS, request) != 0)
            throw new InvalidOperationException($"SIOCSIFFLAGS: errno {Marshal.GetLastPInvokeError()}");
    }
}
