using System.Runtime.InteropServices;
using ProxyD.Interop;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Tests.Kernel;

/// <summary>Alone in the process: these look at descriptor numbers, which another test's sockets would take up again.</summary>
[CollectionDefinition(nameof(PipePoolTests), DisableParallelization = true)]
public sealed class PipePoolAlone;

/// <summary>The pool lends clean, proper pipes, not more than it may, and gives descriptors back.</summary>
[Collection(nameof(PipePoolTests))]
public sealed unsafe partial class PipePoolTests
{
    [Fact]
    public void A_pipe_with_bytes_left_is_never_lent_again()
    {
        // Goal: the next client must not read another client's data.
        PipePool pool = new(pipesMax: 4, keptPipesMax: 4);
        Pipe dirty = pool.Borrow(0)!;
        byte secret = 42;
        Assert.Equal(1, Libc.write(dirty.WriteFd, &secret, 1));
        pool.Return(dirty, pipedBytes: 1);
        for (int i = 0; i < 4; i++)
        {
            Pipe clean = pool.Borrow(0)!;
            Assert.Equal(0, Sockets.PollNow(clean.ReadFd, POLLIN));
        }
    }

    [Fact]
    public void The_bound_holds_and_what_is_given_back_beyond_the_spares_is_closed()
    {
        // Goal: a burst of bulk streams leaves no descriptors behind.
        PipePool pool = new(pipesMax: 64, keptPipesMax: 8);
        List<Pipe> lent = [];
        while (pool.Borrow(0) is { } pipe)
            lent.Add(pipe);
        Assert.Equal(64, lent.Count);
        lent.ForEach(pipe => pool.Return(pipe, 0));
        Assert.Equal(8, pool.OpenCount);
        Assert.Equal(56, lent.Count(pipe => Libc.fcntl(pipe.ReadFd, F_GETFD, 0) < 0));
    }

    [Fact]
    public void Pipes_that_the_kernel_shrank_are_refused()
    {
        // Goal: past pipe-user-pages-soft an unprivileged user gets pipes of two pages, without an error; those are not used.
        string? seen = OnUnprivilegedThread(() =>
        {
            PipePool pool = new(pipesMax: 4_000, keptPipesMax: 0);
            List<Pipe> lent = [];
            while (lent.Count < 4_000 && pool.Borrow(0) is { } pipe)
                lent.Add(pipe);
            int tiny = TinyPipeBytes();
            bool again = pool.Borrow(PipePool.RefusalPauseMs - 1) is not null;
            int least = lent.Min(pipe => pipe.CapacityBytes);
            lent.ForEach(pipe => pool.Return(pipe, 0));
            return lent.Count == 4_000 ? "the kernel never shrank a pipe"
                : tiny >= RelayLimits.PipeCapacityMinBytes ? $"a pipe made now has {tiny} bytes: nothing was refused for its size"
                : again ? "asked again within the pause"
                : least < RelayLimits.PipeCapacityMinBytes ? $"a pipe of {least} bytes was lent" : null;
        });
        Assert.Null(seen);
    }

    private static int TinyPipeBytes()
    {
        int* fds = stackalloc int[2];
        SysResult.From(Libc.pipe2(fds, O_CLOEXEC)).OrThrow("pipe2");
        int bytes = Libc.fcntl(fds[0], F_GETPIPE_SZ, 0);
        Libc.close(fds[0]);
        Libc.close(fds[1]);
        return bytes;
    }

    /// <summary>Runs on a thread whose uid alone is changed (the raw system call, unlike glibc's function, is per thread).</summary>
    private static string? OnUnprivilegedThread(Func<string?> body)
    {
        Assert.True(Environment.UserName == "root", "this test changes its uid: run it as root");
        rlimit limit;
        Libc.getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        Libc.setrlimit(RLIMIT_NOFILE, &limit);
        Assert.True(limit.rlim_max >= 9_000, "this test opens 4,000 pipes: raise the hard limit of open files to 9,000");
        string? result = "the thread did not run";
        Thread thread = new(() =>
        {
            const int SYS_setresuid_x64 = 117, SYS_setresuid_arm64 = 147;
            int number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? SYS_setresuid_x64 : SYS_setresuid_arm64;
            result = syscall3(number, 64_000, 64_000, 64_000) == 0 ? body() : "the uid could not be changed";
        });
        thread.Start();
        thread.Join();
        return result;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint syscall3(nint number, nint first, nint second, nint third);
}
