namespace ProxyD.Tests.Rules;

/// <summary>PXD021, PXD022, PXD024 and PXD027: whose rights a proxy has.</summary>
public sealed class RightsRuleTests
{
    private const string ExactRule = """
        --- 50-web.rules
        // proxyd for web
        polkit.addRule(function (action, subject) {
          if (action.id !== "org.freedesktop.systemd1.manage-units") return polkit.Result.NOT_HANDLED;
          if (action.lookup("unit") !== "web-backend.service" || subject.user !== "web") return polkit.Result.NOT_HANDLED;
          return ["start", "stop"].indexOf(action.lookup("verb")) >= 0 ? polkit.Result.YES : polkit.Result.NOT_HANDLED;
        });
        """;

    [Fact]
    public void An_exact_rule_is_enough_and_not_too_much() =>
        // Goal: neither PXD021 nor PXD022 for the rule that we give out.
        Assert.Empty(Fixture.Findings(Proxy("User=web") + ExactRule));

    [Theory]
    [InlineData("web-backend.service", "backend.service")]
    [InlineData("web-backend.service", "web-backend")]
    [InlineData("subject.user !== \"web\"", "subject.user !== \"www\"")]
    [InlineData("manage-units", "manage-unit-files")]
    [InlineData("Result.YES", "Result.AUTH_ADMIN")]
    [InlineData("polkit.addRule", "// polkit.addRule")]
    [InlineData("// proxyd", "/* proxyd")]
    public void A_rule_that_allows_something_else_is_none(string text, string other) =>
        // Goal: PXD021 where unit, user, action or answer is another, or the rule is a comment.
        Assert.Equal(["web.service:2"], Fixture.Findings("PXD021", Proxy("User=web") + ExactRule.Replace(text, other, StringComparison.Ordinal)));

    [Theory]
    [InlineData("User=root", false), InlineData("User=0", false), InlineData("", false), InlineData("User=web", true)]
    public void Only_who_is_asked_needs_a_rule(string user, bool isFound) =>
        // Goal: PXD021 not for root.
        Assert.Equal(isFound, Fixture.Findings("PXD021", Proxy(user)).Length > 0);

    [Fact]
    public void Without_a_unit_to_start_nobody_is_asked() =>
        // Goal: PXD021 is about --backend-unit.
        Assert.Empty(Fixture.Findings("PXD021", Proxy("User=web").Replace("--backend-unit=web-backend", "", StringComparison.Ordinal)));

    [Theory]
    [InlineData("action.lookup(\"unit\") == \"room@1.service\"", true)]
    [InlineData("action.lookup(\"unit\").indexOf(\"room@\") == 0", true)]
    [InlineData("/^room@[0-9]+\\.service$/.test(action.lookup(\"unit\"))", true)]
    [InlineData("action.lookup(\"unit\") == \"other@1.service\"", false)]
    [InlineData("subject.isInGroup(\"proxies\")", true)]
    public void What_a_rule_may_allow_it_is_taken_to_allow(string condition, bool isEnough)
    {
        // Goal: no PXD021 where the rule goes by patterns or groups, or the unit is a template's.
        string rule = $"polkit.addRule(function(action, subject) {{ if (subject.user == 'web' && {condition}) return polkit.Result.YES; }});";
        Assert.Equal(
            isEnough,
            Fixture.Findings("PXD021", Proxy("User=web", "web@.service", "room@%i") + "--- 9.rules\n" + rule).Length == 0);
    }

    [Theory]
    [InlineData("action.lookup(\"unit\") !== \"web-backend.service\" || ", "", "50-web.rules:3")]
    [InlineData(" || subject.user !== \"web\"", "", "50-web.rules:3")]
    [InlineData("action.lookup(\"verb\")", "action.id", "note 50-web.rules:3")]
    public void A_rule_that_does_not_ask_is_too_broad(string question, string instead, string found) =>
        // Goal: PXD022 for each of the three questions; a missing verb is only a note.
        Assert.Equal([found], Fixture.Findings("PXD022", Proxy("User=web") + ExactRule.Replace(question, instead, StringComparison.Ordinal)));

