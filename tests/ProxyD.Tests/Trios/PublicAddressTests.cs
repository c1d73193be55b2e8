using ProxyD.Interop;
using ProxyD.Trios;

namespace ProxyD.Tests.Trios;

/// <summary>Where a socket unit listens, and whether the backend still finds a place.</summary>
public sealed class PublicAddressTests
{
    [Theory]
    [InlineData("8080", "8080")]
    [InlineData("127.0.0.1:80", "127.0.0.1:80")]
    [InlineData("127.0.0.1:http", "127.0.0.1:80")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData("::1:80", "[::1]:80")]
    [InlineData("/run/web.sock", "/run/web.sock")]
    [InlineData("@web", "@web")]
    public void It_is_written_as_systemd_reads_it(string text, string expected)
    {
        // Goal: brackets and numbers where systemd.socket(5) wants them.
        Assert.True(PublicAddress.TryParse(text, out PublicAddress? address, out _));
        Assert.Equal(expected, address.Listen);
    }

    [Theory]
    [InlineData("localhost:80", "looks up no names")]
    [InlineData("0", "'0' is no port")]
    [InlineData("65536", "'65536' is no port")]
    [InlineData("", "it is empty")]
    [InlineData("127.0.0.1", "the port is missing")]
    [InlineData("@", "needs a name")]
    public void What_systemd_would_not_take_is_refused(string text, string expected)
    {
        // Goal: the reason is told before a unit is written.
        Assert.False(PublicAddress.TryParse(text, out _, out string? problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8080", "127.0.0.1:8080", true)]
    [InlineData("8080", "[::1]:8080", true)]
    [InlineData("8080", "localhost:8080", true)]
    [InlineData("8080", "box.example:8080", true)]
    [InlineData("8080", "127.0.0.1:8081", false)]
    [InlineData("0.0.0.0:8080", "127.0.0.1:8080", true)]
    [InlineData("0.0.0.0:8080", "[::1]:8080", false)]
    [InlineData("[::]:8080", "127.0.0.1:8080", true)]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080", true)]
    [InlineData("127.0.0.1:8080", "localhost:8080", true)]
    [InlineData("127.0.0.1:8080", "127.0.0.2:8080", false)]
    [InlineData("192.0.2.1:8080", "127.0.0.1:8080", false)]
    [InlineData("192.0.2.1:8080", "localhost:8080", false)]
    [InlineData("/run/a", "/run/a", true)]
    [InlineData("/run/a", "/run/b", false)]
    [InlineData("@a", "@a", true)]
    [InlineData("@a", "/a", false)]
    [InlineData("/run/a", "127.0.0.1:80", false)]
    [InlineData("8080", "/run/a", false)]
    public void It_takes_the_backends_place_when_the_kernel_says_so(string listen, string backend, bool expected)
    {
        // Goal: a backend that could not bind is seen before it is tried; port and address both count.
        Assert.True(PublicAddress.TryParse(listen, out PublicAddress? address, out _));
        Assert.True(Address.TryParse(backend, null, out Address? other, out _));
        Assert.Equal(expected, address.Takes(other));
    }

    [Theory]
    [InlineData("8080", false)]
    [InlineData("0.0.0.0:80", false)]
    [InlineData("127.0.0.1:80", false)]
    [InlineData("[::1]:80", false)]
    [InlineData("192.0.2.1:80", true)]
    [InlineData("[2001:db8::1]:80", true)]
    [InlineData("/run/a", false)]
    public void An_address_of_one_interface_may_come_late(string listen, bool expected)
    {
        // Goal: only those need FreeBind=.
        Assert.True(PublicAddress.TryParse(listen, out PublicAddress? address, out _));
        Assert.Equal(expected, address.IsOfOneInterface);
    }
}
