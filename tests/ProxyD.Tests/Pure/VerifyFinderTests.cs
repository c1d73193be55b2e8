using ProxyD.Machine;
using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>Which units belong to a socket, from what systemd says of them.</summary>
public sealed class VerifyFinderTests
{
    private readonly Dictionary<string, Dictionary<string, string>> _units = [];

    [Theory]
    [InlineData("proxyd x --backend-unit=web-backend", "web-backend.service", BackendWaker.Proxy)]
    [InlineData("proxyd x --backend-unit=job.target", "job.target", BackendWaker.Proxy)]
    [InlineData("proxyd x --exec=node server.js", null, BackendWaker.ProxyAsChild)]
    public void The_proxys_own_options_come_first(string command, string? backend, object waker)
    {
        // Goal: what proxyd wakes is the backend, whatever else the unit depends on.
        Socket("web");
        Service("web.service", ("ExecStart", Exec(command)), ("Wants", "metrics.service"));
        Service("web-backend.service");
        Service("job.target");
        VerifyTarget target = Find("web");
        Assert.Equal((backend, (BackendWaker)waker), (target.Backend, target.Waker));
        Assert.Equal("web.service", target.Proxy);
    }

    [Theory]
    [InlineData("BindsTo")]
    [InlineData("Requires")]
    [InlineData("Wants")]
    [InlineData("Upholds")]
    public void Otherwise_it_is_the_service_that_the_proxy_starts(string dependency)
    {
        // Goal: each dependency that starts it; targets, mounts and the socket itself are none.
        Socket("web");
        Service("web.service", (dependency, "sysinit.target web.socket system.slice node.service tmp.mount"));
        Service("node.service");
        VerifyTarget target = Find("web.socket");
        Assert.Equal(("node.service", BackendWaker.Systemd), (target.Backend, target.Waker));
        Assert.Empty(target.Hooks);
        Assert.Equal(["web.service", "node.service"], target.Services);
    }

    [Fact]
    public void A_hook_is_followed_one_step()
    {
        // Goal: a oneshot that starts another unit is not the backend, and is stopped with it.
        Socket("mine");
        Service("mine.service", ("Requires", "hook.service mine.socket"));
        Service("hook.service", ("Type", "oneshot"), ("ExecStart", Exec("systemctl start world.service")));
        Service("world.service");
        VerifyTarget target = Find("mine");
        Assert.Equal("world.service", target.Backend);
        Assert.Equal(["mine.service", "hook.service", "world.service"], target.Services);
    }

    [Fact]
    public void A_oneshot_that_starts_no_unit_is_the_backend_itself()
    {
        // Goal: containers are started so.
        Socket("web");
        Service("web.service", ("Requires", "compose.service"));
        Service("compose.service", ("Type", "oneshot"), ("ExecStart", Exec("docker compose up -d")));
        Assert.Equal("compose.service", Find("web").Backend);
    }

    [Fact]
    public void The_users_word_decides()
    {
        // Goal: of several services, of none, and against --backend-unit.
        Socket("web");
        Service("web.service", ("Requires", "a.service"), ("Wants", "b.service"));
        Service("a.service");
        Service("b.service");
        Assert.Equal(
            "web.service starts a.service and b.service; expected --backend UNIT to say which one it serves",
            Assert.Throws<ToolException>(() => Find("web")).Message);
        Assert.Equal("b.service", Find("web", "b").Backend);
        Service("web.service", ("ExecStart", Exec("wrapper")));
        Assert.StartsWith("web.service names no backend; ", Assert.Throws<ToolException>(() => Find("web")).Message, StringComparison.Ordinal);
        Assert.Equal("b.service", Find("web", "b.service").Backend);
        Service("web.service", ("ExecStart", Exec("proxyd x --backend-unit=a")));
        Assert.Equal(("b.service", BackendWaker.Proxy), (Find("web", "b").Backend, Find("web", "b").Waker));
    }

