using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]
// One after the other: a minute instead of half of one. Beside each other, one run in six failed because a descriptor of this process
// had become another's (EBADF or ENOTSOCK on a test's own file); who closes it is not known.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace ProxyD.BlackBox;

/// <summary>Tests that measure time or processor use, or that need most of the machine: one after the other, at the end.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

internal static class Startup
{
    // The tests block their threads, as the sockets they use do. Without this the pool would add one thread in half a second.
    [ModuleInitializer]
    internal static void Initialize() => ThreadPool.SetMinThreads(32, 32);
}
