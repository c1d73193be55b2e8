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
        string rule = $"polkit.addRule(function(a, subject) {{ if (subject.user == 'web' && {condition}) return polkit.Result.YES; }});";
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
