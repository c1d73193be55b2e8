namespace ProxyD.EndToEnd;

/// <summary>A user's own service, made a trio and taken back by the user alone.</summary>
public sealed class MigrateUserTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8046";

    private const string Service = """
        [Service]
        Environment=PORT=8046
        ExecStart=/usr/bin/node /srv/brainstorm/server.cjs
        Restart=always

        [Install]
        WantedBy=default.target
        """;

    // Goal: the three commands of the README with --user, in both forms: no root, no polkit, and the user's folder afterwards as it was.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_user_migrates_verifies_and_takes_back(bool isResident)
    {
        UserManager manager = Keep(new UserManager(Lab, "homer"));
        string folder = $"{manager.Home}/.config/systemd/user";
        manager.Run("mkdir", "-p", folder).Expect();
        Lab.Write($"{folder}/pot.service", Service);
        string before = Listing(manager, folder);
        manager.Systemctl("daemon-reload");
        As(manager, "systemctl", "--user", "enable", "--now", "pot.service");
        Wait.Until(() => IsServed(manager), "pot.service serves by itself");

        string[] form = isResident ? ["--resident"] : [];
        Say(As(manager, [Lab.Proxyd, "migrate", "--user", "pot.service", "--apply", .. form]));
        Say(As(manager, Lab.Proxyd, "verify", "--user", "pot.socket"));
        Assert.DoesNotContain("PXD", As(manager, Lab.Proxyd, "check", "--user", "pot.socket"), StringComparison.Ordinal);
        Assert.Equal(("enabled", "static"), (manager.Property("pot.socket", "UnitFileState"), manager.Property("pot.service", "UnitFileState")));

        As(manager, Lab.Proxyd, "migrate", "--user", "pot.socket", "--rollback");
        Assert.Equal("enabled", manager.Property("pot.service", "UnitFileState"));
        Wait.Until(() => IsServed(manager), "pot.service serves by itself again");
        As(manager, "systemctl", "--user", "disable", "--now", "pot.service");
        Assert.Equal(before, Listing(manager, folder));
    }

    private static string As(UserManager manager, params IEnumerable<string> command) => manager.Run(["env", $"HOME={manager.Home}", .. command]).Expect();

    private static bool IsServed(UserManager manager) => manager.Run("curl", "-sf", "-o", "/dev/null", $"http://{PublicAddress}/").ExitCode == 0;

    /// <summary>Every file with its bytes.</summary>
    private static string Listing(UserManager manager, string folder) =>
        manager.Run("find", folder, "-type", "f", "-exec", "sha256sum", "{}", "+").Expect();
}
