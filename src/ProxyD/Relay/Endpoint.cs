using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Relay;

/// <summary>What we know of the peer behind a socket.</summary>
internal enum PeerState : byte
{
    /// <summary>Nothing speaks against it.</summary>
    Alive,

    /// <summary>It sent FIN, and later RST or nothing more: all it wanted to say was said, and it hears nothing any more.</summary>
    Gone,

    /// <summary>It sent RST, or the network declared it dead, in the middle of what it had to say.</summary>
    Reset,
}

/// <summary>One socket of a connection, and what the kernel has told us about it since we last asked.</summary>
/// <remarks>
/// The registration is edge-triggered and made once, so this cache is the only memory of readiness. A bit is cleared when
/// a call says so (EAGAIN, or a short read where that is proof), never otherwise.
/// </remarks>
internal struct Endpoint
{
    internal const uint WatchedEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI;

    /// <summary>A read may bring something: bytes, FIN or an error.</summary>
    internal bool Readable;

    /// <summary>A write may take something; so it is with a connection that has just been made.</summary>
    internal bool Writable;

    /// <summary>A short read does not mean "drained": something may wait behind it that makes no event of its own.</summary>
    private bool _moreMayFollow;

    /// <summary>Its FIN has come: whatever becomes of the connection, its stream is complete.</summary>
    private bool _hasFinished;

    /// <summary>Urgent data came (tcp(7)): splice would stop before it for ever, so this socket is read by copying.</summary>
    internal bool HasUrgent { readonly get; private set; }

    internal int Fd { get; private set; }

    internal bool IsTcp { get; private set; }

    internal PeerState Peer { get; private set; }

    /// <summary>Forgets the former socket and takes a new one, just connected or accepted.</summary>
    /// <param name="isTcp">
    /// False on a Unix socket, and where one can't tell: there a read also stops short at each message that carries
    /// descriptors (unix(7)).
    /// </param>
    internal void Open(int fd, bool isTcp)
    {
        Fd = fd;
        IsTcp = isTcp;
        (Readable, Writable, _moreMayFollow, _hasFinished, HasUrgent, Peer) = (false, true, !isTcp, false, false, PeerState.Alive);
    }

    /// <summary>Takes what epoll_wait(2) reported.</summary>
    internal void Absorb(uint events)
    {
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            Readable = true;
        if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
            Writable = true;
        // The end waits behind the last bytes, and a read stops short at urgent data (tcp(7)).
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0)
            _moreMayFollow = true;
        if ((events & EPOLLPRI) != 0)
            HasUrgent = true;
        // An RST shows as the end of the stream too; only alone is EPOLLRDHUP a FIN.
        if ((events & (EPOLLRDHUP | EPOLLERR)) == EPOLLRDHUP)
            _hasFinished = true;
        if ((events & EPOLLERR) != 0)
            Lose(Sockets.TakeError(Fd));
    }

    /// <summary>A read brought the end of the stream: the FIN itself, unless an error was there before it.</summary>
    internal void ReadEnd() => _hasFinished |= Peer == PeerState.Alive;

    /// <summary>A read brought less than was asked for: on TCP that was all there is, and asking again is spared.</summary>
    internal void ReadShort() => Readable = _moreMayFollow;

    /// <summary>Bytes for or from this peer are lost through our own fault: its stream is cut, whatever it has said.</summary>
    internal void Cut()
    {
        Peer = PeerState.Reset;
        Readable = true;
    }

    /// <summary>Notes an error of this socket.</summary>
    /// <remarks>
    /// EPIPE says that the peer's FIN came before its RST (tcp_reset in the kernel's tcp_input.c); ECONNRESET, that it did not,
    /// or that our own FIN was on its way as well, so what we know ourselves of its FIN counts first. The difference must be
    /// kept here: the kernel reports the error once, and afterwards reads as end of stream, which would make a cut reply look
    /// complete.
    /// </remarks>
    internal void Lose(Errno errno)
    {
        if (errno == Errno.None || Peer == PeerState.Reset)
            return;
        Peer = _hasFinished || errno == Errno.EPIPE ? PeerState.Gone : PeerState.Reset;
        Readable = true;
    }
}
