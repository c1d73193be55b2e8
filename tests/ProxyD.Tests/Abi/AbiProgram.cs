using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using ProxyD.Interop;

namespace ProxyD.Tests.Abi;

/// <summary>A C program whose compilation proves what <see cref="Interop"/> declares: one static assert for each fact.</summary>
/// <remarks>Written from reflection, so a constant, struct or field that is added is proved without a word here.</remarks>
internal static class AbiProgram
{
    private const BindingFlags AllStatic = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
    private const BindingFlags AllInstance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Where the names are declared; a new constant may need a new one.</summary>
    private static readonly string[] s_headers =
    [
        "errno.h", "fcntl.h", "linux/sockios.h", "netdb.h", "netinet/in.h", "netinet/tcp.h", "poll.h", "signal.h", "spawn.h",
        "stddef.h", "sys/epoll.h", "sys/eventfd.h", "sys/ioctl.h", "sys/resource.h", "sys/socket.h", "sys/stat.h",
        "sys/syscall.h", "sys/un.h", "sys/wait.h", "systemd/sd-bus.h",
    ];

    /// <summary>Structs of which we declare only the beginning; the kernel fills no more than it is given room for.</summary>
    private static readonly Type[] s_partial = [typeof(tcp_info)];

    /// <summary>The whole program.</summary>
    /// <param name="epollDataOffset">Of <c>epoll_event.data</c>: 4 on x86-64, where the struct is packed, 8 elsewhere.</param>
    internal static string Write(int epollDataOffset)
    {
        StringBuilder program = new("#define _GNU_SOURCE\n");
        foreach (string header in s_headers)
            program.Append($"#include <{header}>\n");
        foreach (string fact in Facts(epollDataOffset))
            program.Append(Assertion(fact));
        return program.ToString();
    }

    internal static string Assertion(string fact) => $"_Static_assert({fact}, \"{fact}\");\n";

    /// <summary>Every fact, as a C expression that must be true.</summary>
    internal static IEnumerable<string> Facts(int epollDataOffset) =>
        [.. Constants(), .. Errors(), .. Structs().SelectMany(FactsOf), .. Buffers(), .. EpollEvent(epollDataOffset)];

    /// <summary>The structs that bear their C names; by that they are told from our own types.</summary>
    internal static IEnumerable<Type> Structs() =>
        from type in typeof(Libc).Assembly.GetTypes()
        where type is { IsValueType: true, IsEnum: false, Namespace: "ProxyD.Interop" } && char.IsAsciiLetterLower(type.Name[0])
        select type;

    private static IEnumerable<string> Constants() =>
        // Casts, because some C names are pointers (SIG_IGN) or unsigned (EPOLLET), and only the bits matter.
        typeof(LibcConstants).GetFields(AllStatic).Select(field => field.GetRawConstantValue() switch
        {
            uint unsigned => $"(unsigned)({field.Name}) == {unsigned}u",
            object signed => $"(long)({field.Name}) == {signed}",
            null => throw new InvalidOperationException($"{field.Name} is no constant"),
        });

    private static IEnumerable<string> Errors() =>
        Enum.GetValues<Errno>().Where(e => e != Errno.None).Select(e => $"{e} == {(int)e}");

    private static IEnumerable<string> FactsOf(Type type)
    {
        bool isTypedef = type.Name.EndsWith("_t", StringComparison.Ordinal) || type.Name.StartsWith("sd_", StringComparison.Ordinal);
        string name = isTypedef ? type.Name : $"struct {type.Name}";
        int size = RuntimeHelpers.SizeOf(type.TypeHandle);
        yield return $"sizeof({name}) {(s_partial.Contains(type) ? ">=" : "==")} {size}";
        foreach (FieldInfo field in type.GetFields(AllInstance))
        {
            yield return $"offsetof({name}, {field.Name}) == {Marshal.OffsetOf(type, field.Name)}";
            yield return $"sizeof((({name} *)0)->{field.Name}) == {RuntimeHelpers.SizeOf(field.FieldType.TypeHandle)}";
        }
    }

    private static IEnumerable<string> Buffers() =>
    [
        $"sizeof(struct sockaddr_storage) == {SocketAddress.MaxBytes}",
        $"sizeof(((struct sockaddr_un *)0)->sun_path) == {SocketAddress.MaxUnixPathBytes + 1}",
    ];

    private static IEnumerable<string> EpollEvent(int dataOffset) =>
    [
        "offsetof(struct epoll_event, events) == 0",
        "sizeof(((struct epoll_event *)0)->events) == 4",
        $"offsetof(struct epoll_event, data) == {dataOffset}",
        "sizeof(((struct epoll_event *)0)->data) == 8",
        $"sizeof(struct epoll_event) == {dataOffset + 8}",
    ];
}
