using System.Net;
using System.Net.Sockets;
using SocketAddress = ProxyD.Interop.SocketAddress;

namespace ProxyD.Tests.Pure;

/// <summary>Our sockaddr bytes against those that .NET's own sockets hand to the kernel.</summary>
public sealed class SocketAddressTests
{
    [Theory]
    [InlineData("127.0.0.1", 80)]
    [InlineData("0.0.0.0", 0)]
    [InlineData("255.255.255.255", 65535)]
    [InlineData("10.20.30.40", 0x1234)]
    [InlineData("::1", 80)]
    [InlineData("::", 0)]
    [InlineData("2001:db8:1:2:3:4:5:6", 65535)]
    [InlineData("fe80::1%3", 0x1234)]
    [InlineData("fe80::1%4294967295", 80)]
    public void An_Internet_address_is_encoded_as_dotnet_encodes_it(string ip, int port)
    {
        // Goal: family, port order, address, flow and scope are where the kernel looks for them.
        IPEndPoint endPoint = new(IPAddress.Parse(ip), port);
        Assert.Equal(Encoded(endPoint), SocketAddress.Internet(endPoint.Address, port).Bytes.ToArray());
    }

    [Theory]
    [InlineData("/run/a.sock")]
    [InlineData("/r")]
    [InlineData("/run/grün.sock")]
    public void A_Unix_path_is_encoded_as_dotnet_encodes_it(string path)
    {
        // Goal: UTF-8, with the closing zero.
        Assert.Equal(Encoded(new UnixDomainSocketEndPoint(path)), SocketAddress.UnixPath(path).Bytes.ToArray());
    }

    [Theory]
    [InlineData("a")]
    [InlineData("proxyd-backend")]
    public void An_abstract_name_is_encoded_as_dotnet_encodes_it(string name)
    {
        // Goal: a leading zero and no closing one; the length is part of an abstract name.
        Assert.Equal(Encoded(new UnixDomainSocketEndPoint("\0" + name)), SocketAddress.UnixAbstract(name).Bytes.ToArray());
    }

    [Fact]
    public void The_longest_path_still_fits_with_its_zero()
    {
        // Goal: 2 bytes of family, 107 of path, 1 zero: exactly sockaddr_un.
        string path = "/" + new string('x', SocketAddress.MaxUnixPathBytes - 1);
        Assert.Equal(110, SocketAddress.UnixPath(path).Bytes.Length);
        Assert.Equal(110, SocketAddress.UnixAbstract(path).Bytes.Length);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("10.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("fe80::1", false)]
    public void Loopback_is_known_where_a_socket_can_meet_itself(string ip, bool expected)
    {
        // Goal: the self-connect check and keep-alive depend on it.
        Assert.Equal(expected, SocketAddress.Internet(IPAddress.Parse(ip), 1).IsLoopback);
    }

    [Fact]
    public void The_text_is_what_a_person_would_write()
    {
        // Goal: log lines show addresses in their usual form.
        Assert.Equal("127.0.0.1:80", SocketAddress.Internet(IPAddress.Loopback, 80).Text);
        Assert.Equal("[::1]:80", SocketAddress.Internet(IPAddress.IPv6Loopback, 80).ToString());
        Assert.Equal("/run/x.sock", SocketAddress.UnixPath("/run/x.sock").Text);
        Assert.Equal("@x", SocketAddress.UnixAbstract("x").Text);
    }

    private static byte[] Encoded(EndPoint endPoint)
    {
        System.Net.SocketAddress encoded = endPoint.Serialize();
        return encoded.Buffer[..encoded.Size].ToArray();
    }
}
