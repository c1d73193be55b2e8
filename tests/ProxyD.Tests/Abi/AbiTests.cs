using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using ProxyD.Interop;

namespace ProxyD.Tests.Abi;

/// <summary>Our declarations of the C library against its headers, by the C compilers of both architectures we build for.</summary>
[Collection(StartsProcesses.Name)]
public sealed class AbiTests
{
    private const int PackedEpollDataOffset = 4;
    private const int AlignedEpollDataOffset = 8;

    public static TheoryData<string, string, string, int> Compilers => new()
    {
        { "x86-64", "x86_64-linux-gnu-gcc", "gcc, libc6-dev and libsystemd-dev", PackedEpollDataOffset },
        { "arm64", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and libsystemd-dev", AlignedEpollDataOffset },
    };

    [Theory]
    [MemberData(nameof(Compilers))]
    public async Task Every_constant_and_layout_is_the_C_headers(string architecture, string compiler, string packages, int epollDataOffset)
    {
        // Goal: each constant, error number, struct size, field offset and field size that we declare is proved.
        string errors = await CompileAsync(compiler, packages, AbiProgram.Write(epollDataOffset));
        Assert.True(errors.Length == 0, $"on {architecture}:\n{errors}");
    }

    [Theory]
    [MemberData(nameof(Compilers))]
    public async Task A_wrong_declaration_fails_the_compilation(string architecture, string compiler, string packages, int epollDataOffset)
    {
        // Goal: the proof above can fail: one fact of each kind made false is reported, and by its name.
        string program = AbiProgram.Write(epollDataOffset);
        foreach (string wrong in (string[])
            ["(long)(O_NONBLOCK) == 2049", "EAGAIN == 12", "sizeof(struct pollfd) == 12", "offsetof(struct statx, stx_ino) == 40",
                $"offsetof(struct epoll_event, data) == {PackedEpollDataOffset + AlignedEpollDataOffset - epollDataOffset}"])
        {
            string errors = await CompileAsync(compiler, packages, program + AbiProgram.Assertion(wrong));
            bool reported = errors.Contains($"static assertion failed: \"{wrong}\"", StringComparison.Ordinal);
            Assert.True(reported, $"{architecture} let '{wrong}' pass: {errors}");
        }
    }

    [Fact]
    public void The_proof_covers_everything_that_is_declared()
    {
        // Goal: reflection found the declarations; an empty program would compile too.
        string[] facts = [.. AbiProgram.Facts(epoll_event.DataOffset)];
        int constants = typeof(LibcConstants).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public).Length;
        int errors = Enum.GetValues<Errno>().Length - 1;
        Assert.True(constants > 50 && errors >= 16, $"{constants} constants and {errors} errors were found");
        Assert.True(facts.Length > constants + errors + (2 * AbiProgram.Structs().Count()), $"only {facts.Length} facts");
        Assert.Superset(
            new HashSet<string> { "pollfd", "linger", "rlimit", "statx", "tcp_info", "servent", "sigset_t", "posix_spawnattr_t", "sd_bus_error" },
            AbiProgram.Structs().Select(t => t.Name).ToHashSet());
        Assert.All(facts, fact => Assert.Single(facts, other => other == fact));
    }

    [Fact]
    public void The_running_process_reads_epoll_events_as_its_own_architecture_lays_them_out()
    {
        // Goal: the offset that is chosen at run time is the one that was proved for this machine.
        int expected = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? PackedEpollDataOffset : AlignedEpollDataOffset;
        Assert.Equal((expected, expected + 8), (epoll_event.DataOffset, epoll_event.Size));
    }

    /// <summary>What the compiler says; empty when it accepts the program.</summary>
    private static async Task<string> CompileAsync(string compiler, string packages, string program)
    {
        string path = Path.Combine("/usr/bin", compiler);
        Assert.True(File.Exists(path), $"{path} is missing; install the packages {packages}");
        // libsystemd's headers are the same for every architecture, and only the machine's own are installed.
        ProcessStartInfo start = new(path, ["-idirafter", "/usr/include", "-fsyntax-only", "-x", "c", "-std=gnu11", "-Wall", "-Werror", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        // The words of its messages are looked for.
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(program);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        string said = await errors;
        return process.ExitCode == 0 || said.Length > 0 ? said : $"{compiler} exited with status {process.ExitCode}";
    }
}
