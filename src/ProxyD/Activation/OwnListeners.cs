using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Activation;

/// <summary>Listening sockets that we bind ourselves (<c>--listen</c>), where no service manager passes any.</summary>
internal sealed unsafe class OwnListeners : IDisposable
{
    private List<string> _paths = [];

    internal List<PassedSocket> Sockets { get; } = [];

    /// <summary>Binds every address and listens.</summary>
    /// <exception cref="StartupException">An address can't be bound; nothing stays bound.</exception>
    internal static OwnListeners Bind(IEnumerable<Address> addresses)
    {
        OwnListeners listeners = new();
        try
        {
            foreach (Address address in addresses)
                listeners.Add(address);
            return listeners;
        }
        catch
        {
            listeners.Dispose();
            throw;
        }
    }

    /// <summary>Removes the socket files that we made.</summary>
    public void Dispose()
    {
        // The orderly end and a second signal may both come here.
        foreach (string path in Interlocked.Exchange(ref _paths, []))
            SocketFile.Unlink(path);
    }

    private void Add(Address address)
    {
        SocketAddress local = address.Literal
            ?? throw new StartupException($"--listen={address.Text}: '{address.HostName}' is a name; expected an IP address, a /path or an @abstract name");
        if (address.Path is { } path)
            ClearStale(path);
        SysResult socket = SysResult.From(Libc.socket(local.Family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        Require(socket, address);
        int fd = socket.Value;
        // A restart must not wait for the TIME_WAIT of old connections.
        Interop.Sockets.SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        fixed (byte* bytes = local.Bytes)
        {
            Require(SysResult.From(Libc.bind(fd, bytes, (uint)local.Bytes.Length)), address);
        }
        if (address.Path is not null)
            _paths.Add(address.Path);
        Require(SysResult.From(Libc.listen(fd, SOMAXCONN)), address);
        Sockets.Add(new(fd, address.Text, local.Family == AF_UNIX ? PassedSocketKind.ListeningOther : PassedSocketKind.ListeningTcp));
    }

    /// <summary>A socket file that nobody listens at was left by a crash and goes; one that is served, or any other file, stays.</summary>
    private static void ClearStale(string path)
    {
        SocketFileState found = SocketFile.Probe(path);
        if (found == SocketFileState.Stale)
        {
            SysResult removed = SocketFile.Unlink(path);
            if (!removed.Ok)
                throw new StartupException($"--listen={path}: the stale socket file can't be removed ({removed.Errno.Text()}); expected a path of ours");
        }
        else if (found == SocketFileState.Live)
            throw new StartupException($"--listen={path}: another process listens there; expected a free path");
        else if (found == SocketFileState.NoSocket)
            throw new StartupException($"--listen={path}: a file that is no socket is in the way; expected a free path");
    }

    private static string Expectation(Errno errno) => errno switch
    {
        Errno.ENOENT => "a path in a folder that exists",
        Errno.EACCES or Errno.EPERM => "a port or path that this user may bind",
        _ => "an address of this machine that is free",
    };

    private static void Require(SysResult result, Address address)
    {
        if (!result.Ok)
            throw new StartupException($"--listen={address.Text}: {result.Errno.Text()}; expected {Expectation(result.Errno)}");
    }
}
