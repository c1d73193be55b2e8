using ProxyD.Units;

namespace ProxyD.Tests.Units;

public sealed class UnitNameTests
{
    [Theory]
    [InlineData("app.service", "Service", "app", "app", null, null)]
    [InlineData("app@8080.socket", "Socket", "app@8080", "app", "8080", "app@.socket")]
    [InlineData("app@.service", "Service", "app@", "app", "", null)]
    [InlineData("a@b@c.timer", "Timer", "a@b@c", "a", "b@c", "a@.timer")]
    [InlineData("a.b.service", "Service", "a.b", "a.b", null, null)]
    [InlineData("app.conf", "Unknown", "app.conf", "app.conf", null, null)]
    [InlineData(".service", "Unknown", ".service", ".service", null, null)]
    public void A_name_has_its_parts(string name, string type, string stem, string prefix, string? instance, string? template)
    {
        // Goal: type, template and instance as systemd.unit(5) divides them.
        UnitName parts = new(name);
        Assert.Equal((type, stem, prefix, instance, template), (parts.Type.ToString(), parts.Stem, parts.Prefix, parts.Instance, parts.Template));
    }

    [Theory]
    [InlineData("run-app-a", "run/app/a")]
    [InlineData("a\\x2db", "a-b")]
    [InlineData("caf\\xc3\\xa9", "café")]
    [InlineData("a\\x2", "a\\x2")]
    public void Escapes_are_undone_as_systemd_escape_does(string escaped, string expected) =>
        // Goal: what %I and %f stand for.
        Assert.Equal(expected, UnitName.Unescape(escaped));

    [Theory]
    [InlineData("%i %I", "app@a-b.service", "a-b a/b")]
    [InlineData("%n %N %p", "app@a-b.service", "app@a-b.service app@a-b app")]
    [InlineData("%j %J %f", "my-app.service", "app app /my/app")]
    [InlineData("%f", "app@run-a.service", "/run/a")]
    [InlineData("100%% %t/a %S %h", "app.service", "100% /run/a /var/lib /root")]
    [InlineData("%%i %H %Z %", "app@a.service", "%i %H %Z %")]
    [InlineData("%i %p", "app@.service", "%i app")]
    [InlineData("%i|", "app.service", "|")]
    public void Specifiers_stand_for_what_the_name_says(string value, string unit, string expected) =>
        // Goal: known ones are put in; a template's instance, the machine's own and unknown ones stay.
        Assert.Equal(expected, Specifiers.Expand(value, new(unit)));

    [Fact]
    public void A_user_managers_folders_are_not_the_systems() =>
        // Goal: %t of a user's unit is not /run.
        Assert.Equal("%t %h app", Specifiers.Expand("%t %h %N", new("app.service"), isUser: true));
}
