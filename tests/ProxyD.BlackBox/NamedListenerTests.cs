using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary>Several listeners, each to its own destination by its name in LISTEN_FDNAMES.</summary>
public sealed class NamedListenerTests
{
    private readonly IPEndPoint _first = Addresses.FreeEndPoint();
    private readonly IPEndPoint _second = Addresses.FreeEndPoint();

    [Fact]
    [Trait("row", "W11")]
    public void Each_named_listener_leads_to_its_own_destination()
    {
        // Goal: a=DEST1 b=DEST2 for listeners named a and b.
        AssertAnswers("a:b", [$"a={_first}", $"b={_second}"], "first", "second");
    }

    [Fact]
    [Trait("row", "W11")]
    public void A_bare_destination_takes_each_listener_that_no_name_claims()
    {
        // Goal: one exception among several listeners needs one name.
        AssertAnswers("x:special:y", [$"special={_first}", _second.ToString()], "second", "first", "second");
    }

    [Fact]
    [Trait("row", "W11")]
    public void Listeners_that_share_a_name_share_its_destination()
    {
        // Goal: one .socket with ListenStream= for IPv4 and IPv6 gives both sockets the same name.
        AssertAnswers("web:web:admin", [$"web={_first}", $"admin={_second}"], "first", "first", "second");
    }

    [Fact]
    public void Without_names_all_listeners_share_the_bare_destination()
    {
        // Goal: what systemd-socket-proxyd does with several sockets.
        AssertAnswers(null, [_first.ToString()], "first", "first");
    }

    [Fact]
    public void A_cold_destination_holds_up_no_other()
    {
        // Goal: services wait for themselves only.
        Requires.Proxyd();
        using Socket cold = Addresses.Listen();
        using Socket warm = Addresses.Listen();
        using Backend backend = Backend.Named(_second, "second");
        using Subject subject = Start("cold:warm", [$"cold={_first}", $"warm={_second}"], cold, warm);
        using Peer waiting = Peer.Connect(cold.LocalEndPoint!);

        Assert.Equal("second:hello", Ask(warm));
        Assert.False(waiting.HasInput());
    }

    [Theory]
    [InlineData("a:b", "a={0}", "b")]
    [InlineData("a", "a={0} nobody={0}", "nobody")]
    public void Names_and_destinations_that_do_not_match_are_refused(string names, string destinations, string culprit)
    {
        // Goal: a listener without a destination, or a destination without a listener, is a configuration error with one line.
        Requires.Proxyd();
        Socket[] listeners = [.. names.Split(':').Select(_ => Addresses.Listen())];
        using Subject subject = Start(
            names, destinations.Replace("{0}", _first.ToString(), StringComparison.Ordinal).Split(' '), listeners);

        Assert.Equal(1, subject.WaitForExit());
        Assert.Contains(culprit, Assert.Single(subject.Log), StringComparison.Ordinal);
        foreach (Socket listener in listeners)
            listener.Dispose();
    }

    private void AssertAnswers(string? names, string[] destinations, params string[] expected)
    {
        using Backend first = Backend.Named(_first, "first");
        using Backend second = Backend.Named(_second, "second");
        Socket[] listeners = [.. expected.Select(_ => Addresses.Listen())];
        using Subject subject = Start(names, destinations, listeners);

        Assert.Equal(expected.Select(name => $"{name}:hello"), listeners.Select(Ask).ToArray());
        foreach (Socket listener in listeners)
            listener.Dispose();
    }

    private static string Ask(Socket listener)
    {
        using Peer client = Peer.Connect(listener.LocalEndPoint!);
        client.Send("hello\n");
        return client.ReadTextToEnd();
    }

    private static Subject Start(string? names, string[] destinations, params Socket[] listeners) =>
        Subject.Start(new SubjectSetup { Sockets = listeners, SocketNames = names, Arguments = destinations });
}
