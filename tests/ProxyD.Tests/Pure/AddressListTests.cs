using System.Net;
using ProxyD.Relay;
using SocketAddress = ProxyD.Interop.SocketAddress;

namespace ProxyD.Tests.Pure;

/// <summary>When a backend's name is asked for: not per connection, and not in a storm while it fails.</summary>
public sealed class AddressListTests
{
    private static readonly SocketAddress s_one = SocketAddress.Internet(IPAddress.Loopback, 1);
    private static readonly SocketAddress s_two = SocketAddress.Internet(IPAddress.IPv6Loopback, 1);

    private readonly List<RelayEvent> _reported = [];

    [Fact]
    public void A_literal_is_never_asked_for()
    {
        // Goal: the warm path of a plain address costs no resolver.
        AddressList list = List(needsResolver: false);
        list.Freshen(failed: false, nowMs: 0);
        list.Freshen(failed: true, nowMs: 1_000_000);
        Assert.Empty(_reported);
        Assert.Equal([s_one], list.Current);
    }

    [Fact]
    public void A_name_is_asked_for_at_its_first_use_and_once()
    {
        // Goal: a hundred clients that wait for the answer cause one question.
        AddressList list = List(needsResolver: true);
        for (int i = 0; i < 100; i++)
            list.Freshen(failed: i > 0, nowMs: i * 1000);
        Assert.Equal((RelayEventKind.AddressWanted, 7), (Assert.Single(_reported).Kind, _reported[0].Service));
    }

    [Theory]
    [InlineData(false, AddressList.FreshMs)]
    [InlineData(true, AddressList.FailedFreshMs)]
    public void An_answer_is_kept_for_its_time(bool failed, int freshMs)
    {
        // Goal: at limit - 1 no question, at the limit one; sooner when no address could be reached.
        AddressList list = List(needsResolver: true);
        list.Set([s_one], nowMs: 500);
        list.Freshen(failed, nowMs: 500 + freshMs - 1);
        Assert.Empty(_reported);
        list.Freshen(failed, nowMs: 500 + freshMs);
        Assert.Single(_reported);
    }

    [Fact]
    public void An_empty_answer_leaves_what_is_known()
    {
        // Goal: a resolver that is down for a moment does not take a working backend away.
        AddressList list = List(needsResolver: true);
        list.Set([s_one, s_two], nowMs: 0);
        list.Set([], nowMs: 10);
        Assert.Equal([s_one, s_two], list.Current);
        list.Set([s_two], nowMs: 20);
        Assert.Equal([s_two], list.Current);
    }

    [Fact]
    public void While_there_is_no_address_at_all_the_question_comes_back_each_second()
    {
        // Goal: a client that waits is served soon after the name appears.
        AddressList list = List(needsResolver: true);
        list.Set([], nowMs: 0);
        list.Freshen(failed: false, nowMs: AddressList.FailedFreshMs - 1);
        Assert.Empty(_reported);
        list.Freshen(failed: false, nowMs: AddressList.FailedFreshMs);
        Assert.Single(_reported);
    }

    private AddressList List(bool needsResolver) => new(
        new()
        {
            Index = 7,
            Listeners = [],
            Addresses = needsResolver ? [] : [s_one],
            NeedsResolver = needsResolver,
            HoldTimeoutMs = null,
        },
        _reported.Add);
}