    [Theory]
    [InlineData("subject.isInGroup(\"sudo\")")]
    [InlineData("subject.groups.indexOf(\"wheel\") >= 0")]
    [InlineData("subject.local && subject.active")]
    [InlineData("subject.user.indexOf(\"we\") == 0")]
    [InlineData("subject.user == USER")]
    [InlineData("subject.user == \"we\" + \"b\"")]
    [InlineData("/^web$/.test(subject.user)")]
    [InlineData("subject.system_unit == \"web.service\"")]
    [InlineData("mayManage(subject)")]
    public void A_rule_that_does_more_than_to_compare_names_is_not_judged(string who) =>
        // Goal: neither PXD021 nor PXD022 where it can't be told whether the rule is for the proxy.
        Assert.Empty(Fixture.Findings(Proxy("User=web") + $$"""
            --- 10-admin.rules
            var USER = "web";
            polkit.addRule(function (action, subject) {
              if (action.id == "org.freedesktop.systemd1.manage-units" && {{who}}) return polkit.Result.YES;
            });
            """));

    [Theory]
    [InlineData("function (a, s)", "a.id", "a.lookup(\"unit\")", "s.user", "note 50-web.rules:2")]
    [InlineData("(a, s) =>", "a.id", "a.lookup(\"unit\")", "s.user", "note 50-web.rules:2")]
    [InlineData("function (a, s)", "a.id", "a.id", "s.user", "50-web.rules:2")]
    [InlineData("function (a)", "a.id", "a.lookup(\"unit\")", "null", "50-web.rules:2")]
    public void Parameters_may_have_any_names(string head, string id, string unit, string user, string found) =>
        // Goal: what is asked for is seen by the function's own names for action and subject.
        Assert.Equal([found], Fixture.Findings("PXD022", Proxy("User=web") + $$"""
            --- 50-web.rules
            polkit.addRule({{head}} {
              if ({{id}} == "org.freedesktop.systemd1.manage-units" && {{unit}} == "web-backend.service" && {{user}} == "web") return polkit.Result.YES;
            });
            """));

    [Theory]
    [InlineData("var who = \"web\";", "subject.user == who", true)]
    [InlineData("", "subject.user == \"www\"", false)]
    [InlineData("", "subject.user == \"www\" && subject.active", false)]
    [InlineData("", "subject.user == \"www\" || subject.isInGroup(\"web\")", true)]
    public void A_rule_is_for_others_where_it_names_only_others(string before, string who, bool isEnough) =>
        // Goal: PXD021 by what stands in the rule itself, and silence where a group may be meant.
        Assert.Equal(isEnough, Fixture.Findings("PXD021", Proxy("User=web") + $$"""
            --- 50-web.rules
            polkit.addRule(function (action, subject) {
              {{before}}
              if (action.id == "org.freedesktop.systemd1.manage-units" && {{who}}) return polkit.Result.YES;
            });
            """).Length == 0);

    [Theory]
    [InlineData("addRule(forWeb)", true)]
    [InlineData("addRule(function (action, subject) { return decide(action, subject); })", true)]
    [InlineData("addRule(function (action, subject) { return action.id.indexOf(\"org.freedesktop.NetworkManager.\") == 0 ? YES : null; })", false)]
    public void A_rule_that_another_function_decides_may_allow(string call, bool isEnough) =>
        // Goal: no PXD021 where what it allows stands elsewhere; but one about another program's actions is none of ours.
        Assert.Equal(isEnough, Fixture.Findings("PXD021", Proxy("User=web") + "--- 50-web.rules\npolkit." + call + ";\n").Length == 0);

    [Theory]
    [InlineData("--backend-unit=${B}"), InlineData("--backend-unit=%i")]
    public void A_unit_that_is_not_known_yet_is_not_judged(string option) =>
        // Goal: no PXD021 for a name that only the manager puts together.
        Assert.Empty(Fixture.Findings(
            "PXD021", Proxy("User=web", "web@.service").Replace("--backend-unit=web-backend", option, StringComparison.Ordinal)));