    [Fact]
    public void With_Accept_the_proxy_is_a_pattern_of_instances()
    {
        // Goal: the template is asked by way of an instance, and all instances are stopped.
        Socket("jelly", ("Accept", "yes"), ("Triggers", ""));
        Service("jelly@verify.service", ("Requires", "server.service"));
        Service("server.service");
        VerifyTarget target = Find("jelly");
        Assert.True(target.IsPerConnection);
        Assert.Equal(["jelly@*.service", "server.service"], target.Services);
        Service("jelly@verify.service", ("ExecStart", Exec("proxyd x --exec=node")));
        Assert.Equal(
            "jelly@*.service starts a backend for each connection (Accept=yes, --exec=); expected one that all share",
            Assert.Throws<ToolException>(() => Find("jelly")).Message);
    }

    [Theory]
    [InlineData("LoadState", "not-found", "there is no unit web.socket; expected a socket unit that systemd has loaded")]
    [InlineData("LoadState", "masked", "web.socket is masked; expected a socket unit that systemd has loaded")]
    [InlineData("Listen", "/run/log (Datagram)", "web.socket has no stream socket; expected ListenStream= in it")]
    [InlineData("Listen", "vsock:2:80 (Stream)", "web.socket listens at vsock:2:80, which verify can't reach; expected a TCP or Unix socket")]
    [InlineData("ActiveState", "inactive", "web.socket is inactive; expected it to listen: systemctl start web.socket")]
    [InlineData("ActiveState", "failed", "web.socket has failed (service-start-limit-hit); expected it to listen: systemctl start web.socket")]
    [InlineData("Triggers", "", "web.socket triggers no service; expected NAME.service, or Service= in it")]
    [InlineData("Triggers", "gone.service", "there is no unit gone.service; expected the service that web.socket triggers")]
    public void A_socket_that_cannot_be_tried_is_told_why(string key, string value, string problem)
    {
        // Goal: what was wrong, and what is expected.
        Socket("web", ("Result", "service-start-limit-hit"), (key, value));
        Service("web.service", ("Requires", "node.service"));
        Service("node.service");
        Assert.Equal(problem, Assert.Throws<ToolException>(() => Find("web")).Message);
    }

    [Theory]
    [InlineData("web.service", "web.service is no socket unit; expected NAME.socket")]
    [InlineData("app@.socket", "app@.socket is a template; expected an instance of it, such as app@NAME.socket")]
    [InlineData("app@", "app@.socket is a template; expected an instance of it, such as app@NAME.socket")]
    public void A_name_that_is_no_sockets_is_told_so(string name, string problem) =>
        // Goal: systemd is not even asked.
        Assert.Equal(problem, Assert.Throws<ToolException>(() => Find(name)).Message);

    [Theory]
    [InlineData("proxyd x --backend-unit=gone", "there is no unit gone.service; expected the unit that --backend-unit= of web.service names")]
    [InlineData("proxyd x", "there is no unit lost.service; expected the backend of web.service")]
    public void A_backend_that_is_not_there_is_named(string command, string problem)
    {
        // Goal: a misspelt unit is found before anything is stopped.
        Socket("web");
        Service("web.service", ("ExecStart", Exec(command)), ("Wants", "lost.service"));
        Assert.Equal(problem, Assert.Throws<ToolException>(() => Find("web")).Message);
    }

    private VerifyTarget Find(string socket, string? backend = null) =>
        new VerifyFinder(name => _units.GetValueOrDefault(name, new() { ["LoadState"] = "not-found" })).Find(socket, backend, hasLoopback6: true);

    private void Socket(string name, params (string Key, string Value)[] properties) => Add($"{name}.socket", [
        ("Listen", "127.0.0.1:8080 (Stream)"), ("ActiveState", "active"), ("Accept", "no"), ("Triggers", $"{name}.service"), .. properties,
    ]);

    private void Service(string name, params (string Key, string Value)[] properties) => Add(name, properties);

    private void Add(string name, (string Key, string Value)[] properties)
    {
        _units[name] = new() { ["LoadState"] = "loaded" };
        foreach ((string key, string value) in properties)
            _units[name][key] = value;
    }

    private static string Exec(string command) => $"{{ path=/x ; argv[]={command} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }}";
}
