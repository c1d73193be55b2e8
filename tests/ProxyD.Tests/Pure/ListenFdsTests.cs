using ProxyD.Activation;

namespace ProxyD.Tests.Pure;

public sealed class ListenFdsTests
{
    private const int Pid = 4711;
    private const ulong Inode = 12345;

    [Fact]
    public void Nothing_was_passed_when_there_are_no_variables()
    {
        // Goal: started by hand, there is nothing to complain about.
        AssertNames([], Read(Variables()));
    }

    [Fact]
    public void Each_descriptor_has_its_name_in_order()
    {
        // Goal: names are one for each descriptor, from 3 on.
        AssertNames(["web", "api"], Read(Variables(fds: "2", pid: "4711", names: "web:api")));
    }

    [Fact]
    public void Without_names_all_are_called_unknown()
    {
        // Goal: as sd_listen_fds_with_names(3) has it.
        AssertNames(["unknown", "unknown", "unknown"], Read(Variables(fds: "3", pid: "4711")));
    }

    [Theory]
    [InlineData("1", "", new[] { "" })]
    [InlineData("3", "a::c", new[] { "a", "", "c" })]
    [InlineData("2", ":", new[] { "", "" })]
    [InlineData("2", "same:same", new[] { "same", "same" })]
    public void Empty_and_equal_names_are_names(string fds, string names, string[] expected)
    {
        // Goal: FileDescriptorName= may be empty or shared; the count is what must agree.
        AssertNames(expected, Read(Variables(fds: fds, pid: "4711", names: names)));
    }

    [Theory]
    [InlineData("1", "a:b", 2)]
    [InlineData("3", "a:b", 2)]
    [InlineData("2", "", 1)]
    public void A_wrong_number_of_names_is_a_problem(string fds, string names, int named)
    {
        // Goal: a socket must never get another's name.
        ListenFds.Announcement announced = Read(Variables(fds: fds, pid: "4711", names: names));
        AssertProblem($"LISTEN_FDNAMES names {named} sockets, LISTEN_FDS says {fds}", announced);
    }

    [Theory]
    [InlineData("4712")]
    [InlineData("47110")]
    [InlineData("0")]
    [InlineData("")]
    [InlineData("4711 ")]
    [InlineData("self")]
    public void Sockets_for_another_process_are_not_ours(string pid)
    {
        // Goal: a wrapper that forgot exec is named as the cause.
        ListenFds.Announcement announced = Read(Variables(fds: "1", pid: pid));
        AssertProblem($"passed to process {pid}, and this is 4711", announced);
        Assert.Contains("'exec'", announced.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_LISTEN_PID_nothing_is_meant_for_us()
    {
        // Goal: a stray LISTEN_FDS of somebody else is left alone, as sd_listen_fds(3) does.
        AssertNames([], Read(Variables(fds: "2")));
    }

    [Fact]
    public void The_inode_of_our_own_pidfd_is_accepted()
    {
        // Goal: systemd 258 and later proves the process beyond its number.
        AssertNames(["unknown"], Read(Variables(fds: "1", pid: "4711", pidfdId: "12345")));
    }

    [Theory]
    [InlineData("54321")]
    [InlineData("")]
    [InlineData("x")]
    public void A_foreign_pidfd_inode_means_that_our_number_was_reused(string pidfdId)
    {
        // Goal: the right pid alone is not enough when more is known.
        AssertProblem("another process (LISTEN_PIDFDID", Read(Variables(fds: "1", pid: "4711", pidfdId: pidfdId)));
    }

    [Fact]
    public void Where_the_kernel_tells_no_inode_the_pid_decides()
    {
        // Goal: an old kernel, or one that forbids pidfd_open(2), must not cost the sockets.
        AssertNames(["unknown"], ListenFds.Read(Variables(fds: "1", pid: "4711", pidfdId: "54321"), Pid, () => null));
        AssertProblem("passed to process 1", ListenFds.Read(Variables(fds: "1", pid: "1", pidfdId: "54321"), Pid, () => null));
    }

    [Fact]
    public void The_kernel_is_asked_for_an_inode_only_when_somebody_named_one()
    {
        // Goal: pidfd_open(2) may be forbidden by a filter that kills; without need it is not called.
        AssertNames(["unknown"], ListenFds.Read(Variables(fds: "1", pid: "4711"), Pid, () => throw new InvalidOperationException("asked")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.0")]
    [InlineData("99999999999")]
    public void A_bad_number_of_sockets_is_a_problem(string fds)
    {
        // Goal: the variable and its value are named.
        AssertProblem($"LISTEN_FDS is '{fds}'", Read(Variables(fds: fds, pid: "4711")));
    }

    [Fact]
    public void Zero_sockets_are_none()
    {
        // Goal: LISTEN_FDS=0 is no error by itself.
        AssertNames([], Read(Variables(fds: "0", pid: "4711")));
    }

    private static ListenFds.Announcement Read(Func<string, string?> variable) => ListenFds.Read(variable, Pid, () => Inode);

    private static Func<string, string?> Variables(string? fds = null, string? pid = null, string? names = null, string? pidfdId = null) =>
        name => name switch
        {
            "LISTEN_FDS" => fds,
            "LISTEN_PID" => pid,
            "LISTEN_FDNAMES" => names,
            "LISTEN_PIDFDID" => pidfdId,
            _ => throw new InvalidOperationException($"{name} is none of the protocol's variables"),
        };

    private static void AssertNames(string[] expected, ListenFds.Announcement announced)
    {
        Assert.Null(announced.Problem);
        Assert.Equal(expected, announced.Names);
    }

    private static void AssertProblem(string expected, ListenFds.Announcement announced)
    {
        Assert.Empty(announced.Names);
        Assert.Contains(expected, announced.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', announced.Problem!);
    }
}
