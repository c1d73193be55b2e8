using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tests.Trios;

/// <summary>What init writes has none of the known traps, in every form it can be asked for.</summary>
public sealed class TrioFilesTests
{
    private static readonly string[] s_ties = ["PartOf", "BindsTo", "Requires", "Requisite", "After", "Before", "Wants"];

    public static TheoryData<string, string, bool, bool, bool> Forms
    {
        get
        {
            TheoryData<string, string, bool, bool, bool> forms = [];
            foreach ((string listen, string backend) in ((string, string)[])[("8080", "127.0.0.1:18080"), ("/run/web/a", "/run/web-backend/b")])
            {
                foreach (int i in Enumerable.Range(0, 8))
                    forms.Add(listen, backend, (i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
            }
            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void No_form_has_a_trap(string listen, string backend, bool isPlain, bool isUser, bool isExisting)
    {
        // Goal: nothing ties the socket or orders the units, the backend never comes back by itself, and only the socket starts at boot.
        TrioRequest request = TrioWorld.Request(listen, backend) with
        {
            IsPlain = isPlain,
            IsUser = isUser,
            IdleStop = "10min",
            Command = isExisting ? null : ["/usr/bin/node"],
            Existing = isExisting ? "daemon.service" : null,
        };
        IReadOnlyList<GeneratedFile> files = request.Files();
        Unit socket = files.Unit("web.socket"), proxy = files.Unit("web.service");
        Unit its = files.Unit(isExisting ? "daemon.service.d/50-proxyd.conf" : "web-backend.service");

        Assert.All(new[] { socket, proxy, its }, unit => Assert.All(s_ties, tie => Assert.Empty(unit.All("Unit", tie))));
        Assert.Equal(listen, socket.Value("Socket", "ListenStream"));
        Assert.Equal("sockets.target", socket.Value("Install", "WantedBy"));
        Assert.Null(proxy.Value("Install", "WantedBy"));
        Assert.Null(its.Value("Install", "WantedBy"));
        Assert.Equal("no", its.Value("Service", "Restart"));
        Assert.Equal("0", proxy.Value("Unit", "StartLimitIntervalSec"));
        Assert.Equal(isPlain ? "yes" : null, its.Value("Unit", "StopWhenUnneeded"));
        Assert.Equal(isPlain ? request.BackendUnit : null, proxy.Value("Unit", "Upholds"));
        string command = proxy.Value("Service", "ExecStart")!;
        Assert.Equal(!isPlain, command.Contains($"--backend-unit={request.BackendUnit}", StringComparison.Ordinal));
        Assert.Contains(isPlain ? "--exit-idle-time=10min" : "--backend-idle-stop=10min", command, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Who_it_runs_as_depends_on_who_must_know_it(string listen, string backend, bool isPlain, bool isUser, bool isExisting)
    {
        // Goal: a real user for the bus and for a socket's group, a dynamic one where nobody needs to know it, none in a user manager.
        TrioRequest request = TrioWorld.Request(listen, backend) with
        {
            IsPlain = isPlain,
            IsUser = isUser,
            IdleStop = "10min",
            Command = isExisting ? null : ["/usr/bin/node"],
            Existing = isExisting ? "daemon.service" : null,
        };
        IReadOnlyList<GeneratedFile> files = request.Files();
        Unit proxy = files.Unit("web.service");
        bool isReal = !isUser && (!isPlain || backend[0] == '/');
        Assert.Equal(isReal ? "web-proxy" : null, proxy.Value("Service", "User"));
        Assert.Equal(!isUser && !isReal ? "yes" : null, proxy.Value("Service", "DynamicUser"));
        Assert.Equal(isReal, files.Any(file => file is { Home: FileHome.Sysusers, Name: "web-proxy.conf" }));
        Assert.Equal(isReal && !isPlain, files.Any(file => file is { Home: FileHome.Polkit, Name: "50-proxyd-web.rules" }));
        // A mount or a capability would fail where nobody has the right to it.
        Assert.Equal(isUser ? null : "strict", proxy.Value("Service", "ProtectSystem"));
        Assert.Equal("yes", proxy.Value("Service", "MemoryDenyWriteExecute"));
    }

    [Fact]
    public void The_backends_socket_has_a_folder_and_a_group_that_the_proxy_is_in()
    {
        // Goal: a folder that goes with it, and write permission for the proxy's user, which is another.
        Unit backend = TrioWorld.Request(backend: "/run/web-backend/sub/b").Files().Unit("web-backend.service");
        Assert.Equal("web-backend/sub", backend.Value("Service", "RuntimeDirectory"));
        Assert.Equal("web-proxy", backend.Value("Service", "Group"));
        Assert.Equal("0007", backend.Value("Service", "UMask"));

        TrioRequest user = TrioWorld.Request(backend: "/run/user/1000/web/b") with { IsUser = true };
        backend = user.Files().Unit("web-backend.service");
        Assert.Equal("web", backend.Value("Service", "RuntimeDirectory"));
        Assert.Null(backend.Value("Service", "Group"));

        backend = TrioWorld.Request(backend: "/srv/web/b").Files().Unit("web-backend.service");
        Assert.Null(backend.Value("Service", "RuntimeDirectory"));
        Assert.Equal("web-proxy", backend.Value("Service", "Group"));

        backend = TrioWorld.Request().Files().Unit("web-backend.service");
        Assert.Null(backend.Value("Service", "RuntimeDirectory"));
        Assert.Null(backend.Value("Service", "Group"));
    }

    [Theory]
    [InlineData("anna", "staff", "staff")]
    [InlineData("anna", null, "anna")]
    [InlineData("anna", "root", null)]
    [InlineData("root", "root", null)]
    [InlineData("root", null, null)]
    public void A_backend_of_another_user_keeps_its_group(string runAs, string? group, string? lent)
    {
        // Goal: what the user may read by its group it can still read; the proxy joins that group. Root's is not for others, and it can do with another.
        TrioRequest request = TrioWorld.Request(backend: "/run/web-backend/b") with { RunAs = runAs, RunAsGroup = group };
        IReadOnlyList<GeneratedFile> files = request.Files();
        Unit backend = files.Unit("web-backend.service"), proxy = files.Unit("web.service");
        Assert.Equal(runAs, backend.Value("Service", "User"));
        Assert.Equal(lent is null ? "web-proxy" : null, backend.Value("Service", "Group"));
        Assert.Equal("0007", backend.Value("Service", "UMask"));
        Assert.Equal(("web-proxy", lent), (proxy.Value("Service", "User"), proxy.Value("Service", "SupplementaryGroups")));

        proxy = (TrioWorld.Request() with { RunAs = runAs, RunAsGroup = group }).Files().Unit("web.service");
        Assert.Null(proxy.Value("Service", "SupplementaryGroups"));
    }

    [Fact]
    public void The_users_description_holds_no_colon_and_no_backslash()
    {
        // Goal: a NAME that systemd takes, and sysusers' field for it does not.
        TrioRequest request = TrioWorld.Request(name: "a:b\\x2dc");
        GeneratedFile file = request.Files().Single(file => file.Home == FileHome.Sysusers);
        Assert.EndsWith($"u {request.ProxyUser} - \"proxyd for a-b-x2dc\"\n", file.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_public_path_says_who_may_connect_and_goes_with_the_socket()
    {
        // Goal: a socket in the file system has a mode, and leaves no file that looks alive.
        Unit socket = TrioWorld.Request("/run/web/a").Files().Unit("web.socket");
        Assert.Equal("0666", socket.Value("Socket", "SocketMode"));
        Assert.Equal("yes", socket.Value("Socket", "RemoveOnStop"));
        Assert.Null(TrioWorld.Request("@a").Files().Unit("web.socket").Value("Socket", "SocketMode"));
        Assert.Equal("yes", TrioWorld.Request("192.0.2.1:80").Files().Unit("web.socket").Value("Socket", "FreeBind"));
        Assert.Null(TrioWorld.Request("8080").Files().Unit("web.socket").Value("Socket", "FreeBind"));
    }

    [Theory]
    [InlineData(false, "no", false, false, null)]
    [InlineData(false, "on-failure", false, false, null)]
    [InlineData(false, "always", false, false, "Restart=no")]
    [InlineData(false, "on-success", false, false, "Restart=no")]
    [InlineData(false, "no", true, false, "StopWhenUnneeded=no")]
    [InlineData(false, "no", false, true, "RefuseManualStart=no")]
    [InlineData(false, "always", true, true, "StopWhenUnneeded=no RefuseManualStart=no Restart=no")]
    [InlineData(true, "no", true, false, "StartLimitIntervalSec=0")]
    [InlineData(true, "no", false, true, "StopWhenUnneeded=yes StartLimitIntervalSec=0")]
    [InlineData(true, "always", false, false, "StopWhenUnneeded=yes StartLimitIntervalSec=0 Restart=no")]
    public void A_unit_that_is_there_gets_what_it_lacks(bool isPlain, string restart, bool stops, bool refuses, string? expected)
    {
        // Goal: the smallest drop-in, none where none is needed; a restart after a failure is left alone.
        string? dropIn = new ExistingUnit(restart, stops, refuses).DropIn(isPlain);
        string? settings = dropIn is null
            ? null
            : string.Join(' ', UnitFile.Parse(dropIn, "x.conf").Assignments.Select(a => $"{a.Item.Name}={a.Item.Value}"));
        Assert.Equal(expected, settings);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void It_is_written_as_our_own_reader_and_a_reader_of_the_file_want_it(string listen, string backend, bool isPlain, bool isUser, bool isExisting)
    {
        // Goal: nothing that systemd would warn of, no lines that run out of a terminal, no blanks at an end.
        TrioRequest request = TrioWorld.Request(listen, backend) with
        {
            IsPlain = isPlain,
            IsUser = isUser,
            IdleStop = "1min 30s",
            Command = isExisting ? null : ["/usr/bin/node", "--title", "a b", "100%", "$HOME", ";"],
            Environment = isExisting ? [] : ["A=1", "B=two words"],
            Existing = isExisting ? "daemon.service" : null,
        };
        foreach (GeneratedFile file in request.Files())
        {
            Assert.EndsWith("\n", file.Text, StringComparison.Ordinal);
            Assert.All(file.Text.Split('\n'), line => Assert.Equal(line.TrimEnd(), line));
            Assert.All(file.Text.Split('\n').Where(line => line.StartsWith('#')), line => Assert.InRange(line.Length, 3, 120));
            if (file.Home == FileHome.Unit)
                Assert.DoesNotContain(UnitFile.Parse(file.Text, file.Name).Items, item => item.Kind == UnitItemKind.Other);
        }
        if (!isExisting)
        {
            Unit its = request.Files().Unit("web-backend.service");
            Assert.Equal("/usr/bin/node --title \"a b\" 100% $$HOME \\;", its.Value("Service", "ExecStart"));
            Assert.Equal("A=1 \"B=two words\"", its.Value("Service", "Environment"));
        }
    }

    [Theory]
    [InlineData(true, "\"start\", \"reset-failed\", \"stop\"")]
    [InlineData(false, "\"start\", \"reset-failed\"")]
    public void The_rule_names_one_user_one_unit_and_the_verbs_it_needs(bool stops, string verbs)
    {
        // Goal: no verb more than proxyd asks for; a unit's backslashes are doubled for JavaScript.
        string rule = PolkitRuleText.Text("web-proxy", "a\\x2db-backend.service", stops);
        Assert.Contains("\"a\\\\x2db-backend.service\"", rule, StringComparison.Ordinal);
        Assert.Contains("subject.user !== \"web-proxy\"", rule, StringComparison.Ordinal);
        IEnumerable<string> found = rule.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith('"')).Select(line => line.Split(',')[0]);
        Assert.Equal(verbs, string.Join(", ", found));
    }
}
