using ProxyD.Machine;

namespace ProxyD.Tests.Pure;

/// <summary>What systemctl show says a unit runs.</summary>
public sealed class ExecPropertyTests
{
    [Theory]
    [InlineData("/usr/local/bin/proxyd 127.0.0.1:80 --backend-unit=web-backend --wait-bind=5s", "web-backend")]
    [InlineData("/usr/local/bin/proxyd --backend-unit web-backend 127.0.0.1:80", "web-backend")]
    [InlineData("/bin/sh -c exec proxyd --backend-unit=a.service x", "a.service")]
    [InlineData("/usr/local/bin/proxyd --backend-unit=a --backend-unit=b x", "b")]
    [InlineData("/usr/local/bin/proxyd --backend-units=a x", null)]
    [InlineData("/usr/local/bin/proxyd x --backend-unit", null)]
    public void An_option_is_read_however_it_is_written(string command, string? value) =>
        // Goal: both forms, the last one, no look-alike.
        Assert.Equal(value, ExecProperty.Option(Line(command), "--backend-unit"));

    [Fact]
    public void Several_commands_are_read_and_what_is_no_command_is_not()
    {
        // Goal: a oneshot service has many, a service without any has an empty property; ';' and '=' may be among the words.
        string property = $"{Line("/bin/a x ; y")}\n{Line("/bin/b argv[]=z")}";
        Assert.Equal<string[]>([["/bin/a", "x", ";", "y"], ["/bin/b", "argv[]=z"]], ExecProperty.Commands(property));
        Assert.Empty(ExecProperty.Commands(""));
    }

    [Theory]
    [InlineData("/bin/systemctl start minecraft.service", "minecraft.service")]
    [InlineData("systemctl --no-block restart a b.service c@1.target", "a.service b.service c@1.target")]
    [InlineData("/bin/sh -c systemctl start a; sleep 1", "a.service")]
    [InlineData("/bin/bash -c 'systemctl start a && nc -z 127.0.0.1 80'", "a.service")]
    [InlineData("/bin/bash -c (systemctl --quiet start 'a.service')", "a.service")]
    [InlineData("/bin/systemctl stop a.service", "")]
    [InlineData("/bin/systemctl", "")]
    [InlineData("/usr/bin/docker start a", "")]
    public void The_units_that_a_hook_starts_are_found(string command, string units) =>
        // Goal: alone and in a shell's line, up to the end of that command.
        Assert.Equal(units, string.Join(' ', ExecProperty.UnitsStarted(Line(command))));

    private static string Line(string command) =>
        $"{{ path={command.Split(' ')[0]} ; argv[]={command} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }}";
}
