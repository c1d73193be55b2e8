using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Interop;

/// <summary>An encoded <c>sockaddr</c>: what bind(2) and connect(2) take.</summary>
internal sealed class SocketAddress
{
    /// <summary>Enough for every family: <c>sizeof(struct sockaddr_storage)</c>.</summary>
    internal const int MaxBytes = 128;

    /// <summary>The longest Unix path, without its closing zero: <c>sizeof(sun_path) - 1</c> (unix(7)).</summary>
    internal const int MaxUnixPathBytes = 107;

    private readonly byte[] _bytes;

    private SocketAddress(int family, byte[] bytes, string text, bool isLoopback)
    {
        _bytes = bytes;
        Family = family;
        Text = text;
        IsLoopback = isLoopback;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)family);
    }

    internal int Family { get; }

    /// <summary>As a person would write it: "127.0.0.1:80", "[::1]:80", "/run/x.sock", "@x".</summary>
    internal string Text { get; }

    /// <summary>An Internet address of this very machine's loopback, from where no peer vanishes without the kernel's knowledge.</summary>
    internal bool IsLoopback { get; }

    internal ReadOnlySpan<byte> Bytes => _bytes;

    internal static SocketAddress Internet(IPAddress address, int port)
    {
        bool v4 = address.AddressFamily == AddressFamily.InterNetwork;
        // sockaddr_in: family, port, address, 8 zero bytes. sockaddr_in6: family, port, flow, address, scope.
        byte[] bytes = new byte[v4 ? 16 : 28];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)port);
        address.TryWriteBytes(bytes.AsSpan(v4 ? 4 : 8), out _);
        if (!v4)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), (uint)address.ScopeId);
        return new(v4 ? AF_INET : AF_INET6, bytes, new IPEndPoint(address, port).ToString(), IPAddress.IsLoopback(address));
    }

    internal static SocketAddress UnixPath(string path) =>
        // Path plus its zero byte.
        new(AF_UNIX, [0, 0, .. Encoding.UTF8.GetBytes(path), 0], path, isLoopback: false);

    /// <param name="name">Without the leading '@', which stands for a zero byte.</param>
    internal static SocketAddress UnixAbstract(string name) =>
        // The length given to the kernel ends the name: no closing zero here (unix(7)).
        new(AF_UNIX, [0, 0, 0, .. Encoding.UTF8.GetBytes(name)], "@" + name, isLoopback: false);

    /// <summary>Whether a TCP socket that was connected to this address met itself: both its ends are the same.</summary>
    internal unsafe bool IsSelfConnect(int fd)
    {
        byte* own = stackalloc byte[MaxBytes];
        byte* peer = stackalloc byte[MaxBytes];
        uint length = MaxBytes;
        // Its own port is another one almost always: one call decides.
        if (Libc.getsockname(fd, own, &length) != 0 || *(ushort*)(own + 2) != BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(2)))
            return false;
        uint peerLength = MaxBytes;
        return Libc.getpeername(fd, peer, &peerLength) == 0
            && new ReadOnlySpan<byte>(own, (int)length).SequenceEqual(new ReadOnlySpan<byte>(peer, (int)peerLength));
    }

    public override string ToString() => Text;
}
