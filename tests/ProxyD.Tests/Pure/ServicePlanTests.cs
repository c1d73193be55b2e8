using ProxyD.Activation;
using ProxyD.Interop;
using ProxyD.Relay;

namespace ProxyD.Tests.Pure;

public sealed class ServicePlanTests
{
    [Fact]
    public void A_destination_without_a_name_takes_every_socket()
    {
        // Goal: the plain drop-in needs to know nothing of names.
        List<List<PassedSocket>> plan = ServicePlan.Assign([To(null)], [Socket(3, "a"), Socket(4, "b")]);
        Assert.Equal([3, 4], Assert.Single(plan).Select(s => s.Fd));
    }

    [Fact]
    public void Each_name_takes_its_sockets_and_the_rest_goes_to_the_one_without()
    {
        // Goal: order of destinations is kept, sockets of one name stay together in order.
        List<List<PassedSocket>> plan = ServicePlan.Assign(
            [To("web"), To(null), To("api")],
            [Socket(3, "api"), Socket(4, "other"), Socket(5, "web"), Socket(6, "unknown"), Socket(7, "web")]);
        Assert.Equal([[5, 7], [4, 6], [3]], plan.Select(list => list.Select(s => s.Fd)));
    }

    [Fact]
    public void Without_any_socket_the_way_to_get_one_is_told()
    {
        // Goal: the most common first mistake, started by hand, names both remedies.
        string problem = Refused([To(null)], []);
        Assert.Contains(".socket unit", problem, StringComparison.Ordinal);
        Assert.Contains("--listen=ADDR", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_that_no_destination_claims_is_named()
    {
        // Goal: no passed socket stays silently unserved.
        string problem = Refused([To("web")], [Socket(3, "web"), Socket(4, "api")]);
        Assert.Contains("'api'", problem, StringComparison.Ordinal);
        Assert.Contains("api=DESTINATION", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_no_socket_has_is_named_with_those_that_there_are()
    {
        // Goal: a typing error in FileDescriptorName= is seen at once.
        string problem = Refused([To("wbe"), To(null)], [Socket(3, "web"), Socket(4, "web"), Socket(5, "api")]);
        Assert.Contains("no socket is named 'wbe'; passed: 'web', 'api'", problem, StringComparison.Ordinal);
        Assert.Contains("FileDescriptorName=wbe", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_destination_without_a_name_that_is_left_with_nothing_is_refused()
    {
        // Goal: a backend that could never be reached is a mistake.
        string problem = Refused([To("web"), To(null)], [Socket(3, "web")]);
        Assert.Contains("is left without a socket", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(PassedSocketKind.ListeningTcp), nameof(ListenerKind.Tcp))]
    [InlineData(nameof(PassedSocketKind.ListeningOther), nameof(ListenerKind.Other))]
    [InlineData(nameof(PassedSocketKind.Connected), nameof(ListenerKind.Connected))]
    public void The_data_plane_learns_what_kind_each_socket_is(string passed, string expected)
    {
        // Goal: each kind has its own way to ask who waits.
        PassedSocket socket = new(9, "x", Enum.Parse<PassedSocketKind>(passed));
        ServiceSettings settings = ServicePlan.Settings(2, To(null), [socket], TimeSpan.FromSeconds(5));
        Listener listener = Assert.Single(settings.Listeners);
        Assert.Equal((9, expected), (listener.Fd, listener.Kind.ToString()));
        Assert.Equal(2, settings.Index);
        Assert.Equal(expected == "Connected", settings.IsConnected);
    }

    [Fact]
    public void The_hold_is_counted_in_milliseconds_and_may_be_none()
    {
        // Goal: 0 tries once, infinity is no deadline.
        Assert.Equal(5000, SettingsFor("127.0.0.1:1", TimeSpan.FromSeconds(5)).HoldTimeoutMs);
        Assert.Equal(0, SettingsFor("127.0.0.1:1", TimeSpan.Zero).HoldTimeoutMs);
        Assert.Equal(int.MaxValue, SettingsFor("127.0.0.1:1", TimeSpan.FromMilliseconds(int.MaxValue)).HoldTimeoutMs);
        Assert.Null(SettingsFor("127.0.0.1:1", null).HoldTimeoutMs);
    }

    [Fact]
    public void Only_a_name_needs_the_resolver()
    {
        // Goal: a literal has its one address from the start.
        ServiceSettings literal = SettingsFor("/run/a.sock", null), name = SettingsFor("localhost:1", null);
        Assert.False(literal.NeedsResolver);
        Assert.Equal("/run/a.sock", Assert.Single(literal.Addresses).Text);
        Assert.True(name.NeedsResolver);
        Assert.Empty(name.Addresses);
    }

    private static ServiceSettings SettingsFor(string address, TimeSpan? hold) =>
        ServicePlan.Settings(0, new(null, AddressOf(address)), [Socket(3, "a")], hold);

    private static Destination To(string? name) => new(name, AddressOf("127.0.0.1:18080"));

    private static Address AddressOf(string text)
    {
        Assert.True(Address.TryParse(text, 80, out Address? address, out _));
        return address;
    }

    private static PassedSocket Socket(int fd, string name) => new(fd, name, PassedSocketKind.ListeningTcp);

    private static string Refused(Destination[] destinations, PassedSocket[] sockets)
    {
        string problem = Assert.Throws<StartupException>(() => ServicePlan.Assign(destinations, sockets)).Message;
        Assert.DoesNotContain('\n', problem);
        return problem;
    }
}
