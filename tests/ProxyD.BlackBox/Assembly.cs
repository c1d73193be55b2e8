using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]
// Most tests wait most of the time: for a backend that is late on purpose, for a time-out that they are about.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]

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
