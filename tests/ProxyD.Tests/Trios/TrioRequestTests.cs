using ProxyD.Trios;

namespace ProxyD.Tests.Trios;

/// <summary>What can't be a trio is told in one line, with what would be right.</summary>
public sealed class TrioRequestTests
{
    [Theory]
    [InlineData("a/b", "it is a name, not a path")]
    [InlineData("web.service", "expected 'web'")]
    [InlineData("web.socket", "expected 'web'")]
    [InlineData("web@1", "templates are not made")]
    [InlineData("web app", "expected letters, digits")]
    [InlineData("", "expected letters, digits")]
    [InlineData(".web", "expected letters, digits")]
    [InlineData("-web", "expected letters, digits")]
    [InlineData("w%n", "expected letters, digits")]
    public void A_bad_name_is_told_apart(string name, string expected) =>
        // Goal: each mistake has its own advice.
        Tells(TrioWorld.Request() with { Name = name }, $"NAME '{name}' is not accepted", expected);

    [Fact]
    public void A_name_is_as_long_as_its_longest_unit_may_be()
    {
        // Goal: 255 bytes with the suffix, and not one more.
        Assert.Null((TrioWorld.Request() with { Name = new('x', 239) }).Problem());
        Tells(TrioWorld.Request() with { Name = new('x', 240) }, "too long");
    }

    [Theory]
    [InlineData("8080", "127.0.0.1:8080", "are the same for the kernel")]
    [InlineData("/run/web/a", "/run/web/a", "are the same for the kernel")]
    [InlineData("8080", "0.0.0.0:18080", "expected one like 127.0.0.1:18080")]
    [InlineData("8080", "[::]:18080", "expected one like 127.0.0.1:18080")]
    [InlineData("8080", "/ho" + "me/anna/web.sock", "ProtectHome=")]
    [InlineData("8080", "/run/user/1000/web.sock", "ProtectHome=")]
    [InlineData("/run/web/public.sock", "/run/web/own.sock", "goes when the backend stops")]
    [InlineData("/run/web/sub/public.sock", "/run/web/own.sock", "goes when the backend stops")]
    [InlineData("8080", "/run/web-proxy/own.sock", "is the proxy's own")]
    [InlineData("/run/web-proxy/public.sock", "127.0.0.1:18080", "is the proxy's own")]
    public void Addresses_that_would_not_work_are_told(string listen, string backend, string expected) =>
        // Goal: what would fail at the first client, or take the public socket away, is not written at all.
        Tells(TrioWorld.Request(listen, backend), expected);

    [Theory]
    [InlineData("/run/web/public.sock", "/run/web-backend/own.sock")]
    [InlineData("/run/web.sock", "/run/webber/own.sock")]
    [InlineData("@a", "@b")]
    [InlineData("8080", "box.example:18080")]
    public void Addresses_side_by_side_are_fine(string listen, string backend) =>
        // Goal: only what collides is refused.
        Assert.Null(TrioWorld.Request(listen, backend).Problem());

    [Fact]
    public void A_user_may_have_sockets_where_the_system_sees_none()
    {
        // Goal: ProtectHome= is not for the user manager.
        Assert.Null((TrioWorld.Request(backend: "/run/user/1000/web/own.sock") with { IsUser = true }).Problem());
        Tells(TrioWorld.Request("/run/user/1000/web/a", "/run/user/1000/web/b") with { IsUser = true }, "goes when the backend stops");
    }

