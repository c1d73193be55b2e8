using System.Net;
using System.Net.Sockets;
using ProxyD.BlackBox.Harness;
using ProxyD.Testing;

namespace ProxyD.BlackBox;

/// <summary>--listen=ADDR: without systemd the proxy binds by itself.</summary>
public sealed class ListenOptionTests
{
    private readonly IPEndPoint _destination = Addresses.FreeEndPoint();

    public ListenOptionTests() => Requires.Proxyd();

    [Fact]
    public void A_TCP_port_and_a_Unix_path_are_listened_on_at_once()
    {
        // Goal: the option may be repeated, and each kind of address works.
        using TemporaryFolder folder = new();
        IPEndPoint port = Addresses.FreeEndPoint();
        UnixDomainSocketEndPoint path = folder.Socket("public.sock");
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start($"--listen={port}", $"--listen={path}");

        using Peer overTcp = Peer.ConnectWhenUp(port);
        overTcp.AssertEcho("hello");
        using Peer overUnix = Peer.ConnectWhenUp(path);
        overUnix.AssertEcho("hello");
    }

    [Fact]
    public void An_abstract_name_and_an_IPv6_address_are_listened_on()
    {
        // Goal: every address that can be a destination can be a listener.
        Requires.IPv6();
        IPEndPoint v6 = new(IPAddress.IPv6Loopback, Ports.Free());
        UnixDomainSocketEndPoint name = Addresses.Abstract();
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start($"--listen={v6}", $"--listen={name}");

        foreach (EndPoint at in new EndPoint[] { v6, name })
        {
            using Peer client = Peer.ConnectWhenUp(at);
            client.AssertEcho("hello");
        }
    }

    [Fact]
    public void A_stale_socket_file_is_replaced()
    {
        // Goal: what a crashed predecessor left behind needs no `rm`.
        using TemporaryFolder folder = new();
        UnixDomainSocketEndPoint path = folder.Socket("public.sock");
        LeaveStaleSocket(path);
        using Backend backend = Backend.Echo(_destination);
        using Subject subject = Start($"--listen={path}");

        using Peer client = Peer.ConnectWhenUp(path);

        client.AssertEcho("hello");
    }

    [Fact]
    public void A_live_socket_file_is_left_alone()
    {
        // Goal: two proxies on one path are an error of the second, and the first doesn't notice.
        using TemporaryFolder folder = new();
        using Backend owner = Backend.Named(folder.Socket("public.sock"), "owner");
        using Subject subject = Start($"--listen={folder.File("public.sock")}");

        AssertRefused(subject, folder.File("public.sock"));
        using Peer client = Peer.Connect(folder.Socket("public.sock"));
        client.Send("hello\n");
        Assert.Equal("owner:hello", client.ReadTextToEnd());
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        // Goal: a mistyped path doesn't delete somebody's file.
        using TemporaryFolder folder = new();
        string path = folder.Write("precious.txt", "precious");
        using Subject subject = Start($"--listen={path}");

        AssertRefused(subject, path);
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Fact]
    public void A_port_in_use_is_refused()
    {
        // Goal: one line that names the address.
        IPEndPoint taken = Addresses.FreeEndPoint();
        using Backend owner = Backend.Echo(taken);
        using Subject subject = Start($"--listen={taken}");

        AssertRefused(subject, taken.ToString());
    }

    [Fact]
    public void A_client_that_resets_in_the_middle_of_a_transfer_does_not_end_the_proxy()
    {
        // Goal: started from a shell, SIGPIPE isn't ignored for us; writing to a dead connection mustn't kill the process.
        IPEndPoint port = Addresses.FreeEndPoint();
        using Backend backend = Backend.Start(_destination, peer =>
        {
            while (true)
                peer.Send(new byte[65536]);
        });
        using Subject subject = Start($"--listen={port}");
        for (int i = 0; i < 5; i++)
        {
            using Peer client = Peer.ConnectWhenUp(port);
            client.Read(1 << 20);
            client.Reset();
        }

        Wait.While(() => !subject.HasExited, "the proxy lives", 200);
    }

    [Fact]
    public void At_the_end_those_who_wait_are_reset()
    {
        // Goal: nobody comes after us on a socket of our own, so who waits is told.
        IPEndPoint port = Addresses.FreeEndPoint();
        using Subject subject = Start($"--listen={port}", "--wait-bind=30s");
        using Peer waiting = Peer.ConnectWhenUp(port);
        Wait.ForTheSubjectToTry();

        subject.Terminate();

        Assert.Equal(Ending.Reset, waiting.ReadEnding());
        Assert.Equal(0, subject.WaitForExit());
    }

    [Fact]
    public void The_socket_file_is_gone_after_an_orderly_end()
    {
        // Goal: no stale file is left when there is time to clean up.
        using TemporaryFolder folder = new();
        UnixDomainSocketEndPoint path = folder.Socket("public.sock");
        using Subject subject = Start($"--listen={path}");
        Peer.ConnectWhenUp(path).Dispose();

        subject.Terminate();

        Assert.Equal(0, subject.WaitForExit());
        Assert.False(File.Exists(path.ToString()));
    }

    private static void AssertRefused(Subject subject, string address)
    {
        Assert.Equal(1, subject.WaitForExit());
        Assert.Contains(address, Assert.Single(subject.Log), StringComparison.Ordinal);
        Assert.Empty(subject.Output);
    }

    private static void LeaveStaleSocket(UnixDomainSocketEndPoint path)
    {
        // .NET removes the file of a socket that it closes, so the file is moved away and back.
        string file = path.ToString(), aside = file + ".aside";
        using (Socket gone = Addresses.Listen(path))
            File.Move(file, aside);
        File.Move(aside, file);
    }

    private Subject Start(params string[] options) =>
        Subject.Start(new SubjectSetup { Arguments = [.. options, Addresses.Text(_destination)] });
}
