using ProxyD.Units;

namespace ProxyD.Tests.Units;

public sealed class UnitSetTests
{
    [Theory]
    [InlineData("[Service]\nEnvironment=A=1\nEnvironment=B=2\n", "A=1|B=2")]
    [InlineData("[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\n", "B=2")]
    [InlineData("[Service]\nEnvironment=A=1\nEnvironment=\n", "")]
    [InlineData("[Unit]\nEnvironment=A=1\n[Service]\nEnvironment=A=2\n[Service]\nEnvironment=A=3\n", "A=2|A=3")]
    public void Repeated_keys_add_up_until_an_empty_one(string text, string expected) =>
        // Goal: lists and their reset, in the right section.
        Assert.Equal(expected, Joined(Make("a.service", text).All("Service", "Environment")));

    [Fact]
    public void A_sockets_addresses_are_one_list() =>
        // Goal: an empty ListenDatagram= clears ListenStream= too, as systemd 252 shows.
        Assert.Equal("2", Joined(Make("a.socket", "[Socket]\nListenStream=1\nListenDatagram=\nListenStream=2\n").All("Socket", "ListenStream")));

    [Fact]
    public void Dependencies_can_only_be_added() =>
        // Goal: systemd.unit(5): an empty After= in a drop-in removes nothing.
        Assert.Equal("a|b", Joined(Make("a.service", "[Unit]\nAfter=a\nAfter=\nAfter=b\n").All("Unit", "After")));

    [Fact]
    public void Drop_ins_come_after_the_file_in_the_order_of_their_names()
    {
        // Goal: each folder that applies counts, the more exact one wins a name, and the place of a setting is its own file's.
        UnitSet set = Files(
            ("/etc/systemd/system/web-app@1.service.d/20-own.conf", "[Service]\nEnvironment=E=own\n"),
            ("/etc/systemd/system/web-app@.service.d/10-template.conf", "[Service]\n\nEnvironment=D=template\n"),
            ("/etc/systemd/system/web-.service.d/20-own.conf", "[Service]\nEnvironment=X=hidden\n"),
            ("/etc/systemd/system/service.d/30-all.conf", "[Service]\nEnvironment=F=all\n"),
            ("/etc/systemd/system/web-app@2.service.d/10.conf", "[Service]\nEnvironment=X=other\n"),
            ("/etc/systemd/system/web-app@.service", "[Service]\nEnvironment=A=%i\n"));
        IReadOnlyList<Setting> settings = set.Find("web-app@1.service")!.All("Service", "Environment");
        Assert.Equal("A=1|D=template|E=own|F=all", Joined(settings));
        Assert.Equal(("/etc/systemd/system/web-app@.service.d/10-template.conf", 3), (settings[1].Path, settings[1].Line));
    }

    [Fact]
    public void The_first_file_of_a_name_counts()
    {
        // Goal: /etc before /usr/lib, when they are given in that order.
        UnitSet set = Files(("/etc/a.service", "[Service]\nUser=etc\n"), ("/usr/lib/a.service", "[Service]\nUser=lib\n"));
        Assert.Equal("etc", set.Find("a.service")!.Last("Service", "User")!.Value);
        Assert.Single(set.Units);
    }

    [Theory]
    [InlineData("a.socket", "[Socket]\nListenStream=80\n", "a.service")]
    [InlineData("a.socket", "[Socket]\nService=b.service\n", "b.service")]
    [InlineData("a.socket", "[Socket]\nAccept=yes\n", "a@.service")]
    [InlineData("a@1.socket", "[Socket]\nListenStream=80\n", "a@1.service")]
    [InlineData("a@.socket", "[Socket]\nService=b@%i.service\n", "b@%i.service")]
    public void A_socket_starts_its_service(string name, string text, string service) =>
        // Goal: Service=, the same name, and the template of a socket that accepts.
        Assert.Equal(service, UnitSet.ServiceNameOf(Make(name, text)));

    [Fact]
    public void Instances_come_from_templates()
    {
        // Goal: an instance, a template as itself, and the way templates name each other.
        UnitSet set = Files(("/e/b@.service", "[Service]\nUser=%i\n"), ("/e/a@.socket", "[Socket]\nService=b@%i.service\n"));
        Assert.Equal("x", set.Find("b@x.service")!.Last("Service", "User")!.Value);
        Assert.Equal("%i", set.Find("b@%i.service")!.Last("Service", "User")!.Value);
        Assert.Equal("b@.service", set.ServiceOf(set.Find("a@.socket")!)!.Name);
        Assert.Equal("b@7.service", set.ServiceOf(set.Find("a@7.socket")!)!.Name);
        Assert.Equal(["a@.socket"], set.SocketsOf(set.Find("b@.service")!).Select(socket => socket.Name));
        Assert.Null(set.Find("c@x.service"));
    }

