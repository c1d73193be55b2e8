namespace ProxyD.EndToEnd;

/// <summary>Unit files as people run them, with only the proxy's ExecStart= swapped.</summary>
public sealed class TrioTests(Lab lab) : EndToEndTest(lab)
{
    public static TheoryData<string> Folders { get; } = [.. TrioShape.All.Keys];

    // Goal: cold, warm and, where the shape allows it, cold again after a stop; guards and hooks are left as they are.
    [Theory]
    [MemberData(nameof(Folders))]
    public void Runs_with_only_its_ExecStart_swapped(string folder)
    {
        TrioShape shape = TrioShape.All[folder];
        Trio trio = InstallShape(shape);

        MustServe(shape.Address);
        MustServe(shape.Address);
        if (shape.Stop.Length > 0)
        {
            Lab.Systemctl(["stop", .. shape.Stop]);
            Lab.WaitForState(trio.Socket, "active (listening)");
            MustServe(shape.Address);
        }
    }

    // Goal: BindsTo= stops proxyd, and PartOf= the socket with it: the trap is the trio's own, and proxyd leaves it as it is.
    [Fact]
    public void PartOf_on_the_socket_still_closes_the_port()
    {
        Trio trio = InstallShape(TrioShape.All["brainstorm-partof"]);
        MustServe("127.0.0.1:8080");

        Lab.Systemctl("stop", "brainstorm-backend.service");

        Lab.WaitForState(trio.Socket, "inactive (dead)");
    }

    // Goal: each connection of an Accept=yes socket has a proxyd of its own, which ends well when the connection does.
    [Fact]
    public void Each_connection_of_an_accepting_socket_is_one_process_that_exits_cleanly()
    {
        Trio trio = InstallShape(TrioShape.All["jellyfin-accept"]);

        MustServe("127.0.0.1:8096");

        Wait.Until(() => Lab.Property(trio.Socket, "NConnections") == "0", "the connection's process has ended");
        Assert.Equal("1", Lab.Property(trio.Socket, "NAccepted"));
        Assert.Empty(Lab.Systemctl("list-units", "--failed", "--no-legend", "--plain", "jellyfin@*").Trim());
    }

    private Trio InstallShape(TrioShape shape)
    {
        UnitFiles files = UnitFiles.OfTrio(shape.Folder);
        string template = shape.Backend.Replace($"@{shape.Instance}.", "@.", StringComparison.Ordinal);
        if (shape.StandIn is not null)
            files = files.WithExecStart(template, shape.StandIn);
        if (shape.User is not null)
            Lab.AddUser(shape.User);
        return Install(files, shape.Instance);
    }
}