    [Fact]
    public void The_backend_is_one_thing()
    {
        // Goal: a command or a unit; the unit neither the proxy itself nor anything but a service.
        Tells(TrioWorld.Request() with { Command = null }, "neither --exec nor --unit");
        Tells(TrioWorld.Request() with { Existing = "x.service" }, "--exec and --unit both");
        TrioRequest existing = TrioWorld.Request() with { Command = null, Existing = "x.service" };
        Assert.Null(existing.Problem());
        Tells(existing with { Existing = "web.service" }, "would make web.service, which is the backend");
        Tells(existing with { Existing = "x.target" }, "x.target is no service");
        Tells(existing with { RunAs = "anna" }, "--run-as is for");
        Tells(TrioWorld.Request() with { IsUser = true, RunAs = "anna" }, "--run-as is for");
        Tells(TrioWorld.Request() with { RunAs = "%n" }, "'%n' is not accepted");
        Tells(TrioWorld.Request(backend: "/run/web.sock") with { RunAs = "anna" }, "anna may not make a socket");
        Tells(TrioWorld.Request() with { Command = ["node", "app.js"] }, "'node' is no absolute path");
        Tells(TrioWorld.Request() with { Command = ["/"] }, "'/' is no absolute path");
        Tells(TrioWorld.Request() with { Command = [] }, "there are only variables in it");
    }

    [Fact]
    public void Times_must_leave_room()
    {
        // Goal: zero is no time to serve, and a plain trio without an end keeps its backend up for ever.
        Tells(TrioWorld.Request() with { IdleStop = "0" }, "--idle-stop=0");
        Tells(TrioWorld.Request() with { WaitBind = "0s" }, "--wait-bind=0");
        Tells(TrioWorld.Request() with { IdleStop = "soon" }, "a time span");
        Tells(TrioWorld.Request() with { IsPlain = true }, "expected --idle-stop=TIME");
        Tells(TrioWorld.Request() with { IsPlain = true, IdleStop = "infinity" }, "expected --idle-stop=TIME");
        Assert.Null((TrioWorld.Request() with { IsPlain = true, IdleStop = "10min" }).Problem());
    }

    [Theory]
    [InlineData("web", "web-proxy")]
    [InlineData("a_web-9", "a_web-9-proxy")]
    [InlineData("My.App", "my-app-HASH-proxy")]
    [InlineData("foo\\x2dbar:1", "foo-x2dbar-1-HASH-proxy")]
    [InlineData("9p", "p9p-HASH-proxy")]
    [InlineData("exactly-twenty-five-chars", "exactly-twenty-five-chars-proxy")]
    [InlineData("a-name-that-goes-on-and-on-and-on", "a-name-that-goes-o-HASH-proxy")]
    public void The_proxys_user_has_a_name_that_sysusers_takes(string name, string expected)
    {
        // Goal: what a unit may be called and a user may not is replaced, and marked; never longer than 31.
        string user = TrioRequest.UserName(name);
        Assert.Matches("^" + expected.Replace("HASH", "[0-9a-f]{6}", StringComparison.Ordinal) + "$", user);
        Assert.InRange(user.Length, 1, 31);
    }

    [Theory]
    [InlineData("web.api", "web-api"), InlineData("Web", "web"), InlineData("web.api", "web:api"), InlineData("9p", "p9p"), InlineData("WEB", "Web")]
    [InlineData("a-name-that-goes-on-and-on-first", "a-name-that-goes-on-and-on-second")]
    public void Two_names_are_two_users(string one, string other)
    {
        // Goal: trios whose names differ share no user, and so no folder that goes when one of them stops.
        Assert.NotEqual(TrioRequest.UserName(one), TrioRequest.UserName(other));
        Assert.NotEqual(TrioWorld.Request(name: one).ProxyFolder, TrioWorld.Request(name: other).ProxyFolder);
    }

    [Fact]
    public void A_users_name_never_changes() =>
        // Goal: a second init on another day or machine finds the user that the first one made.
        Assert.Equal("web-api-235a54-proxy", TrioRequest.UserName("web.api"));

    private static void Tells(TrioRequest request, params string[] parts)
    {
        string? problem = request.Problem();
        Assert.NotNull(problem);
        Assert.DoesNotContain('\n', problem);
        Assert.All(parts, part => Assert.Contains(part, problem, StringComparison.Ordinal));
    }
}
