namespace ProxyD.EndToEnd;

/// <summary>proxyd and its backend as units of a user, who asks nobody for rights.</summary>
public sealed class UserManagerTests(Lab lab) : EndToEndTest(lab)
{
    private const string PublicAddress = "127.0.0.1:8007";

    // Goal: whether told (--user) or left to notice by itself, proxyd wakes the user's own unit, more often than the start limit allows.
    [Theory]
    [InlineData("")]
    [InlineData(" --user")]
    public void Under_a_user_manager_the_users_own_unit_is_woken(string option)
    {
        UserManager manager = Keep(new UserManager(Lab, "homer"));
        manager.Start(UnitFiles.Resident(
            "home", PublicAddress, $"127.0.0.1:18007{option}", "Environment=PORT=18007\nExecStart=/usr/bin/node /srv/brainstorm/server.cjs")
            .KeepingLoaded("home-backend.service", "home.service"));
        try
        {
            for (int i = 0; i < 7; i++)
            {
                MustServe(PublicAddress, $"cold-{i}");
                Assert.Equal("active", manager.Property("home-backend.service", "ActiveState"));
                manager.Systemctl("stop", "home-backend.service");
            }
            Assert.Equal("active", manager.Property("home.socket", "ActiveState"));
        }
        catch
        {
            Say($"--- journal ---\n{manager.History}");
            throw;
        }
    }
}