    [Theory]
    [InlineData("/^web-backend\\.service$/.test(action.lookup(\"unit\")) && subject.user == \"web\"", true)]
    [InlineData("/^web-backend\\.service$/.test(action.lookup(\"unit\")) && subject.user == \"www\"", false)]
    [InlineData("action.id.indexOf(\"org.freedesktop.systemd1.\") == 0 && subject.user === 'www'", false)]
    [InlineData("subject.user == \"www\" || subject.isInGroup(\"web\")", true)]
    [InlineData("subject.user == \"web\" && action.lookup(\"verb\") == \"restart\"", false)]
    [InlineData("subject.user == \"web\" && (action.lookup('verb') === 'stop' || action.lookup('verb') === 'start')", true)]
    [InlineData("subject.user == \"web\" && action.lookup(\"verb\") != \"kill\"", true)]
    public void What_a_rule_names_plainly_holds_whatever_else_it_asks(string condition, bool isEnough) =>
        // Goal: PXD021 is not silenced by another user's rule because that has a pattern in it, nor by one for another verb.
        Assert.Equal(isEnough, Fixture.Findings("PXD021", Proxy("User=web") + $$"""
            --- 50-web.rules
            polkit.addRule(function (action, subject) {
              if ({{condition}}) return polkit.Result.YES;
            });
            """).Length == 0);

    [Theory]
    [InlineData("1000", 0), InlineData("web", 1)]
    public void A_users_number_is_not_looked_up(string user, int count) =>
        // Goal: no PXD021 for User=NUMBER, whose name the rule may hold.
        Assert.Equal(count, Fixture.Findings("PXD021", Proxy($"User={user}") + ExactRule.Replace("\"web\"", "\"www\"", StringComparison.Ordinal)).Length);

    [Fact]
    public void A_name_with_a_backslash_is_read_as_the_script_has_it() =>
        // Goal: no PXD021 for the rule that proxyd init itself writes for an escaped name.
        Assert.Empty(Fixture.Findings("PXD021", Proxy("User=web", backend: @"web\\x2dbackend") + ExactRule.Replace(
            "web-backend.service", @"web\\x2dbackend.service", StringComparison.Ordinal)));

    [Fact]
    public void Rules_for_others_are_not_judged() =>
        // Goal: PXD022 leaves alone what gives the proxy nothing, as administrators' rules for themselves.
        Assert.Empty(Fixture.Findings("PXD022", Proxy("User=web") + """
            --- 10-admin.rules
            polkit.addRule(function (action, subject) {
              if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "admin") return polkit.Result.YES;
            });
            """));

    [Theory]
    [InlineData("DynamicUser=yes", true), InlineData("DynamicUser=no", false), InlineData("DynamicUser=yes\nUser=web", false), InlineData("User=web", false)]
    public void A_made_up_user_on_the_bus_is_found(string lines, bool isFound) =>
        // Goal: PXD027; a name of User= may be a real user's.
        Assert.Equal(isFound ? ["web.service:3"] : [], Fixture.Findings("PXD027", Proxy(lines)));

    [Theory]
    [InlineData("", "proxyd 127.0.0.1:80", "web.service:2")]
    [InlineData("User=root", "proxyd 127.0.0.1:80", "web.service:3")]
    [InlineData("", "systemd-socket-proxyd 127.0.0.1:80", "web.service:2")]
    [InlineData("User=web", "proxyd 127.0.0.1:80", null)]
    [InlineData("DynamicUser=yes", "proxyd 127.0.0.1:80", null)]
    [InlineData("", "proxyd /run/web.sock", null)]
    [InlineData("", "proxyd 127.0.0.1:80 --exec=/usr/bin/web", null)]
    [InlineData("", "proxyd 127.0.0.1:80 --listen=80", null)]
    [InlineData("DynamicUser=yes\nExecStart=\nExecStart=+/usr/bin/proxyd 127.0.0.1:80", "proxyd 127.0.0.1:80", "web.service:5")]
    [InlineData("", "ip netns exec vpn /usr/bin/proxyd 127.0.0.1:80", null)]
    public void A_proxy_as_root_is_noted(string lines, string command, string? found) =>
        // Goal: PXD024 unless there may be a reason.
        Assert.Equal(found is null ? [] : [found], Fixture.Findings("PXD024", $"--- web.service\n[Service]\nExecStart=/usr/bin/{command}\n{lines}\n"));

    private static string Proxy(string lines, string name = "web.service", string backend = "web-backend") => $"""
        --- {name}
        [Service]
        ExecStart=/usr/bin/proxyd 127.0.0.1:80 --backend-unit={backend}
        {lines}
        --- web-backend.service
        [Service]
        ExecStart=/usr/bin/web

        """;
}
