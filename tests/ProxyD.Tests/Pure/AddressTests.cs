using System.Net;
using ProxyD.Interop;
using SocketAddress = ProxyD.Interop.SocketAddress;

namespace ProxyD.Tests.Pure;

public sealed class AddressTests
{
    private const int DefaultPort = 80;

    [Theory]
    [InlineData("127.0.0.1:8080", "127.0.0.1", 8080)]
    [InlineData("127.0.0.1", "127.0.0.1", 80)]
    [InlineData("0.0.0.0:1", "0.0.0.0", 1)]
    [InlineData("10.1.2.3:65535", "10.1.2.3", 65535)]
    [InlineData("[::1]:8080", "::1", 8080)]
    [InlineData("[::1]", "::1", 80)]
    [InlineData("[2001:db8::7]:443", "2001:db8::7", 443)]
    [InlineData("[::ffff:10.0.0.1]:8080", "::ffff:10.0.0.1", 8080)]
    [InlineData("[fe80::1%1]:8080", "fe80::1%1", 8080)]
    public void An_IP_address_needs_no_resolver(string text, string ip, int port)
    {
        // Goal: a literal is known at once, with the port as written or the default.
        Address address = Parse(text);
        Assert.Equal(SocketAddress.Internet(IPAddress.Parse(ip), port).Bytes, address.Literal!.Bytes);
        Assert.Equal(port, address.Port);
        Assert.Null(address.HostName);
        Assert.Null(address.Path);
        Assert.Equal(text, address.Text);
    }

    [Theory]
    [InlineData("::1:8080", "::1", 8080)]
    [InlineData("2001:db8::7:443", "2001:db8::7", 443)]
    [InlineData("fe80::1%1:8080", "fe80::1%1", 8080)]
    public void An_IPv6_address_without_brackets_is_split_at_the_last_colon(string text, string ip, int port)
    {
        // Goal: systemd-socket-proxyd reads it so, and a drop-in must too.
        Address address = Parse(text);
        Assert.Equal(SocketAddress.Internet(IPAddress.Parse(ip), port).Bytes, address.Literal!.Bytes);
        Assert.Equal(port, address.Port);
    }

    [Theory]
    [InlineData("localhost:8080", "localhost", 8080)]
    [InlineData("backend", "backend", 80)]
    [InlineData("a.example.com:443", "a.example.com", 443)]
    [InlineData("my_host-2:1", "my_host-2", 1)]
    public void A_name_waits_for_the_resolver(string text, string host, int port)
    {
        // Goal: names are not resolved when the command line is read.
        Address address = Parse(text);
        Assert.Equal(host, address.HostName);
        Assert.Equal(port, address.Port);
        Assert.Null(address.Literal);
    }

    [Theory]
    [InlineData("127.0.0.1:http", 80)]
    [InlineData("[::1]:https", 443)]
    [InlineData("localhost:ssh", 22)]
    public void A_port_may_be_the_name_of_a_service(string text, int port)
    {
        // Goal: services(5) names work in every form, as with getaddrinfo(3).
        Assert.True(File.Exists("/etc/services"), "/etc/services is missing; install the package netbase");
        Assert.Equal(port, Parse(text).Port);
    }

    [Theory]
    [InlineData("/run/a.sock")]
    [InlineData("/run/a=b:80.sock")]
    [InlineData("/r")]
    public void A_slash_begins_the_path_of_a_Unix_socket(string text)
    {
        // Goal: nothing in a path is special.
        Address address = Parse(text);
        Assert.Equal(text, address.Path);
        Assert.Equal(SocketAddress.UnixPath(text).Bytes, address.Literal!.Bytes);
        Assert.Equal(0, address.Port);
    }

    [Fact]
    public void An_at_sign_begins_an_abstract_name()
    {
        // Goal: an abstract socket has an address and no path in the file system.
        Address address = Parse("@backend:1");
        Assert.Null(address.Path);
        Assert.Equal(SocketAddress.UnixAbstract("backend:1").Bytes, address.Literal!.Bytes);
    }