    [Fact]
    public void A_unit_is_found_by_each_of_its_names()
    {
        // Goal: links to a unit, through another link too, and an instance of a linked template, are that unit, under its own name.
        UnitSet set = UnitSet.FromFiles(
            [UnitFile.Parse("[Unit]\nAfter=cache.service\n", "/e/redis-server.service"), UnitFile.Parse("[Unit]\n", "/e/app@.service")],
            links: [new("redis.service", "redis-server.service"), new("cache.service", "redis.service"), new("web@.service", "app@.service")]);
        Assert.Equal("redis-server.service", set.Find("cache.service")!.Name);
        Assert.Equal("app@7.service", set.Find("web@7.service")!.Name);
        Assert.Equal("app@.service", set.Find("web@%i.service")!.Name);
        Assert.NotNull(set.Find("redis-server.service")!.Names("redis-server.service", "After"));
        Assert.Null(set.Find("redis-server.service")!.Names("other.service", "After"));
        // Read together with others it keeps them.
        Assert.Equal("redis-server.service", new UnitSet([.. set.Units, Make("x.service", "")]).Find("redis.service")!.Name);
    }

    [Fact]
    public void A_circle_of_links_leads_nowhere() =>
        // Goal: an end, and nothing found.
        Assert.Null(UnitSet.FromFiles([UnitFile.Parse("", "/e/x.service")], links: [new("a.service", "b.service"), new("b.service", "a.service")])
            .Find("a.service"));

    [Theory]
    [InlineData("ListenStream", "%i", ""), InlineData("ListenStream", "%i1", "1")]
    public void A_specifier_that_leaves_nothing_sets_nothing(string key, string value, string expected) =>
        // Goal: no setting is ever empty, as those who look at its first character need it.
        Assert.Equal(expected, Joined(Make("a.socket", $"[Socket]\n{key}={value}\n").All("Socket", key)));

    [Theory]
    [InlineData("yes", true), InlineData("On", true), InlineData("1", true), InlineData("t", true)]
    [InlineData("no", false), InlineData("off", false), InlineData("0", false), InlineData("maybe", false)]
    public void Booleans_are_systemds(string value, bool expected) =>
        // Goal: every spelling of true and false, and nonsense is unset.
        Assert.Equal(expected, Make("a.socket", $"[Socket]\nAccept={value}\n").IsTrue("Socket", "Accept"));

    [Fact]
    public void Old_names_are_read_as_the_new_ones() =>
        // Goal: StartLimitInterval= in [Service], as older units have it, is StartLimitIntervalSec= of [Unit].
        Assert.Equal("0", Make("a.service", "[Service]\nStartLimitInterval=0\n").Last("Unit", "StartLimitIntervalSec")!.Value);

    private static Unit Make(string name, string text) => new(name, [UnitFile.Parse(text, "/e/" + name)]);

    private static UnitSet Files(params (string Path, string Text)[] files) =>
        UnitSet.FromFiles(files.Select(file => UnitFile.Parse(file.Text, file.Path)));

    private static string Joined(IEnumerable<Setting> settings) => string.Join('|', settings.Select(setting => setting.Value));

    [Theory]
    [InlineData("/e/web.service.d/x.conf", true, "web.service", false)]
    [InlineData("/e/web@.service.d/x.conf", true, "web@.service", false)]
    [InlineData("/e/web-.service.d/x.conf", true, "web-.service", true)]
    [InlineData("/e/service.d/x.conf", true, "service", true)]
    [InlineData("/e/sysusers.d/x.conf", false, "", false)]
    [InlineData("/e/web.service.d/x.conf.bak", false, "", false)]
    [InlineData("/e/web.service", false, "", false)]
    public void A_drop_in_is_known_by_its_folder(string path, bool isOne, string unit, bool isShared)
    {
        // Goal: what belongs to which unit, and what to several.
        Assert.Equal((isOne, isShared), (DropIn.Is(path), DropIn.IsShared(path)));
        Assert.Equal(isOne ? unit : null, isOne ? DropIn.UnitOf(path) : null);
    }
}
