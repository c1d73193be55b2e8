namespace ProxyD.EndToEnd;

/// <summary>proxyd without privileges, and the rule in deploy/polkit that gives it one unit; with a real polkitd.</summary>
public sealed class PolkitTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8003";
    private const string Proxy = "web.service";
    private const string Backend = "web-backend.service";
    private const string OtherBackend = "other-backend.service";
    private const string Node = "Environment=PORT=18003\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs";
    private const string User = "webproxy";

    // Goal: the rule allows its user the three verbs on its unit; not another unit, not another verb, not another user.
    [Fact]
    public void The_rule_allows_exactly_one_user_three_verbs_on_one_unit()
    {
        Lab.AddUser("stranger");
        Install(Units("ExecStart=/bin/sleep infinity"));
        Install(UnitFiles.Resident("other", "127.0.0.1:8004", "127.0.0.1:18004", "ExecStart=/bin/sleep infinity"));
        AddRule(Backend);
        Wait.Until(() => MayDo(User, "start", Backend), "polkitd has read the rule");

        Assert.True(MayDo(User, "reset-failed", Backend));
        Assert.True(MayDo(User, "stop", Backend));
        Assert.False(MayDo(User, "restart", Backend));
        Assert.False(MayDo(User, "start", OtherBackend));
        Assert.False(MayDo("stranger", "start", Backend));
    }

    // Goal: an unprivileged proxyd wakes its backend more often than the start limit allows, which takes all of start and reset-failed.
    [Fact]
    public void With_the_rule_an_unprivileged_proxyd_wakes_its_backend_again_and_again()
    {
        AddRule(Backend);
        Lab.Systemctl("restart", "polkit.service");
        Trio trio = Install(Units(Node).WithService(Proxy, $"User={User}").KeepingLoaded(Backend, Proxy));

        for (int i = 0; i < 8; i++)
        {
            MustServe(PublicAddress, $"cold-{i}");
            Lab.Systemctl("stop", Backend);
        }

        Assert.Equal("active", Lab.Property(trio.Socket, "ActiveState"));
    }

    // Goal: the rule for another unit helps nobody, and the log says what is missing; when the right one comes, the next client is served.
    [Fact]
    public void With_a_rule_for_another_unit_it_is_denied_until_the_right_one_comes()
    {
        LabFile wrong = AddRule(OtherBackend);
        Lab.Systemctl("restart", "polkit.service");
        Trio trio = Install(Units(Node).WithService(Proxy, $"User={User}"));

        Lab.HeldUntilReset(PublicAddress);
        string[] parts = [Backend, User, "polkit", "deploy/polkit/50-proxyd.rules"];
        Wait.Until(
            () => trio.Journal.LinesOf(Proxy).Any(line => parts.All(part => line.Message.Contains(part, StringComparison.Ordinal))),
            () => $"a line with \"{string.Join("\", \"", parts)}\"");

        wrong.Dispose();
        AddRule(Backend);
        Wait.Until(() => MayDo(User, "stop", Backend), "polkitd has read the rule");
        MustServe(PublicAddress, "allowed");
    }

    private static UnitFiles Units(string backend) => UnitFiles.Resident("web", PublicAddress, "127.0.0.1:18003", backend);

    private LabFile AddRule(string unit)
    {
        Lab.AddUser(User);
        return Keep(Lab.AddPolkitRule(User, unit));
    }

    private bool MayDo(string user, string verb, string unit) =>
        Lab.RunAs(user, "systemctl", "--no-ask-password", verb, unit).ExitCode == 0;
}
