namespace ProxyD.BlackBox.Harness;

/// <summary>What a test needs of the machine. Without it the test is reported as skipped, with the reason.</summary>
internal static class Requires
{
    public static void Root() =>
        Assert.SkipUnless(Native.geteuid() == 0, "needs root: it changes uid, mounts or makes a network namespace");

    public static void IPv6() => Assert.SkipUnless(Addresses.HasIPv6, "needs an IPv6 loopback address");

    /// <summary>For behaviour of options that only proxyd has.</summary>
    public static void Proxyd() => Assert.SkipWhen(Subject.IsIncumbent, "systemd-socket-proxyd has no such option");
}
