using System.Runtime.InteropServices;

namespace ProxyD.Interop;

/// <summary>The C library, each function declared once under its own name; the man page of that name is the documentation.</summary>
/// <remarks>
/// Bound at link time (DirectPInvoke): no look-up on first use. Wrap a return value in <see cref="SysResult.From"/> at once,
/// before anything else can change errno.
/// </remarks>
internal static unsafe partial class Libc
{
    private const string Lib = "libc";

    // sockets

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int listen(int fd, int backlog);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int connect(int fd, byte* address, uint length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int accept4(int fd, byte* address, uint* length, int flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int getpeername(int fd, byte* address, uint* length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int getsockopt(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int shutdown(int fd, int how);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint recv(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint send(int fd, byte* buffer, nuint length, int flags);

    // pipes and files

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int pipe2(int* fds, int flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint splice(int fdIn, long* offsetIn, int fdOut, long* offsetOut, nuint length, uint flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint read(int fd, byte* buffer, nuint length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint write(int fd, byte* buffer, nuint length);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int unlink(byte* path);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int fchown(int fd, uint owner, uint group);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int chmod(byte* path, uint mode);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int statx(int dirFd, byte* path, int flags, uint mask, statx* result);

    // readiness

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int epoll_ctl(int epollFd, int operation, int fd, byte* epollEvent);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int epoll_wait(int epollFd, byte* events, int maxEvents, int timeoutMs);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int poll(pollfd* fds, nuint count, int timeoutMs);

    // the process and its children

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int getrlimit(int resource, rlimit* limit);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int setrlimit(int resource, rlimit* limit);

    [LibraryImport(Lib)]
    internal static partial int getppid();

    [LibraryImport(Lib)]
    internal static partial uint geteuid();

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int waitid(int idType, int id, siginfo_t* info, int options);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int waitpid(int pid, int* status, int options);

    [LibraryImport(Lib)]
    internal static partial nint signal(int signal, nint handler);

    [LibraryImport(Lib)]
    internal static partial int sigfillset(sigset_t* set);

    [LibraryImport(Lib)]
    internal static partial int sigemptyset(sigset_t* set);

    [LibraryImport(Lib, SetLastError = true)]
    internal static partial int execv(byte* path, byte** arguments);

    /// <summary>Returns the error number itself, as all posix_spawn functions do.</summary>
    [LibraryImport(Lib)]
    internal static partial int posix_spawn(
        int* pid, byte* path, void* fileActions, posix_spawnattr_t* attributes, byte** arguments, byte** environment);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_init(posix_spawnattr_t* attributes);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_destroy(posix_spawnattr_t* attributes);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_setflags(posix_spawnattr_t* attributes, short flags);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_setpgroup(posix_spawnattr_t* attributes, int processGroup);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_setsigdefault(posix_spawnattr_t* attributes, sigset_t* signals);

    [LibraryImport(Lib)]
    internal static partial int posix_spawnattr_setsigmask(posix_spawnattr_t* attributes, sigset_t* signals);

    /// <summary>Takes the number of a system call that this C library has no function for.</summary>
    [LibraryImport(Lib, SetLastError = true)]
    internal static partial nint syscall(nint number, nint first, nint second);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial servent* getservbyname(string name, string protocol);
}