    [Theory]
    [InlineData("/", "")]
    [InlineData("@", "")]
    [InlineData("/", "ü")]
    public void A_Unix_path_may_fill_the_address_and_no_more(string prefix, string tail)
    {
        // Goal: at limit - 1 and limit it fits, at limit + 1 it is refused; bytes count, not characters.
        int tailBytes = System.Text.Encoding.UTF8.GetByteCount(tail);
        const int Limit = SocketAddress.MaxUnixPathBytes;
        foreach (int bytes in (int[])[Limit - 1, Limit, Limit + 1])
        {
            string text = prefix + new string('x', bytes - 1 - tailBytes) + tail;
            bool accepted = Address.TryParse(text, null, out Address? _, out string? problem);
            Assert.Equal(bytes <= Limit, accepted);
            Assert.Equal(accepted ? null : "a Unix socket's path has at most 107 bytes", problem);
        }
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("/", "'/' is a folder")]
    [InlineData("@", "an abstract socket needs a name")]
    [InlineData("/a\0b", "it holds a zero byte")]
    [InlineData("host:0", "'0' is no port")]
    [InlineData("host:65536", "'65536' is no port")]
    [InlineData("host:99999999999", "'99999999999' is no port")]
    [InlineData("host:-1", "'-1' is no port")]
    [InlineData("host:+1", "'+1' is no port")]
    [InlineData("host: 1", "' 1' is no port")]
    [InlineData("host:", "'' is no port")]
    [InlineData("[::1]:", "'' is no port")]
    [InlineData("host:no-such-service", "'no-such-service' is no port")]
    [InlineData("8080", "'8080' is a number, not a host")]
    [InlineData("12346:80", "'12346' is a number, not a host")]
    [InlineData("[127.0.0.1]:80", "'127.0.0.1' in brackets is no IPv6 address")]
    [InlineData("[]:80", "'' in brackets is no IPv6 address")]
    [InlineData("[::1", "neither a host name nor an IP address")]
    [InlineData("[::1]x:80", "neither a host name nor an IP address")]
    [InlineData("1::2::3:80", "neither a host name nor an IP address")]
    [InlineData("a..b:80", "neither a host name nor an IP address")]
    [InlineData("a b:80", "neither a host name nor an IP address")]
    [InlineData("http://host:80", "neither a host name nor an IP address")]
    public void What_is_no_address_is_refused_with_the_reason(string text, string expected)
    {
        // Goal: the user learns which part is wrong.
        bool accepted = Address.TryParse(text, DefaultPort, out Address? address, out string? problem);
        Assert.False(accepted, $"'{text}' was read as {address?.Literal}");
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[::1]:80:90")]
    [InlineData("[[::1]]:80")]
    [InlineData("[[::1]]")]
    public void Brackets_or_ports_that_are_there_twice_are_refused(string text)
    {
        // Goal: IPAddress.Parse takes "[::1]:80" and drops the port; that must not let a muddled destination through.
        Assert.False(Address.TryParse(text, DefaultPort, out Address? address, out _), $"'{text}' was read as {address?.Literal}");
    }

    [Fact]
    public void A_host_that_is_missing_is_not_called_a_number()
    {
        // Goal: ":80" (a lone port, as ListenStream= takes it) gets a reason that makes sense.
        Assert.False(Address.TryParse(":80", DefaultPort, out _, out string? problem));
        Assert.DoesNotContain("number", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("localhost")]
    public void Without_a_default_the_port_must_be_there(string text)
    {
        // Goal: --listen has no default port, so it says that one is missing.
        Assert.False(Address.TryParse(text, null, out _, out string? problem));
        Assert.Equal("the port is missing", problem);
    }

    private static Address Parse(string text)
    {
        Assert.True(Address.TryParse(text, DefaultPort, out Address? address, out string? problem), $"'{text}' is refused: {problem}");
        return address;
    }
}
